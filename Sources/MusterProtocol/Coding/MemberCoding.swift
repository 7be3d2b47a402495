import MusterState

extension Address {
  /// Sixteen bytes of host, two of port.
  var wireBytes: [UInt8] { host.bytes + [UInt8(port >> 8), UInt8(port & 0xff)] }

  init?(wireBytes bytes: [UInt8]) {
    guard bytes.count == 18, let host = Bytes16(bytes.prefix(16)) else { return nil }
    self.init(host: host, port: UInt16(bytes[16]) << 8 | UInt16(bytes[17]))
  }
}

extension MemberCard {
  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.array(1, key.bytes.bytes)
    writer.text(2, name)
    writer.array(3, address.wireBytes)
    writer.flag(4, hasLeft)
    writer.text(5, software)
    writer.unsigned(10, UInt64(expect))
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var key: PublicKey?
    var name = ""
    var address: Address?
    var hasLeft = false
    var software = ""
    var expect: UInt32 = 0
    while let field = try reader.next() {
      switch field.tag {
      case 1: key = PublicKey(try field.bytes32())
      case 2: name = try field.text(limit: Limits.nodeNameBytes)
      case 3: address = Address(wireBytes: try field.array(limit: 18))
      case 4: hasLeft = try field.flag()
      case 5: software = try field.text(limit: 64)
      case 10: expect = try field.unsigned32()
      default: break
      }
    }
    guard let key else { throw .field(1) }
    guard !name.isEmpty else { throw .field(2) }
    guard let address, !address.isMulticast, address.port != 0 else { throw .field(3) }
    self.init(
      key: key, name: name, address: address, hasLeft: hasLeft, software: software, expect: expect)
  }
}

/// The content of a record `suspicion/<subject>`: which card of the subject went unanswered.
/// A newer card than `stamp` refutes it.
struct Suspicion: Hashable, Sendable {
  var subject: NodeID
  var stamp: RecordStamp

  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.array(1, subject.bytes.bytes)
    writer.unsigned(2, stamp.counter)
    writer.unsigned(3, stamp.version)
    return writer.bytes
  }

  init(subject: NodeID, stamp: RecordStamp) {
    self.subject = subject
    self.stamp = stamp
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var subject: NodeID?
    var stamp = RecordStamp(counter: 0, version: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: subject = try field.node()
      case 2: stamp.counter = try field.unsigned()
      case 3: stamp.version = try field.unsigned()
      default: break
      }
    }
    guard let subject else { throw .field(1) }
    self.init(subject: subject, stamp: stamp)
  }
}

/// The content of a finding: whether its author finds one life of a member unfit.
struct Finding: Hashable, Sendable {
  var subject: NodeID
  /// The counter of the subject's incarnation.
  var life: UInt64
  /// False: taken back.
  var stands: Bool

  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.array(1, subject.bytes.bytes)
    writer.unsigned(2, life)
    writer.flag(3, stands)
    return writer.bytes
  }

  init(subject: NodeID, life: UInt64, stands: Bool) {
    self.subject = subject
    self.life = life
    self.stands = stands
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var subject: NodeID?
    var life: UInt64 = 0
    var stands = false
    while let field = try reader.next() {
      switch field.tag {
      case 1: subject = try field.node()
      case 2: life = try field.unsigned()
      case 3: stands = try field.flag()
      default: break
      }
    }
    guard let subject else { throw .field(1) }
    self.init(subject: subject, life: life, stands: stands)
  }
}
