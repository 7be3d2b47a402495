import MusterDecisions
import MusterProtocol
import MusterState

extension ClusterView {
  /// The plan under way, and for each participant what it has said and whether it is waited for.
  var planJson: Json {
    let failure = Json.text(body?.failure)
    guard let plan = body?.plan else { return ["phase": "idle", "failure": failure] }
    let known = Dictionary(members.map { ($0.id, $0) }) { first, _ in first }
    let participants = plan.participants.map { id -> Json in
      let member = known[id]
      return [
        "node": .string(member?.name ?? id.short),
        "acknowledgement": .text(member?.acknowledgement?.name),
        "overtaken": .bool(plan.overtaken.contains(id)),
        "wave": .count(UInt64(plan.wave(of: id) ?? 0) + 1),
        "awaited": .bool(plan.isAwaited(id, saying: member?.acknowledgement)),
        "version": .text(member?.running?.version), "failure": .text(member?.failure),
      ]
    }
    return [
      "phase": .string(plan.phase.name),
      "id": .string(plan.id.description),
      "term": .count(plan.term),
      "from": .text(plan.from?.version),
      "to": .string(plan.to.version),
      "digest": .text(plan.reference?.manifest.description),
      "wave": .count(UInt64(plan.wave) + 1),
      "waves": .count(UInt64(plan.lastWave) + 1),
      "policy": .string(plan.policy.name),
      "stop_first": .bool(plan.stopsFirst),
      "paused": .bool(plan.isPaused),
      "remaining_ms": phaseRemaining.map { .integer($0.milliseconds) } ?? .null,
      "participants": .array(participants),
      "failure": failure,
    ]
  }

  /// What an upgrade would be, and what forbids it, as this node sees it.
  func previewJson(to version: String, _ options: UpgradeOptions) -> Json {
    guard let body else {
      return [
        "version": .string(version), "ok": false,
        "checks": [["name": "quorum", "ok": false, "text": "the cluster is not founded"]],
        "waves": [],
      ]
    }
    let preview = previewUpgrade(
      to: version, options, of: body, leader: hasValidLease ? leader : nil,
      nodes: members.map(\.observed))
    let last = Int(preview.waves.max() ?? 0)
    let waves = (0...last).map { wave -> Json in
      .array(
        preview.participants.enumerated().filter { place, _ in
          place < preview.waves.count ? Int(preview.waves[place]) == wave : wave == 0
        }.map { .string(name(of: $0.element)) })
    }
    return [
      "version": .string(version), "from": .text(body.current?.version),
      "ok": .bool(preview.refusal.isEmpty), "fetch": .bool(preview.isFetched),
      "policy": .string(options.policy.name), "stop_first": .bool(options.stopsFirst),
      "checks": .array(
        preview.checks.map {
          ["name": .string($0.name), "ok": .bool($0.isGood), "text": .text($0.refusal)]
        }),
      "waves": .array(waves),
    ]
  }
}

extension MemberView {
  fileprivate var observed: Observation.Node {
    Observation.Node(
      id: id, isAlive: state == .alive || state == .suspect, isLeaving: false,
      sinceMilliseconds: 0, plan: nil, acknowledgement: acknowledgement, failure: failure,
      running: running, storage: storage, freeBytes: volume?.freeBytes, knowsWaves: knowsWaves,
      keepsOwnCopies: keepsOwnCopies)
  }
}
