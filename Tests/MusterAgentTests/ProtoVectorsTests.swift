import Foundation
import MusterAgent
import MusterState
import MusterSystem
import Testing

@testable import MusterProtocol

/// `proto/vectors/libsodium.txt`: datagrams, a record and a vote as the daemon makes them, with all
/// keys, for whoever writes another one.
@Suite struct ProtoVectorsTests {
  private static let file = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "proto/vectors/libsodium.txt")
  private static let cluster = ClusterID(
    Bytes16(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f))
  private static let clusterKey = SealingKey(
    Bytes32(
      first: Bytes16(high: 0x2021_2223_2425_2627, low: 0x2829_2a2b_2c2d_2e2f),
      second: Bytes16(high: 0x3031_3233_3435_3637, low: 0x3839_3a3b_3c3d_3e3f)))
  private static let founding = FoundingID(Bytes16(high: 5, low: 6))

  private static func seed(_ byte: UInt8) -> [UInt8] { (0..<32).map { byte &+ $0 } }

  private static func cryptography(_ byte: UInt8) -> SodiumCryptography {
    SodiumCryptography(identity: SigningKey(seed: seed(byte)), clusterKey: clusterKey)
  }

  private static func peer(_ byte: UInt8, name: String, port: UInt16) throws -> Peer {
    let configuration = PeerConfiguration(
      cluster: cluster, clusterName: "vectors", expect: 2, authority: PublicKey(.zero),
      name: name, incarnation: Incarnation(counter: 3, boot: 0x1111_2222_3333_4400 + UInt64(byte)),
      isFreshIdentity: true, address: Address(v4: 0x7f00_0001, port: port), join: [],
      usesMulticast: false, founds: false, software: "1.0",
      seed: Bytes32(first: Bytes16(high: 1, low: UInt64(byte)), second: .zero))
    var peer = try Peer(
      configuration: configuration, durable: nil, cryptography: cryptography(byte), at: .zero)
    _ = peer.handle(.start, at: .zero)
    return peer
  }

  /// Each line of the file.
  private static func lines() throws -> [(name: String, value: [UInt8])] {
    var (a, b) = (try peer(0x40, name: "a", port: 7_001), try peer(0x80, name: "b", port: 7_002))
    let card = try #require(a.store[a.recordKey(a.id, .member)])
    let otherCard = try #require(b.store[b.recordKey(b.id, .member)])
    a.take(otherCard, from: nil)
    b.take(card, from: nil)
    let made = a.session(with: b.id)
    let session = try #require(made)
    var frame = Frame()
    frame.heartbeat = Frame.Heartbeat(term: 4, number: 17)
    a.effects = []
    a.send(frame, to: b.id)
    var datagram: [UInt8] = []
    if case .send(let bytes, _)? = a.effects.first { datagram = bytes }
    let nonce = Bytes16(high: 7, low: 8)
    let contact = Contact.challenge(nonce: nonce, cookie: Digest(.zero))
    let vote = voteMessage(cluster: cluster, founding: founding, term: 4, candidate: b.id)
    return [
      ("cluster-id", cluster.bytes.bytes), ("cluster-key", clusterKey.bytes.bytes),
      ("a-seed", seed(0x40)), ("a-public-key", a.cryptography.publicKey.bytes.bytes),
      ("a-id", a.id.bytes.bytes),
      ("a-incarnation", side(a)), ("b-seed", seed(0x80)),
      ("b-public-key", b.cryptography.publicKey.bytes.bytes), ("b-id", b.id.bytes.bytes),
      ("b-incarnation", side(b)),
      ("key-a-to-b", session.sealing.bytes.bytes), ("key-b-to-a", session.opening.bytes.bytes),
      ("frame", frame.encoded), ("pair-sealed-datagram-a-to-b", datagram),
      ("contact", contact.encoded), ("cluster-sealed-datagram", a.seal(contact)),
      ("record-a-member", card.encoded),
      ("record-a-member-key", Bytes16(high: 0, low: a.recordKey(a.id, .member)).bytes.suffix(8)),
      ("founding-id", founding.bytes.bytes), ("vote-message-term-4-for-b", vote),
      ("vote-signature-by-a", a.cryptography.sign(vote).bytes),
      ("forget-message-b", forgetMessage(cluster: cluster, node: b.id)),
    ]
  }

  private static func side(_ peer: Peer) -> [UInt8] {
    let incarnation = peer.configuration.incarnation
    return Bytes16(high: incarnation.counter, low: incarnation.boot).bytes
  }

  private static func text() throws -> String {
    let head = """
      # Made with libsodium from the seeds below; see "Keys" and "Datagrams" in proto/README.md.
      # NAME HEXADECIMAL. An incarnation is the counter and the boot number, eight bytes each.

      """
    return head + (try lines()).map { "\($0.name) \(hexadecimal($0.value))\n" }.joined()
  }

  private static let isWriting =
    ProcessInfo.processInfo.environment["MUSTER_WRITE_VECTORS"] == "1"

  @Test(.enabled(if: isWriting)) func `the examples are written anew when asked for`() throws {
    try Data(try Self.text().utf8).write(to: Self.file)
  }

  @Test(.enabled(if: !isWriting)) func `the daemon makes these very bytes`() throws {
    #expect(try String(contentsOf: Self.file, encoding: .utf8) == (try Self.text()))
  }

  @Test func `the examples open and verify as the text says`() throws {
    var value: [String: [UInt8]] = [:]
    for line in try Self.lines() { value[line.name] = line.value }
    func field(_ name: String) throws -> [UInt8] { try #require(value[name]) }

    // The key of one direction, made by hand.
    let exchange = SigningKey(seed: try field("a-seed")).exchangeKey()
    let shared = try #require(exchange.sharedSecret(withSigningKey: try field("b-public-key")))
    let pair = Sodium.digest(shared + (try field("cluster-key")))
    let (a, b) = (
      try field("a-id") + field("a-incarnation"), try field("b-id") + field("b-incarnation")
    )
    let purpose = Array("muster pair v1".utf8) + (try field("cluster-id"))
    let key = Sodium.digest(purpose + a + b, key: pair)
    #expect(key == (try field("key-a-to-b")))
    #expect(Sodium.digest(purpose + b + a, key: pair) == (try field("key-b-to-a")))
    #expect(Array(Sodium.digest(try field("a-public-key")).prefix(16)) == (try field("a-id")))

    for (name, key, plaintext) in [
      ("pair-sealed-datagram-a-to-b", key, "frame"),
      ("cluster-sealed-datagram", try field("cluster-key"), "contact"),
    ] {
      let datagram = try field(name)
      let associated =
        Array("muster v1".utf8) + (try field("cluster-id")) + Array(datagram[..<9])
      let opened = Sodium.open(
        Array(datagram[33...]), nonce: Array(datagram[9..<33]), associated: associated, key: key)
      #expect(opened == (try field(plaintext)))
    }
    #expect(
      Sodium.isValid(
        signature: try field("vote-signature-by-a"), of: try field("vote-message-term-4-for-b"),
        by: try field("a-public-key")))
  }
}
