import MusterState

/// The rules R2 to R16: see "Leader" in `proto/README.md`, where each is given with its reason.
extension Peer {
  /// R3 and R4: follow a certified leader of a higher term, promise to its heartbeats, learn what
  /// is committed, and be released by its resignation.
  mutating func follow() {
    let leaders = ring.filter { node in
      guard node != id, let card = card(of: node), card.role == .leader else { return false }
      return card.term >= durable.term && isCertified(card, node)
    }
    if let leader = leaders.max(by: { (card(of: $0)?.term ?? 0) < (card(of: $1)?.term ?? 0) }),
      let shown = card(of: leader)
    {
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

  private mutating func promise(to leader: NodeID, term: UInt64) {
    guard coordination.role == .follower, let pending = coordination.heartbeat,
      pending.from == leader, pending.beat.term == term, pending.beat.term == durable.term
    else { return }
    coordination.heartbeat = nil
    if let bound = coordination.bound, bound.leader == leader, bound.term == term,
      bound.number >= pending.beat.number
    {
      return
    }
    coordination.bound = Coordination.Bound(
      leader: leader, term: term, number: pending.beat.number)
    coordination.boundUntil = now + timing.promise
    coordination.campaignAt = nil
    var frame = Frame()
    frame.promise = pending.beat
    send(frame, to: leader)
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
  }

  /// R5: take up the highest term that a voter shows, when nothing binds me.
  private mutating func catchUpTerm() {
    guard isUnbound else { return }
    let highest = voters.compactMap { card(of: $0)?.term }.max() ?? 0
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
    guard coordination.role == .follower, isUnbound, let founding = durable.founding,
      let held = coordination.entry?.version
    else { return }
    let candidates = voters.filter { node in
      guard node != id, let card = card(of: node), card.role == .candidate, card.vote == node,
        let shown = card.register?.version, shown >= held
      else { return false }
      return card.term > durable.term || card.term == durable.term && durable.vote == nil
    }
    guard
      let chosen = candidates.max(by: {
        let left = card(of: $0)?.term ?? 0
        let right = card(of: $1)?.term ?? 0
        return left != right ? left < right : $0 > $1
      }), let term = card(of: chosen)?.term
    else { return }
    cast(vote: chosen, in: term, founding)
    holdOff()
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
      !leaving.hasBegun,
      isMajority({ $0 == id || members[$0]?.state == .alive && card(of: $0)?.isFree ?? false })
    else {
      coordination.campaignAt = nil
      return
    }
    guard let campaignAt = coordination.campaignAt else {
      let alive = voters.filter { $0 == id || members[$0]?.state == .alive }
      let rank = Int64(alive.firstIndex(of: id) ?? 0)
      coordination.campaignAt =
        now + timing.campaignStagger * rank + generator.upTo(timing.campaignJitter)
      return
    }
    guard now >= campaignAt, let founding = durable.founding else { return }
    coordination.campaignAt = nil
    let highest = voters.compactMap { card(of: $0)?.term }.max() ?? 0
    counters.elections += 1
    coordination.role = .candidate
    cast(vote: id, in: max(highest, durable.term) + 1, founding)
    coordination.candidateUntil =
      now
      + generator.span(
        timing.candidateTimeoutMinimum.nanoseconds...timing.candidateTimeoutMaximum.nanoseconds)
  }

  private mutating func countVotes() {
    guard let founding = durable.founding else { return }
    let votes = voters.compactMap { voter -> Certificate.Vote? in
      guard let card = card(of: voter), card.term == durable.term, card.vote == id,
        let signature = card.voteSignature, let key = members[voter]?.card.key
      else { return nil }
      let message = voteMessage(
        cluster: configuration.cluster, founding: founding, term: durable.term, candidate: id)
      guard voter == id || cryptography.isValid(signature, of: message, by: key) else { return nil }
      return Certificate.Vote(voter: voter, signature: signature)
    }
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
    coordination.number = 0
    coordination.sentAt = [:]
    coordination.promised = [:]
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
    stepDown()
    coordination.boundUntil = now
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
    return isValid(certificate, voters: entry.body.voters, founding: entry.body.founding)
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
