import MusterState

/// One node's picture of the leadership, for its operator: who leads and why that is believed, who
/// votes, who promised what, and what an election waits for.
package struct LeaderView: Sendable {
  /// Why the leader is believed to be one.
  package enum Basis: Hashable, Sendable {
    /// This node was elected by these votes.
    case elected(votes: [NodeID])
    /// Its card carries these votes, checked here.
    case certified(votes: [NodeID])
    /// The register that this node holds is the leader's own of this term.
    case register
  }

  /// One voter as this node sees it.
  package struct Voter: Sendable {
    package var id: NodeID
    package var state: MemberState?
    /// What it shows; `nil` while this node has not heard it.
    package var term: UInt64?
    package var vote: NodeID?
    package var register: RegisterVersion?
    /// Whether it shows the very register that this node holds.
    package var holdsRegister: Bool
    /// Could vote now; otherwise a promise or its quarantine binds it.
    package var isFree: Bool
    /// To whom it has promised, as far as this node can know: its own promise, and on the leader
    /// those made to it.
    package var promisedTo: NodeID?
    package var promiseRemaining: TimeSpan?
    package var priority: UInt8
    /// Whether it has resigned the term that it shows.
    package var hasResigned: Bool

    package init(
      id: NodeID, state: MemberState?, term: UInt64?, vote: NodeID?, register: RegisterVersion?,
      holdsRegister: Bool, isFree: Bool, promisedTo: NodeID?, promiseRemaining: TimeSpan?,
      priority: UInt8, hasResigned: Bool
    ) {
      self.id = id
      self.state = state
      self.term = term
      self.vote = vote
      self.register = register
      self.holdsRegister = holdsRegister
      self.isFree = isFree
      self.promisedTo = promisedTo
      self.promiseRemaining = promiseRemaining
      self.priority = priority
      self.hasResigned = hasResigned
    }
  }

  package var leader: NodeID?
  package var term: UInt64
  package var basis: Basis?
  /// May act: a lease, a register committed in its term, sealed.
  package var isEffective: Bool
  /// The time left on this node's own lease, or on its promise to the leader.
  package var leaseRemaining: TimeSpan?
  package var promiseRemaining: TimeSpan?
  /// After a start this node neither votes nor stands for so long.
  package var quarantineRemaining: TimeSpan?
  package var majority: Int
  /// The name of the register that this node holds, for the operator who recovers it.
  package var registerDigest: Digest?
  package var voters: [Voter]
  /// What stands in the way of an election; empty while a leader is there or one can begin.
  package var obstacles: [String]
  /// How long a leader is to remain one for the question *is leader*, unless it says otherwise.
  package var guarantee: TimeSpan

  package init(
    leader: NodeID? = nil, term: UInt64 = 0, basis: Basis? = nil, isEffective: Bool = false,
    leaseRemaining: TimeSpan? = nil, promiseRemaining: TimeSpan? = nil,
    quarantineRemaining: TimeSpan? = nil, majority: Int = 0, registerDigest: Digest? = nil,
    voters: [Voter] = [],
    obstacles: [String] = [], guarantee: TimeSpan = Timing().guarantee
  ) {
    self.leader = leader
    self.term = term
    self.basis = basis
    self.isEffective = isEffective
    self.leaseRemaining = leaseRemaining
    self.promiseRemaining = promiseRemaining
    self.quarantineRemaining = quarantineRemaining
    self.majority = majority
    self.registerDigest = registerDigest
    self.voters = voters
    self.obstacles = obstacles
    self.guarantee = guarantee
  }

  /// Whether this node leads and will go on to for at least this long, whatever the network and
  /// the others do: the contract of *is leader*. Anything else is no.
  package func isLeader(guarantee: TimeSpan) -> Bool {
    isEffective && leaseRemaining.map { $0 >= guarantee } ?? false
  }
}

extension Peer {
  func leaderView(_ leader: NodeID?, at now: Instant) -> LeaderView {
    let term = leader == id ? durable.term : leader.flatMap { card(of: $0)?.term } ?? durable.term
    let lease = leaseUntil(voters).map { max(.zero, $0 - now) }
    func left(_ until: Instant) -> TimeSpan? { until > now ? until - now : nil }
    let isHeld = lease.map { $0 > .zero } ?? false
    return LeaderView(
      leader: leader, term: term, basis: leader.flatMap { basis(of: $0) },
      isEffective: isHeld && isEffectiveLeader, leaseRemaining: lease,
      promiseRemaining: coordination.bound?.leader == leader ? left(coordination.boundUntil) : nil,
      quarantineRemaining: left(coordination.quarantineUntil),
      majority: voters.isEmpty ? 0 : voters.count / 2 + 1,
      registerDigest: coordination.digest,
      voters: voters.map { voterView($0, at: now) },
      obstacles: isHeld || leader != nil && isFresh(leader, at: now) ? [] : obstacles(at: now),
      guarantee: timing.guarantee)
  }

  private func basis(of leader: NodeID) -> LeaderView.Basis? {
    if leader == id { return .elected(votes: coordination.certificate?.votes.map(\.voter) ?? []) }
    guard let card = card(of: leader), isCertified(card, leader) else { return nil }
    guard let certificate = card.certificate else { return .register }
    return .certified(votes: certificate.votes.map(\.voter))
  }

  private func voterView(_ voter: NodeID, at now: Instant) -> LeaderView.Voter {
    let card = card(of: voter)
    let promise = knownPromise(of: voter, at: now)
    return LeaderView.Voter(
      id: voter, state: members[voter]?.state, term: card?.term, vote: card?.vote,
      register: card?.register?.version,
      holdsRegister: card?.register.map { $0.digest == coordination.digest } ?? false,
      isFree: card?.isFree ?? false, promisedTo: promise?.leader, promiseRemaining: promise?.left,
      priority: card?.priority ?? LeaderPriority.standard,
      hasResigned: card.map { $0.resigned > 0 && $0.resigned == $0.term } ?? false)
  }

  /// Promises are made between two: a third learns only that somebody is bound.
  private func knownPromise(
    of voter: NodeID, at now: Instant
  ) -> (leader: NodeID, left: TimeSpan)? {
    if voter == id {
      guard let bound = coordination.bound, coordination.boundUntil > now else { return nil }
      return (bound.leader, coordination.boundUntil - now)
    }
    // It began after the heartbeat was sent, so it lasts at least so long.
    guard coordination.role == .leader, let number = coordination.promised[voter],
      let sent = coordination.sentAt[number], sent + timing.promise > now
    else { return nil }
    return (id, sent + timing.promise - now)
  }

  /// R7, turned round: everything that has to change before somebody stands.
  private func obstacles(at now: Instant) -> [String] {
    guard durable.founding != nil else { return ["the cluster is not founded: \(waitingFor)"] }
    var found: [String] = []
    let free = voters.filter { voter in
      voter == id && isUnbound
        || members[voter]?.state == .alive && card(of: voter)?.isFree ?? false
    }
    if free.count < voters.count / 2 + 1 {
      found.append(
        "\(voters.count / 2 + 1) of \(voters.count) voters must be alive and free; now: "
          + names(of: free))
    }
    for voter in voters where !free.contains(voter) {
      found.append("\(name(of: voter)) \(whatBinds(voter, at: now))")
    }
    if voters.allSatisfy({ (card(of: $0)?.priority ?? LeaderPriority.standard) == 0 }) {
      found.append("every voter has priority 0: none of them ever leads")
    }
    return found
  }

  private func names(of nodes: [NodeID]) -> String {
    nodes.isEmpty ? "none" : nodes.map { name(of: $0) }.joined(separator: ", ")
  }

  private func whatBinds(_ voter: NodeID, at now: Instant) -> String {
    if voter == id {
      let end = max(coordination.boundUntil, coordination.quarantineUntil)
      let what = coordination.boundUntil == end ? "a promise" : "its quarantine after the start"
      return "is bound by \(what) for \(max(.zero, end - now).milliseconds) ms more"
    }
    guard let member = members[voter] else { return "has never been heard here" }
    guard member.state == .alive else { return "is \(member.state.name)" }
    guard card(of: voter) != nil else { return "shows nothing of this founding" }
    return "is bound by a promise or by its quarantine, at most \(timing.promise.milliseconds) ms"
  }
}
