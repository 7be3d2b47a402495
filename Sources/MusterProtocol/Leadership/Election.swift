import MusterState

/// The rules R2 to R16: see "Leader" in `proto/README.md`, where each is given with its reason.
extension Peer {
  /// R3 and R4: follow a certified leader of a higher term, promise to its heartbeats, learn what
  /// is committed, and be released by its resignation.
  mutating func follow() {
    if let leader = highestCertifiedLeader, let shown = card(of: leader) {
      if shown.term > durable.term {
        stepDown()
        durable.term = shown.term
        durable.vote = nil
        durable.voteSignature = nil
        return
      }
      if coordination.role == .candidate { stepDown() }
      promise(to: leader, term: shown.term)
      learnCommitted(from: shown)
    }
    releaseByResignation()
    catchUpTerm()
  }

  /// Queries stand apart from the mutating rules: a closure in a mutating function would copy
  /// the whole peer.
  var highestCertifiedLeader: NodeID? {
    var best: (node: NodeID, term: UInt64)?
    for node in coordinationCards.leaders where node != id && ring.contains(node) {
      guard let card = card(of: node), card.role == .leader, card.term >= leastLeaderTerm,
        card.term > best?.term ?? 0, isCertified(card, node) || plants(.uncertifiedLeader)
      else { continue }
      best = (node, card.term)
    }
    return best?.node
  }

  /// R3: a voter follows nobody below its own term. Who votes for nobody may have stood in vain, as
  /// a voter of former days, for terms that nobody else will ever reach; it follows whoever the
  /// votes of others have made leader of the register that it holds, or of a later one.
  var leastLeaderTerm: UInt64 {
    guard !isVoter, let entry = coordination.entry else { return durable.term }
    return min(durable.term, entry.version.term)
  }

  private var highestVoterTerm: UInt64 {
    if plants(.termOfAnyone) { return ring.reduce(0) { max($0, card(of: $1)?.term ?? 0) } }
    return voters.reduce(0) { max($0, card(of: $1)?.term ?? 0) }
  }

  private mutating func promise(to leader: NodeID, term: UInt64) {
    guard coordination.role == .follower, let pending = coordination.heartbeat,
      pending.leader == leader, pending.beat.term == term,
      term == durable.term || mayPromiseBelowOwnTerm(to: leader)
    else { return }
    coordination.heartbeat = nil
    let next = Coordination.Bound(leader: leader, term: term, number: pending.beat.number)
    if let bound = coordination.bound, bound.leader == leader, bound.term == term,
      bound.number >= next.number
    {
      // Promised already: said again only to a leader that cannot have heard it.
      relayPromise(bound, by: pending.relays)
      return
    }
    coordination.bound = next
    coordination.boundUntil = now + timing.promise
    coordination.campaignAt = nil
    coordination.isNamed = false
    if pending.isDirect {
      var frame = Frame()
      frame.promise = pending.beat
      send(frame, to: leader)
    }
    relayPromise(next, by: pending.relays)
  }

  /// Only whom no other promise binds: the resignation of this leader must not end that one.
  private func mayPromiseBelowOwnTerm(to leader: NodeID) -> Bool {
    !isVoter && (isUnbound || coordination.bound?.leader == leader)
  }

  /// A register of the leader's own term lies on the leader's chain, so what the leader has
  /// committed up to it is committed in mine too; one of an older term may have been lost.
  private mutating func learnCommitted(from leader: CoordinationCard) {
    guard let held = coordination.entry?.version,
      held.term == leader.term || held == leader.committed
    else { return }
    let known = min(leader.committed, held)
    guard known > durable.committed else { return }
    noteCommitted(known)
  }

  /// R4: a resignation ends the promise made to that leader. Being dead does not.
  private mutating func releaseByResignation() {
    guard let bound = coordination.bound, bound.leader != id,
      let shown = card(of: bound.leader), shown.resigned >= bound.term,
      coordination.boundUntil > now
    else { return }
    coordination.boundUntil = now
    coordination.isDirty = true
    guard let successor = shown.successor, shown.resigned == durable.term else { return }
    // The others leave it the time of one candidacy.
    coordination.holdOffUntil = successor == id ? now : now + timing.candidateTimeoutMaximum
    coordination.isNamed = successor == id
  }

  /// R5: take up the highest term that a voter shows, when nothing binds me.
  private mutating func catchUpTerm() {
    guard isUnbound, !plants(.noTermCatchUp) else { return }
    let highest = highestVoterTerm
    guard highest > durable.term else { return }
    stepDown()
    durable.term = highest
    durable.vote = nil
    durable.voteSignature = nil
    holdOff()
  }

  /// R6: one vote a term, to a voter that holds at least my register, and never while promised;
  /// no exception for the leader I am promised to.
  mutating func vote() {
    guard coordination.role == .follower, mayVote, let founding = durable.founding,
      let held = coordination.entry?.version, let chosen = bestCandidate(holding: held)
    else { return }
    cast(vote: chosen.node, in: chosen.term, founding)
    holdOff()
  }

  private var mayVote: Bool {
    if plants(.voteWhilePromised) { return true }
    if plants(.ownLeaderException), let bound = coordination.bound,
      card(of: bound.leader)?.role == .candidate
    {
      return now >= coordination.quarantineUntil
    }
    return isUnbound
  }

  /// The candidate of the highest term that holds at least my register; of equals the smallest.
  private func bestCandidate(holding held: RegisterVersion) -> (node: NodeID, term: UInt64)? {
    var best: (node: NodeID, term: UInt64)?
    for node in voters where node != id {
      guard let card = card(of: node), card.role == .candidate, card.vote == node,
        let shown = card.register?.version,
        shown >= held || plants(.voterIgnoresRegister),
        card.term > durable.term || card.term == durable.term && durable.vote == nil,
        card.term > best?.term ?? 0
      else { continue }
      best = (node, card.term)
    }
    return best
  }

  private mutating func cast(vote candidate: NodeID, in term: UInt64, _ founding: FoundingID) {
    durable.term = term
    durable.vote = candidate
    durable.voteSignature = cryptography.sign(
      voteMessage(
        cluster: configuration.cluster, founding: founding, term: term, candidate: candidate))
  }

  private mutating func holdOff() {
    coordination.campaignAt = nil
    coordination.holdOffUntil =
      now
      + generator.span(
        timing.candidateTimeoutMinimum.nanoseconds...timing.candidateTimeoutMaximum.nanoseconds)
  }

  /// R7 and R8: stand for election when a majority of the voters is alive and free; win with
  /// their votes.
  mutating func campaign() {
    if coordination.role == .candidate {
      countVotes()
      return
    }
    guard coordination.role == .follower, isVoter, isUnbound, now >= coordination.holdOffUntil,
      !leaving.hasBegun, !isLeftOut, configuration.priority > 0, hasFreeMajority
    else {
      coordination.campaignAt = nil
      return
    }
    let campaignAt = coordination.campaignAt ?? now + campaignDelay()
    coordination.campaignAt = campaignAt
    guard now >= campaignAt, let founding = durable.founding else { return }
    coordination.campaignAt = nil
    coordination.isNamed = false
    let highest = highestVoterTerm
    counters.elections += 1
    coordination.role = .candidate
    cast(vote: id, in: max(highest, durable.term) + 1, founding)
    coordination.candidateUntil =
      now
      + generator.span(
        timing.candidateTimeoutMinimum.nanoseconds...timing.candidateTimeoutMaximum.nanoseconds)
  }

  /// Only voters that could vote for me: one that holds a newer register never would, and a term
  /// that cannot be won is one that others have to climb over.
  private var hasFreeMajority: Bool {
    guard let held = coordination.entry?.version else { return false }
    return isMajority { voter in
      guard voter != id else { return true }
      guard members[voter]?.state == .alive, let card = card(of: voter) else { return false }
      return card.isFree
        && (card.register?.version ?? held <= held || plants(.voterIgnoresRegister))
    }
  }

  /// Whom the last leader has named stands at once; the others one after the other.
  private mutating func campaignDelay() -> TimeSpan {
    if coordination.isNamed { return .zero }
    return timing.campaignStagger * rankAmongVoters + generator.upTo(timing.campaignJitter)
  }

  /// The place among the live voters that may stand: by priority, then by identity. Who has not
  /// shown this founding yet has shown its priority before.
  private var rankAmongVoters: Int64 {
    let own = (priority: configuration.priority, node: id)
    let before = voters.filter { voter in
      guard voter != id, members[voter]?.state == .alive, let card = coordinationCards[voter],
        card.priority > 0, card.resigned == 0 || card.resigned < durable.term
      else { return false }
      return card.priority != own.priority ? card.priority > own.priority : voter < own.node
    }
    return Int64(before.count)
  }

  private func votesForMe(_ founding: FoundingID) -> [Certificate.Vote] {
    voters.compactMap { voter -> Certificate.Vote? in
      guard let card = card(of: voter), card.term == durable.term, card.vote == id,
        let signature = card.voteSignature, let key = members[voter]?.card.key
      else { return nil }
      let message = voteMessage(
        cluster: configuration.cluster, founding: founding, term: durable.term, candidate: id)
      guard voter == id || cryptography.isValid(signature, of: message, by: key) else { return nil }
      return Certificate.Vote(voter: voter, signature: signature)
    }
  }

  private mutating func countVotes() {
    guard let founding = durable.founding else { return }
    let votes = votesForMe(founding)
    let majority = voters.count / 2 + 1
    if votes.count >= majority {
      win(Certificate(term: durable.term, leader: id, votes: Array(votes.prefix(majority))))
    } else if now >= coordination.candidateUntil {
      coordination.role = .follower
      holdOff()
    }
  }

  /// R8: the same body under the new term, so that the register's version names its leader.
  private mutating func win(_ certificate: Certificate) {
    guard let old = coordination.entry, let parent = coordination.digest else { return }
    coordination.role = .leader
    coordination.certificate = certificate
    coordination.successor = nil
    coordination.number = 0
    coordination.sentAt = [:]
    coordination.promised = [:]
    coordination.relaying = Relaying()
    coordination.newcomer = nil
    coordination.electedAt = now
    coordination.nextHeartbeat = now
    coordination.stuckSince = nil
    coordination.quietSince = nil
    coordination.phase = nil
    adopt(
      RegisterEntry.make(
        version: RegisterVersion(term: durable.term, count: old.version.count), parent: parent,
        body: old.body, certificate: certificate, proposer: id, cluster: configuration.cluster,
        signer: cryptography))
  }

  mutating func stepDown() {
    guard coordination.role != .follower else { return }
    coordination.role = .follower
    coordination.certificate = nil
    coordination.number = 0
    coordination.sentAt = [:]
    coordination.promised = [:]
    coordination.isDirty = true
  }

  /// R14: the lease is dropped before the resignation is shown.
  mutating func resign() {
    guard coordination.role == .leader else { return }
    coordination.resigned = durable.term
    if plants(.resignBeforeDrop) {
      coordination.boundUntil = now
      return
    }
    stepDown()
    coordination.boundUntil = now
  }

  /// An operator's step-down: this node lets the others stand first, the named one before all.
  mutating func resign(inFavourOf successor: NodeID?) {
    resign()
    coordination.successor = successor
    coordination.holdOffUntil = now + timing.promise
  }

  // MARK: - Certificates

  /// Whether a leader's claim carries the votes of a majority of my register's voters.
  func isCertified(_ card: CoordinationCard, _ node: NodeID) -> Bool {
    if let entry = coordination.entry, entry.version.term == card.term, entry.proposer == node {
      return true
    }
    guard let certificate = card.certificate, certificate.term == card.term,
      certificate.leader == node, let entry = coordination.entry
    else { return false }
    let question = Verdicts.Question(
      certificate: certificate, voters: entry.body.voters, founding: entry.body.founding)
    return coordination.verdicts[question] ?? false
  }

  func isValid(_ certificate: Certificate, voters: [NodeID], founding: FoundingID) -> Bool {
    let message = voteMessage(
      cluster: configuration.cluster, founding: founding, term: certificate.term,
      candidate: certificate.leader)
    let valid = certificate.votes.filter { vote in
      guard voters.contains(vote.voter) else { return false }
      guard let key = vote.voter == id ? cryptography.publicKey : members[vote.voter]?.card.key
      else { return false }
      return cryptography.isValid(vote.signature, of: message, by: key)
    }
    return valid.count >= voters.count / 2 + 1
  }
}
