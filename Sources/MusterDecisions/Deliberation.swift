import MusterState

/// What the leader should commit next: a function of the committed body and of what it sees.
///
/// The answer differs from `body` only where something has to change, and in at most one voter,
/// so that consecutive registers always share a majority.
package func deliberate(_ body: RegisterBody, seeing observation: Observation) -> RegisterBody {
  var next = body
  if !next.sealed, observation.maySeal { next.sealed = true }
  admit(to: &next, observation)
  for request in observation.requests { answer(request, in: &next, observation) }
  guard next.sealed else { return next }
  next.roles = deriveRoles(
    roster: next.roster, previous: body, leader: observation.leader)
  stepRepair(of: &next, observation)
  stepCollection(of: &next, observation)
  // One thing is fetched at a time.
  if next.repair?.isUnderWay != true { stepPlan(of: &next, observation) }
  // A change of the voters waits while anything else changes: one thing at a time is what the
  // proof of the register asks for, and it keeps each step easy to explain.
  if next == body { next.voters = nextElectorate(of: body, observation) }
  return next
}

/// Everyone alive is admitted; who leaves is let go. Nobody leaves the roster by being dead:
/// dead is not stopped.
private func admit(to body: inout RegisterBody, _ observation: Observation) {
  for node in observation.nodes {
    let isMember = body.roster.containsSorted(node.id)
    if node.isAlive, !node.isLeaving, !isMember, !body.forgotten.contains(node.id),
      body.roster.count < Limits.roster
    {
      body.roster.insertSorted(node.id)
    }
    if node.isLeaving, isMember, node.id != observation.leader {
      body.roster.removeAll { $0 == node.id }
      body.plan = body.plan.map { without(node.id, $0) }
    }
  }
}

/// A plan that no longer counts `node`.
func without(_ node: NodeID, _ plan: Plan) -> Plan {
  var plan = plan
  plan.participants.removeAll { $0 == node }
  plan.overtaken.removeAll { $0 == node }
  return plan
}

// MARK: - Requests

private func answer(
  _ request: Request, in body: inout RegisterBody, _ observation: Observation
) {
  let refusal: String
  switch request.action {
  case .set(let setting): refusal = set(setting, in: &body)
  case .addRelease(let release): refusal = add(release, to: &body)
  case .removeRelease(let version): refusal = removeRelease(version, from: &body, observation)
  case .repairRelease(let version): refusal = repairRelease(version, in: &body, observation)
  case .collect: refusal = collectReleases(of: &body, observation)
  case .forget(let node, let isAuthorised):
    refusal = forget(node, isAuthorised: isAuthorised, in: &body, observation)
  case .stepDown(let term, let successor):
    guard let answer = stepDownAnswer(term, successor, body, observation) else { return }
    refusal = answer
  }
  body.answers.append(
    RequestAnswer(node: request.node, nonce: request.nonce, refusal: refusal))
  body.answers = Array(body.answers.suffix(Limits.answers))
}

private func set(_ setting: Setting, in body: inout RegisterBody) -> String {
  if setting.key == "version" {
    let refusal = refuseVersion(setting.value, body)
    if !refusal.isEmpty { return refusal }
    body.failure = ""
  }
  body.settings.removeAll { $0.key == setting.key }
  guard !setting.value.isEmpty else { return "" }
  guard body.settings.count < Limits.settings else {
    return "there are \(Limits.settings) cluster settings already; delete one first"
  }
  body.settings.append(setting)
  body.settings.sort { $0.key < $1.key }
  return ""
}

private func refuseVersion(_ version: String, _ body: RegisterBody) -> String {
  if let plan = body.plan {
    return "plan \(hexadecimal(plan.id.bytes.bytes).prefix(8)) to \(plan.to.version) is "
      + "\(plan.phase.name); wait until it is idle"
  }
  if !body.releases.contains(where: { $0.version == version }) {
    let known = body.releases.map(\.version).joined(separator: ", ")
    return "release \(version) is not known (known: \(known.isEmpty ? "none" : known)); add it "
      + "with 'muster release add \(version) --source URL --sha256 HEX'"
  }
  return ""
}

private func add(_ release: ReleaseSource, to body: inout RegisterBody) -> String {
  var release = release
  // Only the leader raises it, and it never falls.
  release.repair = 0
  if let old = body.releases.first(where: { $0.version == release.version }) {
    release.repair = old.repair
    if old == release { return "" }
    let isUsed =
      body.plan?.to.version == release.version
      || body.published.contains { $0.version == release.version }
    if isUsed, old.archive != release.archive {
      return "release \(release.version) is published with another archive; a version never "
        + "changes its content"
    }
    body.releases.removeAll { $0.version == release.version }
  }
  guard body.releases.count < Limits.releases else {
    return "there are \(Limits.releases) releases already; remove one first"
  }
  body.releases.append(release)
  body.releases.sort { $0.version < $1.version }
  return ""
}

private func forget(
  _ node: NodeID, isAuthorised: Bool, in body: inout RegisterBody, _ observation: Observation
) -> String {
  if body.forgotten.contains(node) { return "" }
  if node == observation.leader {
    return "the leader cannot forget itself; let it leave, or stop it and ask again"
  }
  if observation.node(node)?.isAlive ?? false, !isAuthorised {
    return "the node is alive; stop it first, or sign with --authority KEY"
  }
  if body.voters.contains(node), body.voters.count == 1 {
    return "the node is the only voter"
  }
  body.forgotten.append(node)
  body.forgotten.sort()
  body.roster.removeAll { $0 == node }
  body.plan = body.plan.map { without(node, $0) }
  return ""
}
