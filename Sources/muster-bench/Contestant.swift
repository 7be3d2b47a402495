import MusterProtocol
import MusterReference
import MusterSimulator

/// What a member came to think of another, or to know of it.
struct Sighting: Hashable, Sendable {
  enum State: Hashable, Sendable {
    case alive, suspect, dead, updated
  }

  var observer: Int
  var subject: Int
  var state: State
}

/// What one member has put on the network.
struct Traffic: Hashable, Sendable {
  /// Of Ethernet, IPv4 and UDP; of Ethernet, IPv4 and TCP with its options.
  private static let datagramHeader = 42
  private static let segmentHeader = 66

  var packets = 0
  var bytes = 0
  var datagramBytes = 0

  init() {}

  init(_ datagrams: SimulatedTraffic, segments: SimulatedTraffic = SimulatedTraffic()) {
    packets = datagrams.datagrams + segments.datagrams
    datagramBytes = datagrams.bytes + datagrams.datagrams * Self.datagramHeader
    bytes = datagramBytes + segments.bytes + segments.datagrams * Self.segmentHeader
  }

  static func + (left: Traffic, right: Traffic) -> Traffic {
    var sum = left
    sum.packets += right.packets
    sum.bytes += right.bytes
    sum.datagramBytes += right.datagramBytes
    return sum
  }

  static func - (left: Traffic, right: Traffic) -> Traffic {
    var rest = left
    rest.packets -= right.packets
    rest.bytes -= right.bytes
    rest.datagramBytes -= right.datagramBytes
    return rest
  }
}

/// A membership protocol as an experiment sees it. All are told the same and asked the same,
/// by code that does not know which one it is.
protocol Contestant {
  var now: Instant { get }
  var network: SimulatedNetwork { get set }
  var count: Int { get }
  /// What the last step made a member think.
  var sightings: [Sighting] { get }
  /// Datagrams that carried the update last published.
  var payloadSends: Int { get }
  /// What its datagrams were sent for; empty where nobody counts.
  var parts: Parts { get }
  /// Bytes of the largest datagram so far, without headers; 0 where nobody counts.
  var largestDatagram: Int { get }

  mutating func step(upTo end: Instant) -> Bool
  /// Starts the first so many in the middle of their life.
  mutating func form(_ members: Int)
  mutating func join(_ index: Int, through seed: Int)
  mutating func crash(_ index: Int)
  /// It says goodbye, and ends when that is on its way.
  mutating func leave(_ index: Int)
  mutating func pause(_ index: Int)
  mutating func resume(_ index: Int)
  /// Nothing is received, and whoever would send waits.
  mutating func block(_ index: Int)
  mutating func unblock(_ index: Int)
  /// Every turn of this member comes up to so much late.
  mutating func starve(_ index: Int, _ span: TimeSpan)
  mutating func update(_ index: Int)
  /// Changes one of a member's keys; the number says which change of this member it is.
  mutating func change(_ index: Int, key: Int, serial: Int)
  /// Of each member the newest change that this one has heard of; 0 when none.
  func changes(knownBy observer: Int) -> [Int]
  func sent(_ index: Int) -> Traffic
  func received(_ index: Int) -> Traffic
}

extension Contestant {
  var traffic: Traffic {
    var total = Traffic()
    for index in 0..<count { total = total + sent(index) }
    return total
  }

  /// Runs up to `end`; `see` hears everything that a member comes to think.
  mutating func run(until end: Instant, see: (Instant, Sighting) -> Void = { _, _ in }) {
    while step(upTo: end) {
      for sighting in sightings { see(now, sighting) }
    }
  }

  /// Runs until `isDone` says that this was all it waits for.
  mutating func seek(
    until end: Instant, unless isDone: (Instant, Sighting) -> Bool
  ) {
    while step(upTo: end) {
      for sighting in sightings where isDone(now, sighting) { return }
    }
  }
}

/// Who runs.
enum ContestantKind: Hashable, Sendable {
  case ours(Timing)
  case reference(ReferenceSettings)

  static let muster = ContestantKind.ours(Timing())

  func make(_ count: Int, seed: UInt64) -> any Contestant {
    var contestant: any Contestant =
      switch self {
      case .ours(let timing): MusterContestant(count, seed: seed, timing)
      case .reference(let settings): ReferenceContestant(count, seed: seed, settings)
      }
    contestant.network = .local
    return contestant
  }

  func formed(_ count: Int, seed: UInt64) -> any Contestant {
    var contestant = make(count, seed: seed)
    contestant.form(count)
    return contestant
  }
}

extension SimulatedNetwork {
  /// One millisecond there and back.
  static var local: SimulatedNetwork {
    var network = SimulatedNetwork()
    network.delay = .milliseconds(1) * 2 / 5
    network.jitter = .milliseconds(1) / 5
    return network
  }
}
