import MusterProtocol
import MusterState

/// A whole cluster in one thread, in virtual time, from one seed. It drives the very same `Peer`
/// as the daemon, with its real wire coding and its signatures.
///
/// A reference to its machines: a copy is the same cluster.
package struct Simulation {
  enum Occurrence: Sendable {
    case datagram([UInt8], from: Address, to: Int)
    /// What its daemon finds waiting, in one turn.
    case waiting([Datagram], isMore: Bool, to: Int)
    case timer(node: Int, life: Int)
    case persisted([UInt8], ticket: UInt64, node: Int, life: Int)
    case agent(SimulatedAgent.Step, node: Int, life: Int)
    /// A machine that waited for its processor has it.
    case turn(node: Int, life: Int)
    /// The service manager starts a daemon again that had ended by itself.
    case revival(node: Int, life: Int)

    var isDatagram: Bool {
      switch self {
      case .datagram, .waiting: true
      default: false
      }
    }

    var node: Int {
      switch self {
      case .datagram(_, _, let node), .waiting(_, _, let node), .timer(let node, _),
        .persisted(_, _, let node, _), .agent(_, let node, _), .revival(let node, _),
        .turn(let node, _):
        node
      }
    }
  }

  /// What one event did: enough for checkers to look only where something has moved.
  package struct Turn: Sendable {
    package var node = 0
    package var events: [Event] = []
    package var deeds: [SimulatedAgent.Deed] = []
  }

  package private(set) var now = Instant.zero
  package var nodes: [SimulatedNode] = []
  package var network = SimulatedNetwork()
  package var share = SimulatedShare()
  package internal(set) var datagrams = 0
  package internal(set) var bytes = 0
  package private(set) var turns = 0
  package internal(set) var largestDatagram = 0
  /// Bytes whose way is followed, and the datagrams that carried them: seals here hide nothing.
  package var marker: [UInt8] = []
  package internal(set) var markedDatagrams = 0
  /// Keys of identities that were lost with their disk.
  package private(set) var formerKeys: [NodeID: PublicKey] = [:]
  /// What the last event did.
  package internal(set) var turn = Turn()
  package var timing = Timing()
  package let expect: UInt32
  /// Whether machines obey their duties; without, a test plays the agent by `report`.
  package var runsAgents = false
  /// Whether a service manager starts a daemon again whose name was taken.
  package var revives = false
  /// Nodes booted from now on tell each step of their rules.
  package var tracesRules = false
  /// Whether `nodes[…].events` keeps what happened: a test wants it, an hour of swarm does not.
  package var keepsEvents = true
  var queue = EventQueue<Occurrence>()
  var dice: SimulatedDice
  package let cluster = ClusterID(Bytes16(high: 0x6d75_7374, low: 1))
  var byAddress: [Address: Int] = [:]
  /// The write under way on each machine.
  var unwritten: [Int: [UInt8]] = [:]

  package init(seed: UInt64, expect: UInt32) {
    dice = SimulatedDice(seed: seed)
    self.expect = expect
  }

  // MARK: - Machines

  /// Adds a machine; it is off until `boot`.
  @discardableResult
  package mutating func add(name: String? = nil) -> Int {
    let index = nodes.count
    let address = Address(v4: 0x7f4d_0000 + UInt32(index) + 1, port: 7_946)
    nodes.append(
      SimulatedNode(
        address: address, name: name ?? "node/\(index)", identity: dice.next()))
    byAddress[address] = index
    return index
  }

  package func id(_ index: Int) -> NodeID? { nodes[index].running?.core.id }

  /// What its clock shows.
  package func localTime(_ index: Int) -> Instant { nodes[index].clock.local(at: now) }

  /// Whether it could act on a lease of its own now: nobody acts on a machine that is held.
  package func holdsLease(_ index: Int) -> Bool {
    let node = nodes[index]
    guard let end = node.running?.core.ownLeaseUntil, !node.isHeld else { return false }
    return localTime(index) < end
  }

  package func view(_ index: Int) -> ClusterView? {
    nodes[index].running?.core.view(at: localTime(index))
  }

  /// Starts a machine's daemon, with whatever its disk holds.
  package mutating func boot(
    _ index: Int, join: [Address] = [], multicast: Bool = true, founds: Bool = false,
    priority: UInt8 = LeaderPriority.standard
  ) {
    nodes[index].start = SimulatedNode.Start(
      join: join, multicast: multicast, founds: founds, priority: priority)
    boot(index)
  }

  /// Starts it as it was started the last time.
  package mutating func boot(_ index: Int) {
    precondition(nodes[index].running == nil, "a machine runs one daemon")
    let isFresh = nodes[index].incarnation == 0
    nodes[index].incarnation += 1
    nodes[index].life += 1
    nodes[index].bootedAt = now
    nodes[index].agent = SimulatedAgent()
    nodes[index].duty = Duty()
    nodes[index].stopped = nil
    let start = nodes[index].start
    var configuration = PeerConfiguration(
      cluster: cluster, clusterName: "simulated", expect: expect,
      authority: SimulatedCryptography.authority.publicKey,
      name: nodes[index].name,
      incarnation: Incarnation(counter: nodes[index].incarnation, boot: dice.next()),
      isFreshIdentity: isFresh, address: nodes[index].address, join: start.join,
      usesMulticast: start.multicast, founds: start.founds, software: "simulated",
      timing: timing,
      seed: Bytes32(
        first: Bytes16(high: dice.next(), low: dice.next()),
        second: Bytes16(high: dice.next(), low: dice.next())))
    configuration.priority = start.priority
    configuration.planted = nodes[index].planted
    configuration.tracesRules = tracesRules
    do throws(PeerError) {
      nodes[index].running = RunningPeer(
        try Peer(
          configuration: configuration, durable: nodes[index].disk,
          cryptography: nodes[index].cryptography, at: localTime(index)))
    } catch {
      preconditionFailure("a disk that a peer wrote is read by a peer: \(error)")
    }
    tell(index, .start)
  }

  /// Puts all machines into the middle of a cluster that stands: see `FormedCluster`. Their clocks
  /// begin at zero, because what they have promised each other is told on them.
  package mutating func form(usesMulticast: Bool) {
    let machines = nodes.map { node in
      FormedCluster.Machine(
        name: node.name, address: node.address, identity: node.identity, boot: dice.next())
    }
    let cluster = FormedCluster(
      machines, seed: dice.next(), timing: timing, usesMulticast: usesMulticast, at: now)
    for index in nodes.indices {
      precondition(nodes[index].running == nil, "a machine runs one daemon")
      nodes[index].start = SimulatedNode.Start(multicast: usesMulticast)
      nodes[index].running = RunningPeer(cluster.peers[index])
      nodes[index].disk = cluster.disks[index]
      nodes[index].incarnation = 1
      nodes[index].life += 1
      nodes[index].bootedAt = now
      arm(index)
    }
  }

  /// The daemon ends at once; what was not on disk is lost.
  package mutating func crash(_ index: Int) {
    nodes[index].running = nil
    nodes[index].timer = nil
    nodes[index].life += 1
    nodes[index].pending = []
    nodes[index].isPaused = false
    nodes[index].isBlocked = false
    nodes[index].unsent = []
    nodes[index].clock.goOn(at: now)
    nodes[index].busyUntil = .zero
    unwritten[index] = nil
  }

  /// What the disk holds when the write under way ends, whoever hears of it.
  package func diskAfterWrite(_ index: Int) -> [UInt8]? {
    unwritten[index] ?? nodes[index].disk
  }

  /// The machine comes back with an empty disk: another identity under the old name.
  package mutating func loseDisk(_ index: Int) {
    precondition(nodes[index].running == nil, "a disk is lost while the machine is off")
    formerKeys[nodes[index].id] = nodes[index].cryptography.publicKey
    nodes[index].disk = nil
    nodes[index].incarnation = 0
    nodes[index].identity = dice.next()
  }

  package mutating func pause(_ index: Int, clockStands: Bool = false) {
    nodes[index].isPaused = true
    guard clockStands else { return }
    nodes[index].clock.stand(at: now)
    nodes[index].stoodSince = now
  }

  /// What arrived meanwhile is delivered now.
  package mutating func resume(_ index: Int) {
    guard nodes[index].isPaused else { return }
    nodes[index].isPaused = false
    if nodes[index].clock.isStanding {
      nodes[index].clock.goOn(at: now)
      // The driver compares two clocks before each turn, so the peer hears of it first.
      if !nodes[index].planted.contains(.noClockGuard) {
        tell(index, .clockStood(now - nodes[index].stoodSince))
      }
    }
    deliverPending(to: index)
  }

  /// Nothing is received, and its one thread stops where it would send. Until then it runs.
  package mutating func block(_ index: Int) { nodes[index].isBlocked = true }

  /// What it would have sent goes out, then what arrived is delivered.
  package mutating func unblock(_ index: Int) {
    guard nodes[index].isBlocked else { return }
    nodes[index].isBlocked = false
    for (bytes, target) in nodes[index].unsent { transmit(bytes, from: index, to: target) }
    nodes[index].unsent = []
    deliverPending(to: index)
  }

  package mutating func setClockRate(_ index: Int, _ rate: Int64) {
    nodes[index].clock.setRate(rate, at: now)
    nodes[index].timer = nil
    arm(index)
  }

  package mutating func setClock(_ index: Int, offset: TimeSpan) {
    precondition(nodes[index].incarnation == 0, "a clock is set before its first use")
    nodes[index].clock = SimulatedClock(offset: offset)
  }

  package mutating func plant(_ bugs: PlantedBugs, on index: Int) {
    nodes[index].planted = bugs
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

  // MARK: - Time

  /// Runs for a length of virtual time.
  package mutating func run(for span: TimeSpan) {
    let end = now + span
    while step(upTo: end) {}
  }

  /// Runs until `condition` holds, looked at after each event; `nil` when `limit` came first.
  @discardableResult
  package mutating func run(
    within limit: TimeSpan, until condition: (Simulation) -> Bool
  ) -> TimeSpan? {
    let start = now
    if condition(self) { return .zero }
    while step(upTo: start + limit) {
      if condition(self) { return now - start }
    }
    return condition(self) ? now - start : nil
  }

  /// Carries out the next event not after `end`; `turn` tells what it did.
  ///
  /// - Returns: `false` when there was none; then it is `end`.
  package mutating func step(upTo end: Instant) -> Bool {
    guard let next = queue.next, next <= end, let event = queue.popFirst() else {
      now = max(now, end)
      return false
    }
    now = max(now, event.at)
    turns += 1
    beginTurn(event.payload.node)
    dispatch(event.payload)
    return true
  }

  /// What follows belongs to one turn of this machine.
  package mutating func beginTurn(_ index: Int) {
    turn.node = index
    turn.events.removeAll(keepingCapacity: true)
    turn.deeds.removeAll(keepingCapacity: true)
  }

  private mutating func dispatch(_ event: Occurrence) {
    let index = event.node
    switch event {
    case .datagram(let bytes, let from, _):
      guard nodes[index].running != nil else { return }
      if hold(event, for: index) || gather(event, for: index) { return }
      nodes[index].received.add(bytes.count)
      tell(index, .datagram(bytes, from: from))
    case .waiting(let waiting, let isMore, _):
      guard nodes[index].running != nil else { return }
      if hold(event, for: index) { return }
      for datagram in waiting { nodes[index].received.add(datagram.bytes.count) }
      tell(index, .datagrams(waiting, isMore: isMore))
    case .timer(_, let life):
      guard nodes[index].life == life, nodes[index].running != nil else { return }
      // An earlier deadline has replaced this one.
      guard let due = nodes[index].timer, due <= now else { return }
      if hold(event, for: index) { return }
      nodes[index].timer = nil
      tell(index, .timer)
    case .persisted(let bytes, let ticket, _, let life):
      guard nodes[index].life == life else { return }
      if hold(event, for: index) { return }
      nodes[index].disk = bytes
      if unwritten[index] == bytes { unwritten[index] = nil }
      tell(index, .persisted(ticket: ticket))
    case .agent(let step, _, let life):
      guard nodes[index].life == life else { return }
      if hold(event, for: index) { return }
      playAgent(index, step: step)
    case .revival(_, let life):
      if nodes[index].life == life, nodes[index].running == nil { boot(index) }
    case .turn(_, let life):
      guard nodes[index].life == life, !nodes[index].isPaused else { return }
      deliverPending(to: index)
    }
  }

  /// Keeps what arrives while a machine is paused, or waits for the processor.
  private mutating func hold(_ event: Occurrence, for index: Int) -> Bool {
    let node = nodes[index]
    if node.isBlocked {
      if !event.isDatagram, node.unsent.isEmpty { return false }
    } else if !node.isPaused {
      guard node.starvation > .zero, node.freeAt != now else { return false }
      guard node.busyUntil > now else {
        // The next turn comes late by chance; then everything that waits is handled at once.
        let delay = Int64(dice.below(UInt64(node.starvation.nanoseconds)))
        node.busyUntil = now + TimeSpan(nanoseconds: delay)
        node.freeAt = now
        return false
      }
      if node.pending.isEmpty {
        queue.schedule(.turn(node: index, life: node.life), at: node.busyUntil)
      }
    }
    if node.pending.count < SimulatedNode.pendingAtMost { node.pending.append(event) }
    return true
  }

  private mutating func deliverPending(to index: Int) {
    let pending = nodes[index].pending
    nodes[index].pending = []
    nodes[index].busyUntil = now
    nodes[index].freeAt = now
    for event in nodes[index].readsTogether ? Self.together(pending, on: index) : pending {
      queue.schedule(event, at: now)
    }
    nodes[index].timer = now
    queue.schedule(.timer(node: index, life: nodes[index].life), at: now)
  }

  mutating func tell(_ index: Int, _ input: Input) {
    guard let running = nodes[index].running else { return }
    let effects = running.core.handle(input, at: nodes[index].clock.local(at: now))
    for effect in effects { carryOut(effect, of: index) }
    arm(index)
  }

  private mutating func arm(_ index: Int) {
    let node = nodes[index]
    guard let deadline = node.running?.core.deadline, !node.clock.isStanding else { return }
    let at = max(node.clock.trueTime(of: deadline), now)
    if let timer = node.timer, timer <= at { return }
    node.timer = at
    queue.schedule(.timer(node: index, life: node.life), at: at)
  }
}
