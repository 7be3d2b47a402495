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
  body.plan = Plan(
    id: observation.freshPlan, term: observation.term, phase: .downloading, from: body.current,
    to: release, reference: body.published.first { $0.version == version },
    participants: participants, overtaken: [])
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

private func failure(of plan: Plan, _ observation: Observation) -> String? {
  for id in counted(plan) {
    guard acknowledgement(of: id, plan, observation) == .failed else { continue }
    let reason = observation.node(id)?.failure ?? ""
    return "node \(id.short): \(reason.isEmpty ? "failed" : reason)"
  }
  return nil
}

/// Whether somebody who is counted on has yet to say `wanted`. Past the limit those are excluded,
/// by name, and the plan goes on without them from the next deliberation.
private func isWaiting(
  for wanted: Acknowledgement, _ plan: Plan, in body: inout RegisterBody, after limit: Int64,
  _ observation: Observation
) -> Bool {
  let missing = counted(plan).filter { acknowledgement(of: $0, plan, observation) != wanted }
  guard !missing.isEmpty else { return false }
  if observation.phaseMilliseconds >= limit {
    var plan = plan
    plan.overtaken = Array(Set(plan.overtaken).union(missing)).sorted()
    body.plan = plan
  }
  return true
}

private func stepDownloading(
  _ old: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  var plan = old
  if plan.reference == nil {
    guard let outcome = observation.fetched, outcome.plan == plan.id else { return }
    guard let reference = outcome.reference else {
      giveUp(plan, because: outcome.failure, in: &body)
      return
    }
    plan.reference = reference
    body.plan = plan
    return
  }
  if let failure = failure(of: plan, observation) {
    giveUp(plan, because: failure, in: &body)
    return
  }
  let limit = observation.limits.acknowledgement
  if isWaiting(for: .verified, plan, in: &body, after: limit, observation) { return }
  guard !counted(plan).isEmpty else {
    giveUp(plan, because: "no participant is left", in: &body)
    return
  }
  // Nothing runs before a first release, so there is nothing to stop.
  plan.phase = plan.from == nil ? .complete : .prepare
  if plan.phase == .complete { activate(plan, in: &body) }
  body.plan = plan
}

private func stepPrepare(
  _ old: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  var plan = old
  let limit = observation.limits.stop
  if isWaiting(for: .stopped, plan, in: &body, after: limit, observation) { return }
  plan.phase = .complete
  activate(plan, in: &body)
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

private func stepComplete(
  _ old: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  var plan = old
  let failed = failure(of: plan, observation)
  if let failed, let from = plan.from {
    plan.phase = .rollingBack
    body.failure = String(decoding: Array(failed.utf8.prefix(400)), as: UTF8.self)
    body.current = from
    body.plan = plan
    return
  }
  if let failed {
    // A first release that does not start has nothing to go back to: say so, and let it retry.
    body.failure = String(decoding: Array(failed.utf8.prefix(400)), as: UTF8.self)
    body.plan = nil
    return
  }
  let limit = observation.limits.acknowledgement
  if isWaiting(for: .running, plan, in: &body, after: limit, observation) { return }
  body.plan = nil
}

private func stepRollingBack(
  _ plan: Plan, _ body: inout RegisterBody, _ observation: Observation
) {
  let limit = observation.limits.acknowledgement
  if isWaiting(for: .running, plan, in: &body, after: limit, observation) { return }
  giveUp(plan, because: body.failure, in: &body)
}

/// Back to idle on what runs; the wanted version becomes what runs, so that the failed plan does
/// not begin anew by itself.
private func giveUp(_ plan: Plan, because reason: String, in body: inout RegisterBody) {
  let text = reason.isEmpty ? "the plan was given up" : reason
  body.failure = String(decoding: Array(text.utf8.prefix(400)), as: UTF8.self)
  body.plan = nil
  body.settings.removeAll { $0.key == "version" }
  if let current = body.current {
    body.settings.append(Setting(key: "version", value: current.version))
    body.settings.sort { $0.key < $1.key }
  }
}
