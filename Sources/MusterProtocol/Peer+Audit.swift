import MusterState

/// What a checker may know of a peer beyond its effects: values, cheap enough to take after every
/// event. Nothing here is for an operator; that is `ClusterView`.
package struct PeerAudit: Hashable, Sendable {
  package var founding: FoundingID?
  package var term: UInt64
  package var vote: NodeID?
  package var isLeader: Bool
  package var isCandidate: Bool
  /// The register held; it may wait for its write.
  package var register: RegisterVersion
  package var registerDigest: Digest?
  package var committed: RegisterVersion
  package var isSealed: Bool
  /// On the peer's own clock; `nil` without the role of a leader.
  package var leaseUntil: Instant?
  /// When the promise and the quarantine end, on the peer's own clock.
  package var boundUntil: Instant
  package var quarantineUntil: Instant
  /// Sees a lease of its own that allows it to act.
  package var isEffective: Bool
}

/// One link of the chain of registers.
package struct RegisterLink: Hashable, Sendable {
  package var digest: Digest
  package var version: RegisterVersion
  package var parent: Digest?
  package var body: RegisterBody
}

/// What a node has shown in its coordination card.
package struct ShownState: Hashable, Sendable {
  package var founding: FoundingID?
  package var term: UInt64
  package var vote: NodeID?
  package var register: RegisterVersion
  package var registerDigest: Digest?
  package var committed: RegisterVersion
  package var isFree: Bool
  package var resigned: UInt64
  package var isSealed: Bool
}

/// What a disk holds: the same things as `ShownState`, as they would be after a crash.
package struct DurableAudit: Hashable, Sendable {
  package var founding: FoundingID?
  package var term: UInt64
  package var vote: NodeID?
  package var register: RegisterVersion
  package var committed: RegisterVersion
  /// What the node would act on after a restart.
  package var committedBody: RegisterBody?
  package var entryBytes: [UInt8]
  /// Of the register held, committed or not.
  package var heldBody: RegisterBody?

  /// - Returns: `nil` when the bytes are no state of this protocol.
  package init?(decoding bytes: [UInt8]) {
    guard let durable = try? Durable(decoding: bytes) else { return nil }
    founding = durable.founding
    term = durable.term
    vote = durable.vote
    let held = try? RegisterEntry(decoding: durable.entry)
    register = held?.version ?? .none
    heldBody = held?.body
    committed = durable.committed
    committedBody = (try? RegisterEntry(decoding: durable.committedEntry))?.body
    entryBytes = durable.entry
  }
}

extension Peer {
  package var audit: PeerAudit {
    PeerAudit(
      founding: durable.founding, term: durable.term, vote: durable.vote,
      isLeader: coordination.role == .leader, isCandidate: coordination.role == .candidate,
      register: coordination.entry?.version ?? .none, registerDigest: coordination.digest,
      committed: durable.committed, isSealed: coordination.entry?.body.sealed ?? false,
      leaseUntil: ownLeaseUntil, boundUntil: coordination.boundUntil,
      quarantineUntil: coordination.quarantineUntil, isEffective: isEffectiveLeader)
  }

  /// When the own lease ends, on this peer's clock; asked after every event, without the rest.
  package var ownLeaseUntil: Instant? { leaseUntil(voters) }

  /// The register held, with what it builds on.
  package var registerLink: RegisterLink? {
    guard let entry = coordination.entry, let digest = coordination.digest else { return nil }
    return RegisterLink(
      digest: digest, version: entry.version, parent: entry.parent, body: entry.body)
  }

  /// Whether its founding continues another by an operator's decision.
  package var isRecovered: Bool { !(coordination.entry?.body.recoveries.isEmpty ?? true) }

  /// The body that this node acts on.
  package var committedRegister: RegisterBody? { coordination.committedEntry?.body }

  package var shownState: ShownState? {
    guard let card = coordinationCards[id] else { return nil }
    return ShownState(
      founding: card.founding, term: card.term, vote: card.vote,
      register: card.register?.version ?? .none, registerDigest: card.register?.digest,
      committed: card.committed, isFree: card.isFree, resigned: card.resigned,
      isSealed: card.isSealed)
  }

  /// What this node says of a plan, and of which.
  package var shownAcknowledgement: (plan: PlanID, said: Acknowledgement)? {
    guard let card = workCards[id], let plan = card.plan, let said = card.acknowledgement else {
      return nil
    }
    return (plan, said)
  }

  /// Every record held, by author and name.
  package var records: [Record] {
    (0..<Limits.buckets).flatMap { bucket in
      let range = RecordStore.range(of: bucket)
      return store.entries(from: range.lowerBound, through: range.upperBound).compactMap {
        store[$0.key]
      }
    }
  }

  /// Who is believed alive, dead or gone.
  package func state(of node: NodeID) -> MemberState? { members[node]?.state }

  package var memberCount: Int { members.count }
  package var liveCount: Int { ring.count }
  package var believedLeader: NodeID? { leaderHint }
  package var stateFingerprint: UInt64 { viewFingerprint }

  /// How full each bounded table is, with its limit: see "Limits" in `proto/README.md`.
  package var occupancy: [(table: String, count: Int, limit: Int)] {
    [
      ("members", members.count, Limits.members),
      ("contacts", contacting.attempts.count, Limits.contacts + configuration.join.count),
      ("chunks", chunks.count, Limits.chunks),
      ("registers", coordination.history.count, Limits.registers),
      ("voters", coordination.entry?.body.voters.count ?? 0, Limits.voters),
      ("roster", coordination.entry?.body.roster.count ?? 0, Limits.roster),
      ("requests", asking.questions.count, Limits.answers),
      ("records of one author", mostRecordsOfOneAuthor, Limits.recordsPerAuthor),
    ]
  }

  private var mostRecordsOfOneAuthor: Int {
    members.keys.reduce(0) { max($0, store.count(of: $1)) }
  }
}
