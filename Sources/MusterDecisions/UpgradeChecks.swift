import MusterState

/// One thing that must hold before an upgrade begins, and whether it does.
package struct UpgradeCheck: Hashable, Sendable {
  package var name: String
  /// What stands in the way, and what to do; empty: nothing.
  package var refusal: String

  package var isGood: Bool { refusal.isEmpty }
}

/// An upgrade as it would be done now: who moves with whom, and what forbids it.
package struct UpgradePreview: Hashable, Sendable {
  package var checks: [UpgradeCheck]
  /// Sorted.
  package var participants: [NodeID]
  /// For each participant, in order; empty: all together.
  package var waves: [UInt8]
  /// Whether the release has to be fetched first.
  package var isFetched: Bool

  package var refusal: String { checks.first { !$0.isGood }?.refusal ?? "" }
}

/// What an operator is shown beforehand, and the leader holds every wish against.
package func previewUpgrade(
  to version: String, _ options: UpgradeOptions, of body: RegisterBody, leader: NodeID?,
  nodes: [Observation.Node]
) -> UpgradePreview {
  let present = nodes.filter { $0.isAlive && body.roster.containsSorted($0.id) }
  let participants = present.map(\.id).sorted()
  let source = body.releases.first { $0.version == version }
  let isPublished = body.published.contains { $0.version == version }
  let storage = present.compactMap { node in
    storageRefusal(node, isLeader: node.id == leader).map { "node \(node.id.short): \($0)" }
  }
  let space = present.compactMap { node -> String? in
    guard let source, !isPublished, source.unpackedBytes > 0, let free = node.freeBytes,
      free < source.unpackedBytes
    else { return nil }
    return "node \(node.id.short): \(free) bytes are free, release \(version) takes "
      + "\(source.unpackedBytes); make room, or run 'muster release gc'"
  }
  return UpgradePreview(
    checks: [
      UpgradeCheck(
        name: "quorum",
        refusal: leader == nil
          ? "nobody leads: 'muster leader --explain' shows what an election waits for" : ""),
      UpgradeCheck(name: "no other plan", refusal: otherPlan(body)),
      UpgradeCheck(name: "release", refusal: refuseVersion(version, body)),
      UpgradeCheck(
        name: "publishing",
        refusal: isPublished ? "" : refusePublishing(by: leader, among: present)),
      UpgradeCheck(name: "storage", refusal: listed(storage, "; ")),
      UpgradeCheck(name: "space", refusal: listed(space, "; ")),
      UpgradeCheck(name: "daemons", refusal: refuseDaemons(options, present)),
    ], participants: participants,
    waves: body.current == nil || options.stopsFirst
      ? [] : waves(of: participants, leader: leader ?? participants.first, batch: options.batch),
    isFetched: !isPublished)
}

/// The same may stand in the way on every node: a few are named, and the others counted.
func listed(_ nodes: [String], _ separator: String, rest last: String? = nil) -> String {
  let rest = nodes.count - Limits.namedNodes
  let named = nodes.prefix(Limits.namedNodes).joined(separator: separator)
  return rest > 0 ? "\(named)\(last ?? separator)and \(rest) more" : named
}

private func otherPlan(_ body: RegisterBody) -> String {
  if let plan = body.plan {
    return "plan \(hexadecimal(plan.id.bytes.bytes).prefix(8)) to \(plan.to.version) is "
      + "\(plan.phase.name); wait until it is idle"
  }
  guard let repair = body.repair, repair.isUnderWay else { return "" }
  return "release \(repair.corrupt.version) is being published anew; wait until that is done"
}

/// A worker may have the share read-only, and nobody but the leader writes to it.
private func storageRefusal(_ node: Observation.Node, isLeader: Bool) -> String? {
  let word = node.storage.prefix { $0 != ":" }
  let forbids: Set<Substring> =
    isLeader
    ? ["lost", "denied", "not-shared", "not-configured", "full", "read-only"]
    : ["lost", "denied", "not-shared", "not-configured"]
  return forbids.contains(word) ? "its storage is \(node.storage)" : nil
}

private func refuseDaemons(_ options: UpgradeOptions, _ nodes: [Observation.Node]) -> String {
  guard options.batch != .all || options.stopsFirst else { return "" }
  let old = nodes.filter { !$0.knowsWaves }.map(\.id.short)
  guard !old.isEmpty else { return "" }
  return "the daemon of \(listed(old, ", ")) knows no waves yet; upgrade it, or leave "
    + "--batch and --stop-first out"
}
