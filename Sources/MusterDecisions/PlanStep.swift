import MusterState

/// Moves the plan by one phase when everyone it counts on has said so. See `proto/README.md`,
/// "Plans".
func stepPlan(of body: inout RegisterBody, _ observation: Observation) {
  guard var plan = body.plan else {
    beginPlan(of: &body, observation)
    return
  }
  overtakeTheDead(in: &plan, observation)
  body.plan = plan
  switch plan.phase {
  case .downloading: stepDownloading(plan, &body, observation)
  case .prepare: stepPrepare(plan, &body, observation)
  case .complete: stepComplete(plan, &body, observation)
  case .rollingBack: stepRollingBack(plan, &body, observation)
  }
}

/// A version that is wanted and does not run is a reason for a plan.
private func beginPlan(of body: inout RegisterBody, _ observation: Observation) {
  guard body.failure.isEmpty, let version = body.setting("version"),
    version != body.current?.version,
    let release = body.releases.first(where: { $0.version == version })
  else { return }
  let participants = body.roster.filter { observation.node($0)?.isAlive ?? false }
  guard !participants.isEmpty else { return }
  let isPublished = body.published.contains { $0.version == version }
  guard isPublished || observation.publishingRefusal(body).isEmpty else { return }
  let options = body.options ?? UpgradeOptions()
  var plan = Plan(
    id: observation.freshPlan, term: observation.term, phase: .downloading, from: body.current,
    to: release, reference: body.published.first { $0.version == version },
    participants: participants, overtaken: [], policy: options.policy)
  // Before a first release nothing runs that could be stopped, or go on while others start.
  if plan.from != nil {
    plan.stopsFirst = options.stopsFirst
    plan.waves = waves(of: participants, leader: observation.leader, batch: options.batch)
    if plan.stopsFirst { plan.phase = .prepare }
  }
  body.plan = plan
  body.options = nil
}

/// A participant that dies is not waited for; it catches up when it is back. One that comes back
/// while the plan is young is not taken in again: it follows the committed body.
private func overtakeTheDead(in plan: inout Plan, _ observation: Observation) {
  for id in plan.participants where !plan.overtaken.contains(id) {
    if observation.node(id)?.isAlive ?? false { continue }
    plan.overtaken.append(id)
    plan.overtaken.sort()
  }
}

/// Those who are waited for.
private func counted(_ plan: Plan) -> [NodeID] {
  plan.participants.filter { !plan.overtaken.contains($0) }
}

private func acknowledgement(
  of id: NodeID, _ plan: Plan, _ observation: Observation
) -> Acknowledgement? {
  guard let node = observation.node(id), node.plan == plan.id else { return nil }
  return node.acknowledgement
}

/// What one of those who `isWatched` says went wrong.
private func failure(
  of plan: Plan, _ observation: Observation, among isWatched: (NodeID) -> Bool
) -> String? {
  for id in counted(plan) where isWatched(id) {
    guard acknowledgement(of: id, plan, observation) == .failed else { continue }
    let reason = observation.node(id)?.failure ?? ""
    return "node \(id.short): \(reason.isEmpty ? "failed" : reason)"
  }
  return nil
}

/// Those of `nodes` who have yet to say `wanted`.
private func missing(
  _ wanted: Acknowledgement, _ plan: Plan, _ observation: Observation,
  among isWatched: (NodeID) -> Bool
) -> [NodeID] {
  counted(plan).filter {
    isWatched($0) && acknowledgement(of: $0, plan, observation) != wanted
  }
}

/// Past the limit the mute are excluded, by name, and the plan goes on without them from the next
/// deliberation; or it is given up, if that is the policy.
private func judge(
  mute: [NodeID], _ plan: Plan, _ wanted: Acknowledgement, in body: inout RegisterBody
) {
  guard plan.policy == .proceed || plan.phase == .rollingBack else {
    let names = mute.map(\.short).joined(separator: ", ")
    return rollBack(plan, because: "node \(names) has not said \(wanted.name)", in: &body)
  }
  var plan = plan
  plan.overtaken = Array(Set(plan.overtaken).union(mute)).sorted()
  body.plan = plan
}

private func stepDownloading(
  _ old: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  var plan = old
  if plan.reference == nil {
    // A successor may not be who could have published.
    let refusal = observation.publishingRefusal(body)
    if !refusal.isEmpty { return rollBack(plan, because: refusal, in: &body) }
    guard let outcome = observation.fetched, outcome.plan == plan.id else { return }
    guard let reference = outcome.reference else {
      return rollBack(plan, because: outcome.failure, in: &body)
    }
    plan.reference = reference
    body.plan = plan
    return
  }
  if let failure = failure(of: plan, observation, among: { _ in true }) {
    return rollBack(plan, because: failure, in: &body)
  }
  let missing = missing(.verified, plan, observation, among: { _ in true })
  guard missing.isEmpty else {
    if observation.phaseMilliseconds >= observation.limits.acknowledging(body) {
      judge(mute: missing, plan, .verified, in: &body)
    }
    return
  }
  guard !counted(plan).isEmpty else {
    return rollBack(plan, because: "no participant is left", in: &body)
  }
  guard !plan.isPaused else { return }
  // Nothing runs before a first release, so there is nothing to stop.
  if plan.from == nil || plan.stopsFirst {
    start(plan, in: &body)
  } else {
    plan.phase = .prepare
    body.plan = plan
  }
}

private func stepPrepare(
  _ old: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  var plan = old
  // Who has moved is watched to the end.
  if let failure = failure(of: plan, observation, among: { plan.part(of: $0) == .moves }) {
    return rollBack(plan, because: failure, in: &body)
  }
  let missing = missing(.stopped, plan, observation, among: { plan.part(of: $0) == .stops })
  guard missing.isEmpty else {
    let late = missing.filter { id in
      let own = observation.node(id)?.stopMilliseconds ?? 0
      return observation.phaseMilliseconds >= observation.limits.stopping(own)
    }
    if !late.isEmpty { judge(mute: late, plan, .stopped, in: &body) }
    return
  }
  guard plan.stopsFirst else { return start(plan, in: &body) }
  plan.phase = .downloading
  body.plan = plan
}
private func activate(_ plan: Plan, in body: inout RegisterBody) {
  guard let reference = plan.reference else {
    preconditionFailure("a plan is not completed before its release is published")
  }
  body.current = reference
  // The active and the previous release stay published; collecting the others is by this list.
  body.published = [reference] + [plan.from].compactMap { $0 }.filter { $0 != reference }
}

/// The present wave starts the new release; with the last one it is everyone's.
private func start(_ plan: Plan, in body: inout RegisterBody) {
  var plan = plan
  plan.phase = .complete
  if plan.isLastWave { activate(plan, in: &body) }
  body.plan = plan
}

private func stepComplete(
  _ old: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  var plan = old
  let hasMoved = { (id: NodeID) in old.part(of: id) == .moves }
  if let failed = failure(of: plan, observation, among: hasMoved) {
    return rollBack(plan, because: failed, in: &body)
  }
  let missing = missing(.running, plan, observation, among: hasMoved)
  guard missing.isEmpty else {
    guard observation.phaseMilliseconds >= observation.limits.acknowledging(body), !plan.isPaused
    else { return }
    // Who follows the register and is not ready is no mute node but a bad release.
    let unready = missing.filter { observation.node($0)?.holdsRegister ?? false }
    if plan.from != nil, let first = unready.first {
      let reason = "node \(first.short): not ready in time"
      return rollBack(plan, because: reason, in: &body)
    }
    return judge(mute: missing, plan, .running, in: &body)
  }
  guard !plan.isLastWave else {
    body.plan = nil
    return
  }
  guard !plan.isPaused else { return }
  plan.wave += 1
  plan.phase = .prepare
  body.plan = plan
}

private func stepRollingBack(
  _ plan: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  let missing = missing(.running, plan, observation, among: { _ in true })
  guard missing.isEmpty else {
    if observation.phaseMilliseconds >= observation.limits.acknowledging(body) {
      judge(mute: missing, plan, .running, in: &body)
    }
    return
  }
  giveUp(plan, because: body.failure, in: &body)
}

/// What had stopped or moved goes back to the old release, which is still published.
func rollBack(_ old: Plan, because reason: String, in body: inout RegisterBody) {
  var plan = old
  let hasStopped = plan.phase != .downloading || plan.stopsFirst
  guard hasStopped else { return giveUp(plan, because: reason, in: &body) }
  body.failure = worded(reason)
  guard let from = plan.from else {
    // A first release that does not start has nothing to go back to: say so, and let it retry.
    body.plan = nil
    return
  }
  plan.phase = .rollingBack
  plan.isPaused = false
  body.current = from
  body.plan = plan
}

/// Back to idle on what runs; the wanted version becomes what runs, so that the failed plan does
/// not begin anew by itself.
private func giveUp(_ plan: Plan, because reason: String, in body: inout RegisterBody) {
  body.failure = worded(reason)
  body.plan = nil
  body.settings.removeAll { $0.key == "version" }
  if let current = body.current {
    body.settings.append(Setting(key: "version", value: current.version))
    body.settings.sort { $0.key < $1.key }
  }
}

private func worded(_ reason: String) -> String {
  clipped(reason.isEmpty ? "the plan was given up" : reason, to: Limits.reasonBytes)
}
