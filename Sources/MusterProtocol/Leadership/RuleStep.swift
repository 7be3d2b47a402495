import MusterState

/// One step of the rules as a model can follow it: what came in, what the rules saw, what chance
/// they drew, and what they decided. See "The model" in `proto/README.md`.
package struct RuleStep: Hashable, Sendable {
  /// What has reached this node since its last step, or was read in this one, in order.
  package enum Input: Hashable, Sendable {
    /// A life begins with what its disk holds.
    case boot(Outcome, isFresh: Bool, priority: UInt8)
    /// Whatever way it came; who gets it need not vote yet.
    case heartbeat(NodeID, term: UInt64, number: UInt64)
    case promise(NodeID, term: UInt64, number: UInt64)
    case persisted
    /// An operator's wish, outside of the rules.
    case resigned(at: Instant)
    case clockStood(at: Instant)
    /// A register was fetched, newest entry first; trusted: without its chain.
    case fetched([Entry], isTrusted: Bool)
    /// The next body that the leader wishes, or a founder's first. Whether it may propose it is a
    /// rule's matter.
    case proposal(voters: [NodeID], roster: [NodeID], isSealed: Bool, body: Digest)
    /// The leader was asked to hand over, to this voter or to whoever stands first.
    case handOver(NodeID?)
  }

  package struct Proof: Hashable, Sendable {
    package var term: UInt64
    package var leader: NodeID
    /// Those whose signature holds.
    package var voters: [NodeID]
  }

  package struct Entry: Hashable, Sendable {
    package var version: RegisterVersion
    package var digest: Digest
    package var parent: Digest?
    package var founding: FoundingID
    package var voters: [NodeID]
    package var roster: [NodeID]
    package var isSealed: Bool
    package var proposer: NodeID
    package var proof: Proof?
    package var body: Digest
    package var isSigned: Bool
  }

  /// A member as the rules see it, with the card it shows.
  package struct Seen: Hashable, Sendable {
    package var node: NodeID
    package var isLive: Bool
    package var isAlive: Bool
    package var shown: Outcome?
    package var isVoteSigned = false
    package var isFree = false
    package var isLeaving = false
    package var expect: UInt32 = 0
    package var priority: UInt8 = 0
    package var proof: Proof?
  }

  /// Where a node stands: its decisions, or as much of them as a card or a disk holds.
  package struct Outcome: Hashable, Sendable {
    package var founding: FoundingID?
    package var term: UInt64 = 0
    package var vote: NodeID?
    package var role: UInt8 = 0
    package var version = RegisterVersion.none
    package var digest: Digest?
    package var voters: [NodeID] = []
    package var isSealed = false
    package var committed = RegisterVersion.none
    package var resigned: UInt64 = 0
    package var successor: NodeID?
    package var boundTo: NodeID?
    package var boundTerm: UInt64 = 0
    package var boundNumber: UInt64 = 0
    package var boundUntil = Instant.zero
    package var leaseUntil: Instant?
    package var campaignAt: Instant?
    package var holdOffUntil = Instant.zero
    package var candidateUntil = Instant.zero
    /// A write is under way: nothing is shown or decided until it is done.
    package var isWriting = false
  }

  package var at: Instant
  package var isLeaving: Bool
  /// Whether others find this node unfit: then it does not stand for election.
  package var isLeftOut: Bool
  package var inputs: [Input]
  /// Every other member, sorted.
  package var seen: [Seen]
  package var outcome: Outcome
}

extension Coordination {
  /// Notes for the next `RuleStep`, taken only where `PeerConfiguration.tracesRules` says so.
  struct Notes: Sendable {
    var inputs: [RuleStep.Input] = []
    var seen: [RuleStep.Seen] = []
  }
}

extension Peer {
  mutating func note(_ input: RuleStep.Input) {
    guard configuration.tracesRules else { return }
    coordination.notes.inputs.append(input)
  }

  /// Notes a register that was fetched: the entries with their digests, newest first.
  mutating func note(fetched entries: [RegisterEntry], _ digests: [Digest], isTrusted: Bool) {
    guard configuration.tracesRules else { return }
    let described = describe(entries, digests)
    coordination.notes.inputs.append(.fetched(described, isTrusted: isTrusted))
  }

  mutating func note(proposal body: RegisterBody) {
    guard configuration.tracesRules else { return }
    let digest = cryptography.digest(body.encoded)
    coordination.notes.inputs.append(
      .proposal(
        voters: body.voters, roster: body.roster, isSealed: body.sealed, body: digest))
  }

  /// Before a step: what the rules are about to see.
  mutating func beginRuleStep() {
    guard configuration.tracesRules else { return }
    coordination.notes.seen = sight
  }

  /// After it: what they decided.
  mutating func endRuleStep() {
    guard configuration.tracesRules else { return }
    let notes = coordination.notes
    coordination.notes = Coordination.Notes()
    emit(
      .ruleStep(
        RuleStep(
          at: now, isLeaving: leaving.hasBegun, isLeftOut: isLeftOut, inputs: notes.inputs,
          seen: notes.seen, outcome: outcome)))
  }

  // MARK: - Describing

  var outcome: RuleStep.Outcome {
    var outcome = RuleStep.Outcome()
    outcome.founding = durable.founding
    outcome.term = durable.term
    outcome.vote = durable.vote
    outcome.role = coordination.role.rawValue
    outcome.version = coordination.entry?.version ?? .none
    outcome.digest = coordination.digest
    outcome.voters = voters
    outcome.isSealed = coordination.entry?.body.sealed ?? false
    outcome.committed = durable.committed
    outcome.resigned = coordination.resigned
    outcome.successor = coordination.successor
    outcome.boundTo = coordination.bound?.leader
    outcome.boundTerm = coordination.bound?.term ?? 0
    outcome.boundNumber = coordination.bound?.number ?? 0
    outcome.boundUntil = coordination.boundUntil
    outcome.leaseUntil = leaseUntil(voters)
    outcome.campaignAt = coordination.campaignAt
    outcome.holdOffUntil = coordination.holdOffUntil
    outcome.candidateUntil = coordination.candidateUntil
    outcome.isWriting = coordination.waitingFor != nil
    return outcome
  }

  private var sight: [RuleStep.Seen] {
    members.keys.sorted().compactMap { node in
      guard let member = members[node] else { return nil }
      var seen = RuleStep.Seen(node: node, isLive: member.isLive, isAlive: member.state == .alive)
      guard let card = coordinationCards[node] else { return seen }
      var shown = RuleStep.Outcome()
      shown.founding = card.founding
      shown.term = card.term
      shown.vote = card.vote
      shown.role = card.role.rawValue
      shown.version = card.register?.version ?? .none
      shown.digest = card.register?.digest
      shown.committed = card.committed
      shown.resigned = card.resigned
      shown.successor = card.successor
      shown.isSealed = card.isSealed
      seen.shown = shown
      seen.isVoteSigned = isVoteSigned(card, of: node)
      seen.isFree = card.isFree
      seen.isLeaving = card.isLeaving
      seen.expect = card.expect
      seen.priority = card.priority
      seen.proof = card.founding.flatMap { describe(card.certificate, in: $0) }
      return seen
    }
  }

  private func isVoteSigned(_ card: CoordinationCard, of voter: NodeID) -> Bool {
    guard let founding = card.founding, let vote = card.vote, let key = members[voter]?.card.key,
      let signature = card.voteSignature
    else { return false }
    let message = voteMessage(
      cluster: configuration.cluster, founding: founding, term: card.term, candidate: vote)
    return cryptography.isValid(signature, of: message, by: key)
  }

  private func describe(_ certificate: Certificate?, in founding: FoundingID) -> RuleStep.Proof? {
    guard let certificate else { return nil }
    let message = voteMessage(
      cluster: configuration.cluster, founding: founding, term: certificate.term,
      candidate: certificate.leader)
    let valid = certificate.votes.filter { vote in
      guard let key = members[vote.voter]?.card.key else { return false }
      return cryptography.isValid(vote.signature, of: message, by: key)
    }
    return RuleStep.Proof(
      term: certificate.term, leader: certificate.leader, voters: valid.map(\.voter))
  }

  private func describe(_ entries: [RegisterEntry], _ digests: [Digest]) -> [RuleStep.Entry] {
    zip(entries, digests).map { entry, digest in
      let key = members[entry.proposer]?.card.key
      return RuleStep.Entry(
        version: entry.version, digest: digest, parent: entry.parent,
        founding: entry.body.founding, voters: entry.body.voters, roster: entry.body.roster,
        isSealed: entry.body.sealed, proposer: entry.proposer,
        proof: describe(entry.certificate, in: entry.body.founding),
        body: cryptography.digest(entry.body.encoded),
        isSigned: key.map {
          entry.isSigned(by: $0, cluster: configuration.cluster, verifier: cryptography)
        } ?? false)
    }
  }
}
