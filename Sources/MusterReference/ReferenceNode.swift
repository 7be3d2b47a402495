import MusterProtocol
import MusterSimulator

/// What a member believes of another, in one word: ten thousand members have ten thousand each.
struct Opinion: Hashable, Sendable {
  enum State: UInt32, Sendable {
    case unknown = 0
    case alive = 1
    case suspect = 2
    case dead = 3
  }

  private var word: UInt32

  init(_ state: State, incarnation: UInt32) { word = incarnation << 2 | state.rawValue }

  static let unknown = Opinion(.unknown, incarnation: 0)

  var state: State { State(rawValue: word & 3) ?? .unknown }
  var incarnation: UInt32 { word >> 2 }
}

/// A suspicion that runs at one member.
struct RunningSuspicion: Sendable {
  var since: Instant
  /// How many members there were when it began.
  var count: Int
  var accusers: [UInt16]
  var serial: UInt32

  /// The first accuser started it; the others confirm.
  var confirmed: Int { accusers.count - 1 }
}

/// The probe under way: a member has one at a time.
struct RunningProbe: Sendable {
  var subject: Int
  var sequence: UInt32
  var deadline: Instant
  var expectedNacks = 0
  var nacks = 0
  var wasReachedByStream = false
  /// Begun while the member was blocked: its ping waits.
  var isUnsent = false
  /// Others were asked.
  var wasPassedOn = false
}

/// A ping sent for another member.
struct RunningErrand: Sendable {
  var requester: Int
  var sequence: UInt32
  var wantsNack: Bool
}

/// One member of the reference. A reference, because it belongs to one simulation.
final class ReferenceNode {
  let index: Int
  var isRunning = false
  var life = 0
  var opinions: [Opinion]
  /// Who is known, in the order of probing.
  var order: [UInt16] = []
  var position = 0
  var deadSince: [UInt16: Instant] = [:]
  var suspicions: [UInt16: RunningSuspicion] = [:]
  var probe: RunningProbe?
  /// A probe took so long that the next one was due.
  var isTickWaiting = false
  var errands: [UInt32: RunningErrand] = [:]
  var awareness = 0
  var incarnation: UInt32 = 1
  var sequence: UInt32 = 0
  var serial: UInt32 = 0
  var updates = BroadcastQueue()
  var userEvents = BroadcastQueue()
  var seenEvents: Set<UInt32> = []
  var gossipPhase = TimeSpan.zero
  var isGossiping = false
  /// Whether a newcomer has had its first exchange.
  var hasJoined = true
  var seed: Int?

  /// It has said goodbye.
  var isLeaving = false
  var isPaused = false
  var isBlocked = false
  var starvation = TimeSpan.zero
  var pending: [ReferenceCluster.Occurrence] = []
  var busyUntil = Instant.zero
  var freeAt = Instant(nanoseconds: -1)
  var sendsUntil = Instant.zero
  var sent = SimulatedTraffic()
  var received = SimulatedTraffic()
  var streamed = SimulatedTraffic()

  init(index: Int, count: Int) {
    self.index = index
    opinions = Array(repeating: .unknown, count: count)
  }
}
