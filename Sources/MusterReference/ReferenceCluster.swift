import MusterProtocol
import MusterSimulator

/// A cluster of the published kind (SWIM with Lifeguard, as programs use it on local networks), in
/// virtual time, on the network that Muster is simulated on. It exists to be compared with.
///
/// A reference to its members: a copy is the same cluster.
package struct ReferenceCluster {
  enum Timer: Sendable {
    case probe
    case probeTimeout(UInt32)
    case probeDeadline(UInt32)
    case gossip
    case pushPull
    case suspicion(UInt16, serial: UInt32)
    case errand(UInt32)
    case join
    /// A member that has said goodbye ends.
    case end

    var runsBlocked: Bool {
      switch self {
      case .probe, .suspicion: true
      case .probeTimeout, .probeDeadline, .gossip, .pushPull, .errand, .join, .end: false
      }
    }
  }

  /// What goes over a reliable stream.
  enum Exchange: Sendable {
    case ping(UInt32)
    case pong(UInt32)
    case state([Opinion])
    case answer([Opinion])
  }

  enum Occurrence: Sendable {
    case packet([ReferenceMessage], bytes: Int, from: Int, to: Int)
    case stream(Exchange, from: Int, to: Int)
    case timer(Timer, node: Int, life: Int)
    case turn(node: Int, life: Int)

    var node: Int {
      switch self {
      case .packet(_, _, _, let node), .stream(_, _, let node), .timer(_, let node, _),
        .turn(let node, _):
        node
      }
    }

    var isTimer: Bool {
      if case .timer = self { true } else { false }
    }
  }

  /// What a member has come to think of another.
  package struct Sighting: Hashable, Sendable {
    package enum State: Hashable, Sendable {
      case alive, suspect, dead, updated
    }

    package var observer: Int
    package var subject: Int
    package var state: State
  }

  package private(set) var now = Instant.zero
  package var network = SimulatedNetwork()
  package let settings: ReferenceSettings
  /// What the last event made its member think.
  package internal(set) var sightings: [Sighting] = []
  /// Times that an update about this member was put into a packet.
  package internal(set) var sendsOfWatched = 0
  package var watched: Int?
  var nodes: [ReferenceNode]
  var queue = EventQueue<Occurrence>()
  var dice: SimulatedDice

  package init(count: Int, seed: UInt64, settings: ReferenceSettings = ReferenceSettings()) {
    precondition(count <= Int(UInt16.max), "members are numbered in sixteen bits")
    dice = SimulatedDice(seed: seed)
    self.settings = settings
    nodes = (0..<count).map { ReferenceNode(index: $0, count: count) }
  }

  package var count: Int { nodes.count }

  // MARK: - What an experiment does

  /// Starts the first `members` in the middle of their life: all know all.
  package mutating func form(_ members: Int? = nil) {
    let members = members ?? nodes.count
    var opinions = [Opinion](repeating: .unknown, count: nodes.count)
    for index in 0..<members { opinions[index] = Opinion(.alive, incarnation: 1) }
    for index in 0..<members {
      nodes[index].opinions = opinions
      nodes[index].order = (0..<members).map { UInt16($0) }
      shuffle(nodes[index])
      begin(index)
    }
  }

  /// Starts a member that knows only where `seed` is.
  package mutating func join(_ index: Int, through seed: Int) {
    let node = nodes[index]
    node.opinions[index] = Opinion(.alive, incarnation: 1)
    node.order = [UInt16(index)]
    begin(index)
    guard seed != index else { return }
    node.seed = seed
    node.hasJoined = false
    node.updates.put(.alive(UInt16(index), incarnation: 1), about: UInt32(index))
    armGossip(index)
    offerState(from: index, to: seed)
    after(settings.joinRetry, .join, index)
  }

  private mutating func begin(_ index: Int) {
    let node = nodes[index]
    node.isRunning = true
    node.gossipPhase = dice.upTo(settings.gossipInterval)
    after(dice.upTo(settings.probeInterval), .probe, index)
    after(dice.upTo(settings.pushPull(node.order.count)), .pushPull, index)
  }

  package mutating func crash(_ index: Int) {
    nodes[index].isRunning = false
    nodes[index].isBlocked = false
    nodes[index].life += 1
    nodes[index].pending = []
  }

  /// Says that it is gone, and is so when that was passed on as often as any update: what others
  /// say of it is not refuted any more.
  package mutating func leave(_ index: Int) {
    let node = nodes[index]
    node.isLeaving = true
    spread(
      .dead(UInt16(index), incarnation: node.incarnation, by: UInt16(index)), about: index,
      by: node)
    after(settings.leaveDelay(node.order.count), .end, index)
  }

  package mutating func pause(_ index: Int) { nodes[index].isPaused = true }

  /// Timers that are overdue fire first, then what its socket has kept is read: each timer and each
  /// reader has a thread of its own, and the timers are ready.
  package mutating func resume(_ index: Int) {
    guard nodes[index].isPaused else { return }
    nodes[index].isPaused = false
    deliverPending(to: index)
  }

  /// Nothing is received, and each thread stops where it would send: the one that probes has begun
  /// its probe then. Suspicions run on.
  package mutating func block(_ index: Int) { nodes[index].isBlocked = true }

  package mutating func unblock(_ index: Int) {
    let node = nodes[index]
    guard node.isBlocked else { return }
    node.isBlocked = false
    sendBlockedProbe(node)
    deliverPending(to: index)
  }

  package mutating func starve(_ index: Int, _ span: TimeSpan) { nodes[index].starvation = span }

  /// Publishes something new about a member: an update with a higher incarnation.
  package mutating func update(_ index: Int) {
    let node = nodes[index]
    node.incarnation += 1
    node.opinions[index] = Opinion(.alive, incarnation: node.incarnation)
    spread(.alive(UInt16(index), incarnation: node.incarnation), about: index, by: node)
  }

  /// Publishes an event of the program on top.
  package mutating func publish(_ event: UInt32, by index: Int) {
    nodes[index].seenEvents.insert(event)
    nodes[index].userEvents.put(.user(event), about: event)
    armGossip(index)
  }

  package func hasSeen(_ event: UInt32, _ index: Int) -> Bool {
    nodes[index].seenEvents.contains(event)
  }

  package func isRunning(_ index: Int) -> Bool { nodes[index].isRunning }

  /// Members that this one believes to be there, itself included.
  package func live(seenBy index: Int) -> Int {
    nodes[index].opinions.count { $0.state == .alive || $0.state == .suspect }
  }

  package func incarnation(of subject: Int, seenBy index: Int) -> UInt32 {
    nodes[index].opinions[subject].incarnation
  }

  package func sent(_ index: Int) -> SimulatedTraffic { nodes[index].sent }
  package func received(_ index: Int) -> SimulatedTraffic { nodes[index].received }
  /// Segments of streams, both ways, and their payload.
  package func streamed(_ index: Int) -> SimulatedTraffic { nodes[index].streamed }

  // MARK: - Time

  package mutating func step(upTo end: Instant) -> Bool {
    guard let next = queue.next, next <= end, let event = queue.popFirst() else {
      now = max(now, end)
      return false
    }
    now = max(now, event.at)
    sightings.removeAll(keepingCapacity: true)
    dispatch(event.payload)
    return true
  }

  private mutating func dispatch(_ event: Occurrence) {
    let index = event.node
    let node = nodes[index]
    if case .turn(_, let life) = event {
      if node.life == life, !node.isPaused { deliverPending(to: index) }
      return
    }
    guard node.isRunning else { return }
    if case .timer(_, _, let life) = event, life != node.life { return }
    if hold(event, for: node) { return }
    switch event {
    case .packet(let messages, let bytes, let from, _):
      node.received.add(bytes)
      for message in messages { take(message, from: from, at: node) }
    case .stream(let exchange, let from, _): take(exchange, from: from, at: node)
    case .timer(let timer, _, _): fire(timer, at: node)
    case .turn: break
    }
  }

  private mutating func fire(_ timer: Timer, at node: ReferenceNode) {
    switch timer {
    case .probe: tick(node)
    case .probeTimeout(let sequence): askOthers(sequence, node)
    case .probeDeadline(let sequence): endProbe(sequence, node)
    case .gossip: gossip(node)
    case .pushPull: exchangeStates(node)
    case .suspicion(let subject, let serial): expire(subject, serial, node)
    case .errand(let sequence): giveUp(sequence, node)
    case .end: crash(node.index)
    case .join:
      guard !node.hasJoined, let seed = node.seed else { return }
      offerState(from: node.index, to: seed)
      after(settings.joinRetry, .join, node.index)
    }
  }

  mutating func after(_ span: TimeSpan, _ timer: Timer, _ index: Int) {
    queue.schedule(.timer(timer, node: index, life: nodes[index].life), at: now + span)
  }

  /// The same as `Simulation` does: what arrives while a member is paused, or waits for the
  /// processor, is kept.
  private mutating func hold(_ event: Occurrence, for node: ReferenceNode) -> Bool {
    if node.isBlocked {
      if case .timer(let timer, _, _) = event, timer.runsBlocked { return false }
    } else if !node.isPaused {
      guard node.starvation > .zero, node.freeAt != now else { return false }
      guard node.busyUntil > now else {
        node.busyUntil = now + dice.upTo(node.starvation)
        node.freeAt = now
        return false
      }
      if node.pending.isEmpty {
        queue.schedule(.turn(node: node.index, life: node.life), at: node.busyUntil)
      }
    }
    if node.pending.count < SimulatedNode.pendingAtMost { node.pending.append(event) }
    return true
  }

  private mutating func deliverPending(to index: Int) {
    let node = nodes[index]
    let pending = node.pending
    node.pending = []
    node.busyUntil = now
    node.freeAt = now
    for event in pending where event.isTimer { queue.schedule(event, at: now) }
    for event in pending where !event.isTimer { queue.schedule(event, at: now) }
  }

  // MARK: - Packets and streams

  mutating func send(_ messages: [ReferenceMessage], from: Int, to: Int) {
    let bytes = ReferenceMessage.bytes(messages)
    nodes[from].sent.add(bytes)
    if let watched { countSends(of: watched, in: messages) }
    let arrival = network.carry(
      bytes: bytes, over: SimulatedNetwork.Link(from, to), at: now,
      sendsUntil: &nodes[from].sendsUntil, dice: &dice)
    guard let arrival else { return }
    let packet = Occurrence.packet(messages, bytes: bytes, from: from, to: to)
    queue.schedule(packet, at: arrival.at)
    if let again = arrival.again { queue.schedule(packet, at: again) }
  }

  private mutating func countSends(of watched: Int, in messages: [ReferenceMessage]) {
    for message in messages {
      switch message {
      case .alive(let subject, _) where Int(subject) == watched: sendsOfWatched += 1
      case .user: sendsOfWatched += 1
      default: break
      }
    }
  }

  /// A stream delivers late but surely: what is lost is sent again, after one second where it is
  /// the connection's first segment, after a fifth of a second later. It fails where nobody is
  /// there, or where one direction is cut.
  mutating func stream(
    _ exchange: Exchange, bytes: Int, from: Int, to: Int, isAnswer: Bool = false
  ) {
    let segments = 1 + bytes / 1_448
    let ceremony = isAnswer ? 3 : 4
    nodes[from].streamed.datagrams += segments + ceremony
    nodes[from].streamed.bytes += bytes
    // The other end acknowledges every second segment.
    nodes[to].streamed.datagrams += segments / 2
    guard network.isOpen(from: from, to: to), network.isOpen(from: to, to: from) else { return }
    var delay = network.delay + dice.upTo(network.jitter)
    if !isAnswer {
      guard
        let there = retransmitted(from: from, to: to, first: .seconds(1)),
        let back = retransmitted(from: to, to: from, first: .seconds(1))
      else { return }
      delay = delay + there + back + network.delay * 2
    }
    guard let carried = retransmitted(from: from, to: to, first: .milliseconds(200)) else { return }
    queue.schedule(.stream(exchange, from: from, to: to), at: now + delay + carried)
  }

  private mutating func retransmitted(from: Int, to: Int, first: TimeSpan) -> TimeSpan? {
    let loss = network.loss(from: from, to: to)
    guard loss > 0 else { return .zero }
    var total = TimeSpan.zero
    var wait = first
    for _ in 0..<6 {
      if dice.below(1_000) >= loss { return total }
      total = total + wait
      wait = wait * 2
    }
    return nil
  }
}
