import MusterState

extension ReleaseRepair {
  package var isUnderWay: Bool { failure.isEmpty }
}

extension ReleaseRemoval {
  package var isUnderWay: Bool { outcome.isEmpty }
}

extension Duty {
  /// What the effective leader does for the releases between two plans.
  mutating func addReleaseOrders(of body: RegisterBody, term: UInt64) {
    if let repair = body.repair, repair.isUnderWay,
      let source = body.releases.first(where: { $0.version == repair.corrupt.version })
    {
      fetch = FetchOrder(plan: repair.id, term: term, release: source, repair: source.repair)
    } else if let collection = body.collection, collection.isUnderWay {
      let needed = Set(collection.keep + body.published + [body.current].compactMap { $0 })
      collect = CollectOrder(
        id: collection.id, term: term, version: collection.version, keep: needed.sorted())
    }
  }
}

extension RegisterBody {
  /// Nothing goes while a plan, a repair or a removal is under way: each may need it, and the
  /// leader says first what became of a removal.
  var tidyOrder: TidyOrder? {
    guard plan == nil, repair?.isUnderWay != true, collection?.isUnderWay != true else {
      return nil
    }
    return TidyOrder(versions: releases.map(\.version), removal: collection?.id)
  }
}

// MARK: - Repair

/// A copy that somebody has found corrupt is published anew under the next number; what names it
/// names the new copy then. See `proto/README.md`, "Releases".
func stepRepair(of body: inout RegisterBody, _ observation: Observation) {
  guard let repair = body.repair else { return beginRepair(of: &body, observation) }
  guard body.plan == nil else { return }
  guard body.isInUse(repair.corrupt) else {
    body.repair = nil
    return
  }
  let refusal = observation.publishingRefusal(body)
  if repair.isUnderWay, !refusal.isEmpty { return giveUp(repair, because: refusal, in: &body) }
  guard repair.isUnderWay, let outcome = observation.fetched, outcome.plan == repair.id else {
    return
  }
  guard let copy = outcome.reference else {
    return giveUp(repair, because: outcome.failure, in: &body)
  }
  guard copy.isCopy(of: repair.corrupt) else {
    return giveUp(
      repair, because: "the archive unpacks to other files than before", in: &body)
  }
  if body.current == repair.corrupt { body.current = copy }
  body.published = body.published.map { $0 == repair.corrupt ? copy : $0 }
  body.repair = nil
}

/// Numbers are raised for whatever was found corrupt, so that the next plan does not find the bad
/// copy published; only what is in use is fetched again at once.
private func beginRepair(of body: inout RegisterBody, _ observation: Observation) {
  guard body.plan == nil, observation.publishingRefusal(body).isEmpty else { return }
  let claims = observation.nodes.filter { $0.isAlive && body.roster.containsSorted($0.id) }
    .compactMap(\.corrupt).sorted()
  for claim in claims {
    guard let index = body.releases.firstIndex(where: { $0.version == claim.version }),
      claim.repair >= body.releases[index].repair
    else { continue }
    guard claim.repair < Limits.repairs else {
      if body.isInUse(claim) {
        body.repair = ReleaseRepair(
          id: observation.freshPlan, term: observation.term, corrupt: claim,
          failure: "\(claim.repair + 1) copies in a row were found corrupt; check the storage, "
            + "then run 'muster release repair \(claim.version)'")
        return
      }
      continue
    }
    body.releases[index].repair = claim.repair + 1
    guard body.isInUse(claim) else { continue }
    body.repair = ReleaseRepair(id: observation.freshPlan, term: observation.term, corrupt: claim)
    return
  }
}

private func giveUp(_ repair: ReleaseRepair, because reason: String, in body: inout RegisterBody) {
  let text = reason.isEmpty ? "the repair was given up" : reason
  body.repair?.failure = clipped(text, to: Limits.reasonBytes)
}

/// An operator's order: also when the leader has given up, or nobody has complained.
func repairRelease(
  _ version: String, in body: inout RegisterBody, _ observation: Observation
) -> String {
  if let refusal = busy(body, observation) { return refusal }
  guard let index = body.releases.firstIndex(where: { $0.version == version }) else {
    return unknown(version, body)
  }
  guard
    let copy = ([body.current].compactMap { $0 } + body.published).first(where: {
      $0.version == version
    })
  else {
    return "release \(version) is not in use: 'muster set --cluster version \(version)' "
      + "publishes it"
  }
  let number = max(body.releases[index].repair, copy.repair)
  guard number < .max else { return "release \(version) has no further number" }
  body.releases[index].repair = number + 1
  body.repair = ReleaseRepair(id: observation.freshPlan, term: observation.term, corrupt: copy)
  return ""
}

// MARK: - Removal

func removeRelease(
  _ version: String, from body: inout RegisterBody, _ observation: Observation
) -> String {
  if let refusal = busy(body, observation) { return refusal }
  guard body.releases.contains(where: { $0.version == version }) else {
    return unknown(version, body)
  }
  if body.current?.version == version {
    return "release \(version) is what runs; install another version first"
  }
  if body.setting("version") == version {
    return "release \(version) is wanted; set another version first"
  }
  for node in observation.nodes where node.isAlive && node.running?.version == version {
    return "node \(node.id.short) still runs release \(version); wait until it has moved"
  }
  body.releases.removeAll { $0.version == version }
  body.published.removeAll { $0.version == version }
  begin(version, in: &body, observation)
  return ""
}

func collectReleases(of body: inout RegisterBody, _ observation: Observation) -> String {
  if let refusal = busy(body, observation) { return refusal }
  begin("", in: &body, observation)
  return ""
}

private func begin(_ version: String, in body: inout RegisterBody, _ observation: Observation) {
  let running = Set(observation.nodes.filter(\.isAlive).compactMap(\.running)).sorted()
  body.collection = ReleaseRemoval(
    id: observation.freshPlan, term: observation.term, version: version,
    keep: Array(running.prefix(Limits.kept)))
}

func stepCollection(of body: inout RegisterBody, _ observation: Observation) {
  guard let collection = body.collection, collection.isUnderWay,
    let outcome = observation.collected, outcome.id == collection.id
  else { return }
  let text = outcome.text.isEmpty ? "done" : outcome.text
  body.collection?.outcome = clipped(text, to: Limits.reasonBytes)
  // The names were needed for the work alone.
  body.collection?.keep = []
}

/// Why nothing about releases can be ordered now; `nil` when it can.
private func busy(_ body: RegisterBody, _ observation: Observation) -> String? {
  if let plan = body.plan {
    return "plan \(hexadecimal(plan.id.bytes.bytes).prefix(8)) to \(plan.to.version) is "
      + "\(plan.phase.name); wait until it is idle"
  }
  if let repair = body.repair, repair.isUnderWay {
    return "release \(repair.corrupt.version) is being published anew; wait until that is done"
  }
  if body.collection?.isUnderWay ?? false {
    return "releases are being removed at this moment; ask again"
  }
  let refusal = observation.publishingRefusal(body)
  return refusal.isEmpty ? nil : refusal
}

private func unknown(_ version: String, _ body: RegisterBody) -> String {
  let known = body.releases.map(\.version).joined(separator: ", ")
  return "release \(version) is not known (known: \(known.isEmpty ? "none" : known))"
}

extension RegisterBody {
  fileprivate func isInUse(_ copy: ReleaseReference) -> Bool {
    current == copy || published.contains(copy)
  }
}
