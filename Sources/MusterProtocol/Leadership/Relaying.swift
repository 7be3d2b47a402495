import MusterState

/// The way that a promise took to its leader.
enum PromiseWay: Hashable, Sendable {
  /// Sealed by the voter, in answer to a heartbeat that came straight.
  case direct
  /// Signed by the voter: passed on by this member, or sent by the voter itself.
  case relayed(by: NodeID)
}

/// What a leader knows of the ways to its voters, and how much was relayed for whom. See "Relays"
/// in `proto/README.md`.
struct Relaying: Sendable {
  /// When a voter last answered straight.
  var answered: [NodeID: Instant] = [:]
  /// The relay by which a voter's promise came last: it reaches both.
  var proven: [NodeID: (relay: NodeID, at: Instant)] = [:]
  /// How many relays were tried for a voter, so that all get their turn.
  var tries: [NodeID: Int] = [:]
  private var second = Instant.zero
  private var taken: [NodeID: Int] = [:]

  mutating func note(promiseOf voter: NodeID, via way: PromiseWay, at now: Instant) {
    switch way {
    case .direct:
      answered[voter] = now
      proven[voter] = nil
      tries[voter] = nil
    case .relayed(let relay):
      if relay != voter { proven[voter] = (relay, now) }
    }
  }

  /// Whether one more of this member may be taken now.
  mutating func allows(_ sender: NodeID, at now: Instant) -> Bool {
    if now - second >= .seconds(1) {
      second = now
      taken = [:]
    }
    let count = taken[sender] ?? 0
    guard count < Limits.relaysPerSecond else { return false }
    taken[sender] = count + 1
    return true
  }
}

extension Peer {
  // MARK: - At the ends

  /// A voter that has not answered straight for two heartbeats is also asked through others.
  mutating func relayHeartbeats() {
    let beat = Frame.Heartbeat(term: durable.term, number: coordination.number)
    for voter in voters where voter != id && isOverdue(voter) {
      let relays = relays(to: voter)
      coordination.relaying.tries[voter, default: 0] += relays.count
      guard !relays.isEmpty, let signed = signed(.heartbeat, beat, leader: id, voter: voter)
      else { continue }
      var frame = Frame()
      frame.relayedHeartbeat = signed
      for relay in relays { send(frame, to: relay) }
      counters.relaysAsked += UInt64(relays.count)
    }
  }

  private func isOverdue(_ voter: NodeID) -> Bool {
    guard members[voter]?.isLive ?? false else { return false }
    let answered = coordination.relaying.answered[voter] ?? coordination.electedAt
    return now - answered > timing.heartbeat * 2
  }

  /// Two members: the one that has brought an answer before, and the others in turn, those that
  /// are known to hear this leader first.
  private func relays(to voter: NodeID) -> [NodeID] {
    let relaying = coordination.relaying
    let others = ring.filter { $0 != id && $0 != voter && members[$0]?.state == .alive }
    guard !others.isEmpty else { return [] }
    let isHeard = { (node: NodeID) -> Bool in
      relaying.answered[node].map { now - $0 <= timing.heartbeat * 2 } ?? false
    }
    let order = others.filter(isHeard) + others.filter { !isHeard($0) }
    var chosen: [NodeID] = []
    if let proven = relaying.proven[voter], now - proven.at < timing.lease,
      others.contains(proven.relay)
    {
      chosen = [proven.relay]
    }
    let start = relaying.tries[voter] ?? 0
    for step in order.indices where chosen.count < Limits.relays {
      let node = order[(start + step) % order.count]
      if !chosen.contains(node) { chosen.append(node) }
    }
    return chosen
  }

  /// Answers a heartbeat that came through relays: through the same, and straight, where that way
  /// is cut in one direction only.
  mutating func relayPromise(_ bound: Coordination.Bound, by relays: [NodeID]) {
    let beat = Frame.Heartbeat(term: bound.term, number: bound.number)
    guard !relays.isEmpty, let signed = signed(.promise, beat, leader: bound.leader, voter: id)
    else { return }
    var frame = Frame()
    frame.relayedPromise = signed
    for relay in relays + [bound.leader] { send(frame, to: relay) }
    counters.relaysAsked += UInt64(relays.count)
  }

  private func signed(
    _ kind: RelayedBeat.Kind, _ beat: Frame.Heartbeat, leader: NodeID, voter: NodeID
  ) -> RelayedBeat? {
    guard let founding = durable.founding else { return nil }
    let message = RelayedBeat.message(
      kind, beat, leader: leader, voter: voter, cluster: configuration.cluster,
      founding: founding)
    return RelayedBeat(
      leader: leader, voter: voter, beat: beat, signature: cryptography.sign(message))
  }

  // MARK: - In between

  mutating func take(relayedHeartbeat part: RelayedBeat, from sender: NodeID) {
    let (author, target) = (part.leader, part.voter)
    guard isMine(part, .heartbeat, of: author, to: target, from: sender) else { return }
    take(heartbeat: part.beat, from: author, via: sender)
  }

  mutating func take(relayedPromise part: RelayedBeat, from sender: NodeID) {
    let (author, target) = (part.voter, part.leader)
    guard isMine(part, .promise, of: author, to: target, from: sender) else { return }
    take(promise: part.beat, from: author, via: .relayed(by: sender))
  }

  /// Whether it is for this node and its author's. What is for another one is passed on.
  private mutating func isMine(
    _ part: RelayedBeat, _ kind: RelayedBeat.Kind, of author: NodeID, to target: NodeID,
    from sender: NodeID
  ) -> Bool {
    guard coordination.relaying.allows(sender, at: now) else {
      counters.drop(.rateLimited)
      return false
    }
    guard target == id else {
      var frame = Frame()
      switch kind {
      case .heartbeat: frame.relayedHeartbeat = part
      case .promise: frame.relayedPromise = part
      }
      pass(frame, of: author, to: target, from: sender)
      return false
    }
    guard author != id, isAuthentic(part, kind, by: author) else {
      counters.drop(.badSignature)
      return false
    }
    return true
  }

  private func isAuthentic(
    _ part: RelayedBeat, _ kind: RelayedBeat.Kind, by author: NodeID
  ) -> Bool {
    guard let founding = durable.founding, let key = members[author]?.card.key else {
      return false
    }
    let message = RelayedBeat.message(
      kind, part.beat, leader: part.leader, voter: part.voter, cluster: configuration.cluster,
      founding: founding)
    return cryptography.isValid(part.signature, of: message, by: key)
  }

  /// Passes on what its author has sent, once, to the one it is for, when both vote here: one
  /// datagram in is at most one out, and nothing goes in circles.
  private mutating func pass(
    _ frame: Frame, of author: NodeID, to target: NodeID, from sender: NodeID
  ) {
    guard sender == author, target != author, voters.contains(author), voters.contains(target),
      members[target]?.isLive ?? false
    else {
      counters.drop(.misrouted)
      return
    }
    counters.relayed += 1
    send(frame, to: target)
  }
}
