import MusterProtocol
import MusterState

/// One simulated machine: its disk, its clock, the daemon that runs there, and what ails it.
package struct SimulatedNode: Sendable {
  package let address: Address
  package let name: String
  /// What the key pair is made from: another number is another identity.
  package internal(set) var identity: UInt64
  package var peer: Peer?
  /// What is on its disk.
  package var disk: [UInt8]?
  package var incarnation: UInt64 = 0
  package internal(set) var clock = SimulatedClock()
  package internal(set) var isPaused = false
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
  /// Set by an operator who takes the machine out of service for good.
  package internal(set) var isGone = false
  var start = Start()
  var pending: [Simulation.Occurrence] = []
  var busyUntil = Instant.zero
  /// The timer that is in the queue.
  var timer: Instant?
  var life = 0
  var sendsUntil = Instant.zero

  package var isRunning: Bool { peer != nil }

  /// How its daemon is started, also by its service manager.
  struct Start: Sendable {
    var join: [Address] = []
    var multicast = true
    var founds = false
  }

  init(address: Address, name: String, identity: UInt64) {
    self.address = address
    self.name = name
    self.identity = identity
  }
}
