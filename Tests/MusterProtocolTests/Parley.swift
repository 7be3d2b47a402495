import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// A few peers that talk to each other in virtual time: for inputs and configurations that the
/// simulator's machines do not have.
struct Parley {
  private struct Delivery {
    var at: Instant
    var to: Int
    var input: Input
  }

  static let delay = TimeSpan.milliseconds(1)
  /// The operator's key of the cluster.
  static let authority = SimulatedCryptography(identity: 999, cluster: 1)

  var now = Instant.zero
  var peers: [Peer] = []
  var replies: [UInt64: Reply] = [:]
  var events: [(at: Instant, node: Int, event: Event)] = []
  private var queue: [Delivery] = []

  static func address(_ index: Int) -> Address {
    Address(v4: 0x7f4d_0001 + UInt32(index), port: 7_946)
  }

  /// All are started together, know the first one's address, and have these priorities.
  init(priorities: [UInt8], seed: UInt64 = 1) throws {
    for (index, priority) in priorities.enumerated() {
      let identity = seed &* 1_000 &+ UInt64(index)
      let configuration = PeerConfiguration(
        cluster: Samples.cluster, clusterName: "parley", expect: UInt32(priorities.count),
        authority: Self.authority.publicKey, name: "ci/\(index)",
        incarnation: Incarnation(counter: 1, boot: identity), isFreshIdentity: true,
        address: Self.address(index), join: index == 0 ? [] : [Self.address(0)],
        usesMulticast: false, founds: false, software: "test", priority: priority,
        seed: Bytes32(first: Bytes16(high: identity, low: 2), second: Bytes16(high: 3, low: 4)))
      peers.append(
        try Peer(
          configuration: configuration, durable: nil,
          cryptography: SimulatedCryptography(identity: identity, cluster: 1), at: now))
    }
    for index in peers.indices { tell(index, .start) }
  }

  mutating func tell(_ index: Int, _ input: Input) {
    for effect in peers[index].handle(input, at: now) {
      switch effect {
      case .send(let bytes, let address):
        guard let to = peers.indices.first(where: { Self.address($0) == address }) else { continue }
        queue.append(
          Delivery(
            at: now + Self.delay, to: to, input: .datagram(bytes, from: Self.address(index))))
      case .persist(_, let ticket):
        queue.append(Delivery(at: now + Self.delay, to: index, input: .persisted(ticket: ticket)))
      case .reply(let ticket, let reply): replies[ticket] = reply
      case .event(let event): events.append((now, index, event))
      case .multicast, .duty, .stop: break
      }
    }
  }

  mutating func run(for span: TimeSpan) { run(within: span) { _ in false } }

  /// Until the condition holds; how long it took.
  @discardableResult
  mutating func run(within span: TimeSpan, until isMet: (Parley) -> Bool) -> TimeSpan? {
    let start = now
    while now - start < span {
      if isMet(self) { return now - start }
      now = now + Self.delay
      let due = queue.filter { $0.at <= now }
      queue.removeAll { $0.at <= now }
      for delivery in due { tell(delivery.to, delivery.input) }
      for index in peers.indices where peers[index].deadline.map({ $0 <= now }) ?? false {
        tell(index, .timer)
      }
    }
    return isMet(self) ? now - start : nil
  }

  /// The peers that hold a lease and may act.
  var leaders: [Int] { peers.indices.filter { peers[$0].isEffectiveLeader } }

  /// One leader whom all follow.
  mutating func settle(within span: TimeSpan = .seconds(10)) throws -> Int {
    let settled = run(within: span) { parley in
      guard let leader = parley.leaders.first, parley.leaders.count == 1 else { return false }
      return parley.peers.allSatisfy { $0.leaderHint == parley.peers[leader].id }
    }
    try #require(settled != nil)
    return try #require(leaders.first)
  }
}
