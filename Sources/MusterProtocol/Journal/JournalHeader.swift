import MusterState

/// What a peer was given at its start, without a secret of the cluster or of its identity. The
/// seed of its chance is here: it is of one life, and good for nothing after it.
package struct JournalHeader: Sendable {
  package var configuration: PeerConfiguration
  package var publicKey: PublicKey
  package var durable: [UInt8]?
  /// On the peer's own clock.
  package var startedAt: Instant
  /// Nanoseconds since 1970, for people.
  package var wallClock: Int64
  /// What making the peer asked of cryptography.
  package var answers: [CryptographyAnswer]

  package init(
    configuration: PeerConfiguration, publicKey: PublicKey, durable: [UInt8]?, startedAt: Instant,
    wallClock: Int64, answers: [CryptographyAnswer]
  ) {
    self.configuration = configuration
    self.publicKey = publicKey
    self.durable = durable
    self.startedAt = startedAt
    self.wallClock = wallClock
    self.answers = answers
  }

  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.text(1, configuration.software)
    writer.array(2, configuration.cluster.bytes.bytes)
    writer.text(3, configuration.clusterName)
    writer.unsigned(4, UInt64(configuration.expect))
    writer.array(5, configuration.authority.bytes.bytes)
    writer.text(6, configuration.name)
    writer.unsigned(7, configuration.incarnation.counter)
    writer.fixed(8, configuration.incarnation.boot)
    writer.flag(9, configuration.isFreshIdentity)
    writer.message(10) { configuration.address.write(to: &$0) }
    for address in configuration.join { writer.message(11) { address.write(to: &$0) } }
    writer.flag(12, configuration.usesMulticast)
    writer.flag(13, configuration.founds)
    writer.unsigned(14, UInt64(configuration.priority))
    writer.array(15, configuration.seed.first.bytes + configuration.seed.second.bytes)
    writer.array(16, publicKey.bytes.bytes)
    if let durable { writer.item(17, durable) }
    writer.fixed(18, UInt64(bitPattern: startedAt.nanoseconds))
    writer.fixed(19, UInt64(bitPattern: wallClock))
    for answer in answers { writer.item(20, answer.encoded) }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    self = .empty
    while let field = try reader.next() {
      switch field.tag {
      case 1: configuration.software = try field.text(limit: 256)
      case 2: configuration.cluster = ClusterID(try field.bytes16())
      case 3: configuration.clusterName = try field.text(limit: 1_024)
      case 4: configuration.expect = try field.unsigned32()
      case 5: configuration.authority = PublicKey(try field.bytes32())
      case 6: configuration.name = try field.text(limit: Limits.nodeNameBytes)
      case 7: configuration.incarnation.counter = try field.unsigned()
      case 8: configuration.incarnation.boot = try field.unsigned()
      case 9: configuration.isFreshIdentity = try field.flag()
      case 10: configuration.address = try Address(decoding: field.message)
      case 11: configuration.join.append(try Address(decoding: field.message))
      case 12: configuration.usesMulticast = try field.flag()
      case 13: configuration.founds = try field.flag()
      case 14: configuration.priority = UInt8(clamping: try field.unsigned())
      case 15: configuration.seed = try field.bytes32()
      case 16: publicKey = PublicKey(try field.bytes32())
      case 17: durable = try field.array(limit: JournalFrame.limit)
      case 18: startedAt = Instant(nanoseconds: Int64(bitPattern: try field.unsigned()))
      case 19: wallClock = Int64(bitPattern: try field.unsigned())
      case 20: answers.append(try CryptographyAnswer(decoding: field.array(limit: 65_536)))
      default: break
      }
    }
  }

  private static var empty: JournalHeader {
    JournalHeader(
      configuration: PeerConfiguration(
        cluster: ClusterID(.zero), clusterName: "", expect: 0, authority: PublicKey(.zero),
        name: "", incarnation: Incarnation(counter: 0, boot: 0), isFreshIdentity: false,
        address: Address(host: .zero, port: 0), join: [], usesMulticast: false, founds: false,
        software: "", priority: 0, seed: .zero),
      publicKey: PublicKey(.zero), durable: nil, startedAt: .zero, wallClock: 0, answers: [])
  }
}

extension Address {
  func write(to writer: inout WireWriter) {
    writer.array(1, host.bytes)
    writer.unsigned(2, UInt64(port))
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(host: .zero, port: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: host = try field.bytes16()
      case 2:
        guard let port = UInt16(exactly: try field.unsigned()) else { throw .overflow }
        self.port = port
      default: break
      }
    }
  }
}
