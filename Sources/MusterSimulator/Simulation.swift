import MusterProtocol
import MusterState

/// A whole cluster in one thread, in virtual time, from one seed. It drives the very same `Peer`
/// as the daemon, with its real wire coding.
package struct Simulation: Sendable {
  /// One simulated machine.
  package struct Node: Sendable {
    package let address: Address
    package let name: String
    package let identity: UInt64
    package var peer: Peer?
    /// What is on its disk.
    package var disk: [UInt8]?
    package var incarnation: UInt64 = 0
    package var isPaused = false
    package var isMember = true
    /// Everything that happened there, with its time.
    package var events: [(at: Instant, event: Event)] = []
    package var replies: [UInt64: Reply] = [:]
    package var stopped: StopReason?
    package var duty = Duty()
    var pending: [Occurrence] = []
    /// The timer that is in the queue.
    var timer: Instant?
    var life = 0
  }

  enum Occurrence: Sendable {
    case datagram([UInt8], from: Address, to: Int)
    case timer(node: Int, life: Int)
    case persisted([UInt8], ticket: UInt64, node: Int, life: Int)
  }

  private struct Scheduled: Sendable {
    var at: Instant
    var serial: UInt64
    var event: Occurrence
  }

  package private(set) var now = Instant.zero
  package var nodes: [Node] = []
  package var network = SimulatedNetwork()
  package private(set) var datagrams = 0
  package private(set) var bytes = 0
  /// Called for each duty, so that a test can play the agent.
  package var agent: @Sendable (Duty) -> LocalStatus? = { _ in nil }
  package var timing = Timing()
  package let expect: UInt32
  /// Nodes booted from now on tell each step of their rules.
  package var tracesRules = false
  private var queue: [Scheduled] = []
  private var serial: UInt64 = 0
  private var dice: SimulatedDice
  private let cluster = ClusterID(Bytes16(high: 0x6d75_7374, low: 1))
  private var byAddress: [Address: Int] = [:]

  package init(seed: UInt64, expect: UInt32) {
    dice = SimulatedDice(seed: seed)
    self.expect = expect
  }

  /// Adds a machine; it is off until `boot`.
  @discardableResult
  package mutating func add(name: String? = nil) -> Int {
    let index = nodes.count
    let address = Address(v4: 0x7f4d_0000 + UInt32(index) + 1, port: 7_946)
    nodes.append(
      Node(
        address: address, name: name ?? "node/\(index)", identity: dice.next()))
    byAddress[address] = index
    return index
  }

  package func id(_ index: Int) -> NodeID? { nodes[index].peer?.id }

  /// Starts a machine's daemon, with whatever its disk holds.
  package mutating func boot(
    _ index: Int, join: [Address] = [], multicast: Bool = true, founds: Bool = false
  ) {
    precondition(nodes[index].peer == nil, "a machine runs one daemon")
    let isFresh = nodes[index].incarnation == 0
    nodes[index].incarnation += 1
    nodes[index].life += 1
    var configuration = PeerConfiguration(
      cluster: cluster, clusterName: "simulated", expect: expect,
      authority: SimulatedCryptography(identity: 999, cluster: 1).publicKey,
      name: nodes[index].name,
      incarnation: Incarnation(counter: nodes[index].incarnation, boot: dice.next()),
      isFreshIdentity: isFresh, address: nodes[index].address, join: join,
      usesMulticast: multicast, founds: founds, software: "simulated", timing: timing,
      seed: Bytes32(
        first: Bytes16(high: dice.next(), low: dice.next()),
        second: Bytes16(high: dice.next(), low: dice.next())))
    configuration.tracesRules = tracesRules
    do throws(PeerError) {
      nodes[index].peer = try Peer(
        configuration: configuration, durable: nodes[index].disk,
        cryptography: SimulatedCryptography(identity: nodes[index].identity, cluster: 1), at: now)
    } catch {
      preconditionFailure("a disk that a peer wrote is read by a peer: \(error)")
    }
    nodes[index].stopped = nil
    tell(index, .start)
  }

  /// The daemon ends at once; what was not on disk is lost.
  package mutating func crash(_ index: Int) {
    nodes[index].peer = nil
    nodes[index].timer = nil
    nodes[index].life += 1
  }

  package mutating func pause(_ index: Int) { nodes[index].isPaused = true }

  /// What arrived meanwhile is delivered now.
  package mutating func resume(_ index: Int) {
    nodes[index].isPaused = false
    let pending = nodes[index].pending
    nodes[index].pending = []
    for event in pending { dispatch(event) }
    schedule(.timer(node: index, life: nodes[index].life), at: now)
  }

  package mutating func command(_ index: Int, _ command: Command, ticket: UInt64) {
    tell(index, .command(command, ticket: ticket))
  }

  package mutating func report(_ index: Int, _ status: LocalStatus) {
    tell(index, .status(status))
  }

  package mutating func inject(_ datagram: [UInt8], from: Address, to index: Int) {
    tell(index, .datagram(datagram, from: from))
  }

  /// Runs for a length of virtual time.
  package mutating func run(for span: TimeSpan) { run(until: now + span) { _ in false } }

  /// Runs until `condition` holds, looked at after each event; `nil` when `limit` came first.
  @discardableResult
  package mutating func run(
    within limit: TimeSpan, until condition: (Simulation) -> Bool
  ) -> TimeSpan? {
    let start = now
    return run(until: now + limit, condition) ? now - start : nil
  }

  @discardableResult
  private mutating func run(until end: Instant, _ condition: (Simulation) -> Bool) -> Bool {
    if condition(self) { return true }
    while let first = queue.first, first.at <= end {
      popFirst()
      now = first.at
      dispatch(first.event)
      if condition(self) { return true }
    }
    now = end
    return condition(self)
  }

  // MARK: - Events

  private mutating func dispatch(_ event: Occurrence) {
    switch event {
    case .datagram(let bytes, let from, let to):
      guard nodes[to].peer != nil else { return }
      if hold(event, for: to) { return }
      tell(to, .datagram(bytes, from: from))
    case .timer(let node, let life):
      guard nodes[node].life == life, nodes[node].peer != nil else { return }
      nodes[node].timer = nil
      if nodes[node].isPaused { return }
      tell(node, .timer)
    case .persisted(let bytes, let ticket, let node, let life):
      guard nodes[node].life == life else { return }
      if hold(event, for: node) { return }
      nodes[node].disk = bytes
      tell(node, .persisted(ticket: ticket))
    }
  }

  private mutating func hold(_ event: Occurrence, for node: Int) -> Bool {
    guard nodes[node].isPaused else { return false }
    if nodes[node].pending.count < 4_096 { nodes[node].pending.append(event) }
    return true
  }

  private mutating func tell(_ index: Int, _ input: Input) {
    guard let effects = nodes[index].peer?.handle(input, at: now) else { return }
    for effect in effects { carryOut(effect, of: index) }
    arm(index)
  }

  private mutating func arm(_ index: Int) {
    guard let deadline = nodes[index].peer?.deadline else { return }
    let at = max(deadline, now)
    if let timer = nodes[index].timer, timer <= at { return }
    nodes[index].timer = at
    schedule(.timer(node: index, life: nodes[index].life), at: at)
  }

  private mutating func carryOut(_ effect: Effect, of index: Int) {
    switch effect {
    case .send(let bytes, let address):
      guard let target = byAddress[address] else { return }
      transmit(bytes, from: index, to: target)
    case .multicast(let bytes):
      for target in nodes.indices where target != index && network.allowsMulticast {
        transmit(bytes, from: index, to: target)
      }
    case .persist(let bytes, let ticket):
      let delay = TimeSpan(nanoseconds: Int64(dice.below(2_000_000)) + 500_000)
      schedule(
        .persisted(bytes, ticket: ticket, node: index, life: nodes[index].life), at: now + delay)
    case .event(let event): nodes[index].events.append((now, event))
    case .reply(let ticket, let reply): nodes[index].replies[ticket] = reply
    case .duty(let duty):
      nodes[index].duty = duty
      if let status = agent(duty) { tell(index, .status(status)) }
    case .stop(let reason):
      nodes[index].stopped = reason
      crash(index)
    }
  }

  private mutating func transmit(_ bytes: [UInt8], from: Int, to: Int) {
    datagrams += 1
    self.bytes += bytes.count
    guard network.isOpen(from: from, to: to), dice.below(1_000) >= network.lossPerMille else {
      return
    }
    let jitter = Int64(dice.below(UInt64(max(1, network.jitter.nanoseconds))))
    let delay = network.delay + TimeSpan(nanoseconds: jitter)
    schedule(.datagram(bytes, from: nodes[from].address, to: to), at: now + delay)
  }

  // MARK: - Queue: a binary heap by time, then order

  private mutating func schedule(_ event: Occurrence, at time: Instant) {
    serial += 1
    queue.append(Scheduled(at: time, serial: serial, event: event))
    var child = queue.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isBefore(child, parent) else { break }
      queue.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func popFirst() {
    queue.swapAt(0, queue.count - 1)
    queue.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < queue.count && isBefore(child, least) { least = child }
      guard least != parent else { return }
      queue.swapAt(parent, least)
      parent = least
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    let (a, b) = (queue[left], queue[right])
    return a.at != b.at ? a.at < b.at : a.serial < b.serial
  }
}

/// What the network does to datagrams.
package struct SimulatedNetwork: Sendable {
  package var delay = TimeSpan.milliseconds(0) + TimeSpan(nanoseconds: 200_000)
  package var jitter = TimeSpan(nanoseconds: 300_000)
  package var lossPerMille: UInt64 = 0
  package var allowsMulticast = true
  /// Directed links that are cut.
  package var cut: Set<[Int]> = []

  package init() {}

  package func isOpen(from: Int, to: Int) -> Bool { cut.isEmpty || !cut.contains([from, to]) }

  /// Cuts every link between two groups, both ways.
  package mutating func partition(_ left: [Int], _ right: [Int]) {
    for a in left {
      for b in right {
        cut.insert([a, b])
        cut.insert([b, a])
      }
    }
  }

  package mutating func heal() { cut = [] }
}

/// The simulation's own chance: splitmix64, whole numbers only.
struct SimulatedDice: Sendable {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }
}
