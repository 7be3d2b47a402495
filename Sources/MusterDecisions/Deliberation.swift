import MusterState

/// What the leader should commit next: a function of the committed body and of what it sees.
///
/// The answer differs from `body` only where something has to change, and in at most one voter,
/// so that consecutive registers always share a majority.
package func deliberate(_ body: RegisterBody, seeing observation: Observation) -> RegisterBody {
  var next = body
  if !next.sealed, observation.maySeal { next.sealed = true }
  admit(to: &next, observation)
  var beginning: String?
  for request in observation.requests { answer(request, in: &next, &beginning, observation) }
  guard next.sealed else { return next }
  next.roles = deriveRoles(
    roster: next.roster, previous: body, leader: observation.leader)
  stepRepair(of: &next, observation)
  stepCollection(of: &next, observation)
  stepInspection(of: &next, observation)
  // One thing is fetched at a time.
  if next.repair?.isUnderWay != true { stepPlan(of: &next, observation) }
  // A change of the voters waits while anything else changes: one thing at a time is what the
  // proof of the register asks for, and it keeps each step easy to explain.
  if next == body { next.voters = nextElectorate(of: body, observation) }
  return next
}

/// Everyone alive is admitted, at once or after a moment with others that come; who leaves is let
/// go. Nobody leaves the roster by being dead: dead is not stopped.
private func admit(to body: inout RegisterBody, _ observation: Observation) {
  for node in observation.nodes {
    let isMember = body.roster.containsSorted(node.id)
    if node.isAlive, observation.mayAdmit, !node.isLeaving, !isMember,
      !body.forgotten.contains(node.id),
      body.roster.count < Limits.roster
    {
      body.roster.insertSorted(node.id)
    }
    if node.isLeaving, isMember, node.id != observation.leader {
      body.roster.removeAll { $0 == node.id }
      body.plan = body.plan?.without(node.id)
    }
  }
}

// MARK: - Requests

/// `beginning` is the version that an earlier request of the same deliberation was promised: its
/// plan is not in the body yet, and whoever comes next must not take it away unheard.
private func answer(
  _ request: Request, in body: inout RegisterBody, _ beginning: inout String?,
  _ observation: Observation
) {
  let refusal: String
  switch request.action {
  case .set(let setting) where setting.key == "version":
    refusal = upgrade(
      to: setting.value, UpgradeOptions(), in: &body, &beginning, observation)
  case .set(let setting): refusal = store(setting, in: &body)
  case .upgrade(let version, let options):
    refusal = upgrade(to: version, options, in: &body, &beginning, observation)
  case .steer(let order, let id): refusal = steer(order, id, in: &body)
  case .addRelease(let release): refusal = add(release, to: &body)
  case .removeRelease(let version): refusal = removeRelease(version, from: &body, observation)
  case .repairRelease(let version): refusal = repairRelease(version, in: &body, observation)
  case .collect: refusal = collectReleases(of: &body, observation)
  case .follow(let release): refusal = follow(release, in: &body, &beginning, observation)
  case .inspect(let version): refusal = inspectRelease(version, in: &body, observation)
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

func store(_ setting: Setting, in body: inout RegisterBody) -> String {
  body.settings.removeAll { $0.key == setting.key }
  guard !setting.value.isEmpty else { return "" }
  guard body.settings.count < Limits.settings else {
    return "there are \(Limits.settings) cluster settings already; delete one first"
  }
  body.settings.append(setting)
  body.settings.sort { $0.key < $1.key }
  return ""
}

func add(_ release: ReleaseSource, to body: inout RegisterBody) -> String {
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
  body.plan = body.plan?.without(node)
  return ""
}
