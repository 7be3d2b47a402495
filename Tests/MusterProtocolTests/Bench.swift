import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// Two members that know each other, and a newcomer that nobody has heard of: peers as values, to
/// be told anything, with what they send caught.
struct Bench {
  var now: Instant
  var sender: Peer
  var receiver: Peer
  var newcomer: Peer
  let senderKeys: SimulatedCryptography

  static let senderAddress = Address(v4: 0x7f4d_0001, port: 7_946)
  static let receiverAddress = Address(v4: 0x7f4d_0002, port: 7_946)
  static let newcomerAddress = Address(v4: 0x7f4d_0009, port: 7_946)

  init() throws {
    var simulation = Simulation(seed: 5, expect: 2)
    simulation.add()
    simulation.add()
    simulation.boot(0)
    simulation.boot(1)
    let isSealed = simulation.run(within: .seconds(10)) { simulation in
      simulation.nodes.allSatisfy { $0.peer?.view(at: simulation.now).isSealed ?? false }
    }
    try #require(isSealed != nil)
    simulation.run(for: .seconds(5))
    now = simulation.now
    sender = try #require(simulation.nodes[0].peer)
    receiver = try #require(simulation.nodes[1].peer)
    senderKeys = SimulatedCryptography(identity: simulation.nodes[0].identity, cluster: 1)
    newcomer = try Self.peer(identity: 77, join: [Self.receiverAddress], at: now)
    settle()
  }

  static func peer(
    identity: UInt64, cluster: ClusterID = Samples.cluster, clusterKey: UInt64 = 1,
    name: String = "new", join: [Address] = [], at now: Instant
  ) throws -> Peer {
    let configuration = PeerConfiguration(
      cluster: cluster, clusterName: "simulated", expect: 2,
      authority: Samples.keys[5].publicKey, name: name,
      incarnation: Incarnation(counter: 1, boot: identity), isFreshIdentity: true,
      address: newcomerAddress, join: join, usesMulticast: true, founds: false,
      software: "simulated",
      seed: Bytes32(first: Bytes16(high: identity, low: 2), second: Bytes16(high: 3, low: 4)))
    return try Peer(
      configuration: configuration, durable: nil,
      cryptography: SimulatedCryptography(identity: identity, cluster: clusterKey), at: now)
  }

  /// Lets everything that is due happen, so that what follows is the answer to one input alone.
  mutating func settle() {
    for _ in 0..<8 {
      _ = sender.handle(.timer, at: now)
      for effect in receiver.handle(.timer, at: now) {
        if case .persist(_, let ticket) = effect {
          _ = receiver.handle(.persisted(ticket: ticket), at: now)
        }
      }
    }
  }

  /// A datagram from the sender to the receiver that carries this frame.
  mutating func sealed(_ frame: Frame) throws -> [UInt8] {
    sender.effects = []
    sender.send(frame, to: receiver.id)
    let datagrams = sender.effects.sent
    sender.effects = []
    return try #require(datagrams.first)
  }

  /// The same from bytes that need be no frame.
  mutating func sealed(plaintext: [UInt8], counter: UInt64) throws -> [UInt8] {
    let made = sender.session(with: receiver.id)
    let session = try #require(made)
    let nonce = Nonce(random: Samples.nonce, counter: counter)
    let hint = Envelope.hint(of: sender.id)
    let associated = Envelope.associated(Samples.cluster, kind: Envelope.pairKind, hint: hint)
    return Envelope.assemble(
      kind: Envelope.pairKind, hint: hint, nonce: nonce,
      ciphertext: senderKeys.seal(
        plaintext, nonce: nonce, associated: associated, key: session.sealing))
  }

  func record(
    _ name: RecordName, _ content: [UInt8], version: UInt64, counter: UInt64? = nil
  ) -> Record {
    var incarnation = sender.configuration.incarnation
    incarnation.counter = counter ?? incarnation.counter
    return Record.make(
      author: sender.id, incarnation: incarnation, name: name, version: version,
      content: content, cluster: Samples.cluster, signer: senderKeys)
  }

  /// Hello, challenge, hello with the cookie, welcome: what the newcomer and the receiver say.
  struct Introduction {
    var beacon: [UInt8]
    var hello: [UInt8]
    var challenge: [UInt8]
    var helloWithCookie: [UInt8]
    var welcome: [UInt8]
  }

  /// What a first contact says, without anybody on the bench having heard it.
  func introduction() throws -> Introduction {
    var (newcomer, receiver) = (newcomer, receiver)
    let begun = newcomer.handle(.start, at: now)
    let beacon = try #require(begun.broadcast.first)
    let hello = try #require(begun.sent.first)
    func say(_ datagram: [UInt8], to peer: inout Peer, from source: Address) throws -> [UInt8] {
      let answers = peer.handle(.datagram(datagram, from: source), at: now).sent
      return try #require(answers.first)
    }
    let challenge = try say(hello, to: &receiver, from: Self.newcomerAddress)
    let second = try say(challenge, to: &newcomer, from: Self.receiverAddress)
    let answers = receiver.handle(.datagram(second, from: Self.newcomerAddress), at: now).sent
    let welcome = try #require(answers.first { $0[0] == Envelope.clusterKind })
    return Introduction(
      beacon: beacon, hello: hello, challenge: challenge, helloWithCookie: second,
      welcome: welcome)
  }
}

extension [Effect] {
  var sent: [[UInt8]] {
    compactMap { effect in
      if case .send(let bytes, _) = effect { bytes } else { nil }
    }
  }

  var broadcast: [[UInt8]] {
    compactMap { effect in
      if case .multicast(let bytes) = effect { bytes } else { nil }
    }
  }

  /// Everything but what was sent.
  var others: [Effect] {
    filter { effect in
      if case .send = effect { false } else { true }
    }
  }
}

extension Peer {
  /// All that an operator or a test can see of the peer, without its counters.
  func picture(at now: Instant) -> [String] {
    var view = view(at: now)
    view.counters = Counters()
    return holdings + ["\(view)"]
  }

  var allDropped: UInt64 { counters.dropped.reduce(0, +) }
}
