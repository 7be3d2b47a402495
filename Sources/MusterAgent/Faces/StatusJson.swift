import MusterProtocol
import MusterReleases
import MusterState

extension ClusterView {
  /// What `muster status --json` prints.
  ///
  /// - Parameter wall: the wall clock at `now`, in nanoseconds, to date `converged.since`.
  package func statusJson(at now: Instant, wall: Int64) -> Json {
    [
      "cluster": .string(clusterName),
      "cluster_id": .string(cluster.description),
      "node": .string(name),
      "node_id": .string(node.description),
      "term": .count(term),
      "leader": .text(leader.map { name(of: $0) }),
      "leader_id": .text(leader?.description),
      "lease": leaseJson,
      "converged": convergedJson(at: now, wall: wall),
      "release": releaseJson(body?.current),
      "plan": planJson,
      "members": membersSummary,
      "storage": storageJson,
      "founding": .text(founding?.description),
      "sealed": .bool(isSealed),
      "waiting_for": .text(waitingFor),
      "register": [
        "known": .string(register.description), "committed": .string(committed.description),
      ],
      "voters": .array((body?.voters ?? []).map { .string(name(of: $0)) }),
      "roles": .object(rolesJson),
      "settings": .object(
        (body?.settings ?? []).map { JsonMember($0.key, .string($0.value)) }),
      "releases": .array((body?.releases ?? []).map { .object(releaseJson(of: $0)) }),
      "published": .array((body?.published ?? []).map { .object($0.details) }),
      "repair": repairJson,
      "collection": collectionJson,
      "index": indexJson,
      "forgotten": .array((body?.forgotten ?? []).map { .string($0.description) }),
      "duty": dutyJson,
      "counters": counters.json,
    ]
  }

  /// Where new versions are looked for, and what the leader says of its last look.
  private var indexJson: Json {
    guard let url = body?.setting(IndexOrder.urlKey) else { return .null }
    return [
      "url": .string(SourceText.withoutPassword(url)),
      "text": .text(members.first { $0.id == leader }?.index),
    ]
  }

  private var leaseJson: Json {
    [
      "holder": .text(leader.map { name(of: $0) }),
      "valid": .bool(hasValidLease),
      "held_here": .bool(holdsLease),
      "remaining_ms": leaseRemaining.map { .integer($0.milliseconds) } ?? .null,
    ]
  }

  /// On the leader: whether it may act. Elsewhere: whether it was heard of within the promise.
  package var hasValidLease: Bool {
    leader == node ? holdsLease : leader != nil && leaderIsFresh
  }

  private func convergedJson(at now: Instant, wall: Int64) -> Json {
    let held = convergedSince.map { now - $0 }
    return [
      "agree": .count(agree),
      "members": .count(live),
      "since": .text(held.map { Timestamp.utc(wall - $0.nanoseconds) }),
      "for_ms": held.map { .integer($0.milliseconds) } ?? .null,
    ]
  }

  private func releaseJson(_ release: ReleaseReference?) -> Json {
    [
      "version": .text(release?.version),
      "digest": .text(release?.manifest.description),
      "repair": release.map { .count($0.repair) } ?? .null,
      "directory": .text(release?.directoryName),
    ]
  }

  /// The shared directory as this node and as every other live one sees it.
  private var storageJson: Json {
    let own = members.first { $0.id == node }
    let live = members.filter { $0.state == .alive || $0.state == .suspect }
      .sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    return [
      "state": .text(own?.storageWord), "line": .text(own?.storage),
      "volume": own?.volume?.json ?? .null,
      // Two identities may bear one name for a moment.
      "members": .array(
        live.map { ["node": .string($0.name), "state": .string($0.storageWord)] }),
    ]
  }

  private var membersSummary: Json {
    .object(
      MemberState.allCases.map { state in
        JsonMember(state.name, .count(members.count { $0.state == state }))
      })
  }

  private var rolesJson: [JsonMember] {
    guard let body else { return [] }
    let names = Dictionary(members.map { ($0.id, $0.name) }) { first, _ in first }
    return zip(body.roster, body.roles).map { id, role in
      JsonMember(names[id] ?? id.short, .string(role.name))
    }
  }

  private var dutyJson: Json {
    [
      "term": .count(duty.term),
      "role": .text(duty.role?.name),
      "run": .text(duty.run?.directoryName),
      "verify": .text(duty.verify?.directoryName),
      "fetch": .text(duty.fetch?.release.version),
    ]
  }
}

extension MemberView {
  /// The state without the next step: what stands before the colon.
  var storageWord: String { String(storage.prefix { $0 != ":" }) }
}

extension Counters {
  var json: Json {
    [
      "datagrams_received": .count(datagramsReceived),
      "datagrams_sent": .count(datagramsSent),
      "bytes_received": .count(bytesReceived),
      "bytes_sent": .count(bytesSent),
      "multicasts_sent": .count(multicastsSent),
      "records_applied": .count(recordsApplied),
      "records_forwarded": .count(recordsForwarded),
      "signatures_verified": .count(signaturesVerified),
      "probes_sent": .count(probesSent),
      "probes_failed": .count(probesFailed),
      "suspicions_refuted": .count(suspicionsRefuted),
      "repairs": .count(repairs),
      "elections": .count(elections),
      "commits": .count(commits),
      "clock_stops": .count(clockStops),
      "relays_asked": .count(relaysAsked),
      "relayed": .count(relayed),
      "dropped": .object(
        DropReason.allCases.map { JsonMember($0.name, .count(count(of: $0))) }),
    ]
  }
}
