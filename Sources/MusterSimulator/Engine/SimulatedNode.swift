import MusterProtocol
import MusterState

/// The peer of a running daemon, at one place in memory: a `Peer` is large, and passing it around
/// as an optional would copy it at every look.
package final class RunningPeer {
  package internal(set) var core: Peer
  init(_ peer: Peer) { core = peer }
}

/// Datagrams and their bytes, without the headers of UDP, IP and the link.
package struct SimulatedTraffic: Hashable, Sendable {
  package var datagrams = 0
  package var bytes = 0
  package init() {}

  package mutating func add(_ count: Int) {
    datagrams += 1
    bytes += count
  }
}

/// One simulated machine: its disk, its clock, the daemon that runs there, and what ails it. A
/// reference, because it belongs to one simulation and is looked at after every event.
package final class SimulatedNode {
  package let address: Address
  package let name: String
  /// What the key pair is made from: another number is another identity.
  package internal(set) var identity: UInt64 {
    didSet { cryptography = SimulatedCryptography(identity: identity, cluster: 1) }
  }
  /// The key pair, and what is made with it.
  package private(set) var cryptography: SimulatedCryptography
  package internal(set) var running: RunningPeer?
  /// A copy, for a test that asks now and then.
  package var peer: Peer? { running?.core }
  /// What is on its disk.
  package var disk: [UInt8]?
  package var incarnation: UInt64 = 0
  package internal(set) var clock = SimulatedClock()
  package internal(set) var isPaused = false
  /// Its sockets neither take nor give; see `Simulation.block`.
  package internal(set) var isBlocked = false
  var unsent: [(bytes: [UInt8], target: Int)] = []
  /// The machine is gone for good: nothing starts its daemon.
  package internal(set) var isLost = false
  /// The processor is busy: a turn comes up to so much too late.
  package var starvation = TimeSpan.zero
  /// Everything that happened there, with its time.
  package var events: [(at: Instant, event: Event)] = []
  package var replies: [UInt64: Reply] = [:]
  package internal(set) var stopped: StopReason?
  package internal(set) var duty = Duty()
  package internal(set) var agent = SimulatedAgent()
  package var habits = SimulatedAgent.Habits()
  package internal(set) var planted: PlantedBugs = []
  /// What it has put on the network, and what reached its daemon; a comparison asks.
  package internal(set) var sent = SimulatedTraffic()
  package internal(set) var received = SimulatedTraffic()
  var start = Start()
  /// Whether what waited is read as the daemon reads it; else one datagram is one turn.
  let readsTogether: Bool
  /// What arrived while it was paused or had no processor: as many as a socket's buffer holds.
  var pending: [Simulation.Occurrence] = []
  package static let pendingAtMost = 4_096
  var busyUntil = Instant.zero
  /// The instant at which it has the processor, for everything that waits.
  var freeAt = Instant(nanoseconds: -1)
  /// The timer that is in the queue.
  var timer: Instant?
  var life = 0
  var bootedAt = Instant.zero
  var stoodSince = Instant.zero
  var sendsUntil = Instant.zero

  /// Whether it is held so that its clock stands, and will be told so before anything else: then it
  /// can do nothing with what it believes.
  var isHeld: Bool { clock.isStanding && !planted.contains(.noClockGuard) }
  /// Whether it lies to the others.
  var isInsider: Bool { !planted.isDisjoint(with: .insider) }
  package var isRunning: Bool { running != nil }
  /// Of the identity on its disk, whether its daemon runs or not.
  package var id: NodeID { cryptography.nodeID(of: cryptography.publicKey) }

  /// How its daemon is started, also by its service manager.
  struct Start {
    var join: [Address] = []
    var multicast = true
    var founds = false
    var priority = LeaderPriority.standard
  }

  init(address: Address, name: String, identity: UInt64) {
    self.address = address
    self.name = name
    self.identity = identity
    // By chance that was drawn anyway.
    readsTogether = identity % 4 != 0
    cryptography = SimulatedCryptography(identity: identity, cluster: 1)
  }
}
