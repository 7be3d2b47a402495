import MusterState

/// What travels sealed between two members: any number of parts in one datagram.
struct Frame: Hashable, Sendable {
  var ping: Ping?
  var acknowledgement: Ack?
  var indirectPing: IndirectPing?
  var indirectAck: IndirectAck?
  var records: [Record] = []
  /// The sender's bucket fingerprints: a question, answered with digests of what differs.
  var buckets: [UInt64] = []
  var digest: StateDigest?
  /// Keys of records that the sender lacks.
  var wanted: [UInt64] = []
  var wantedChunks: [Digest] = []
  var chunks: [[UInt8]] = []
  var heartbeat: Heartbeat?
  var promise: Heartbeat?
  var relayedHeartbeat: RelayedBeat?
  var relayedPromise: RelayedBeat?

  struct Ping: Hashable, Sendable {
    var sequence: UInt32
    var fingerprint: UInt64
    /// Who is known to share the fingerprint: see `Agreement`.
    var agreement: [UInt8] = []
  }

  struct Ack: Hashable, Sendable {
    var sequence: UInt32
    var fingerprint: UInt64
    var agreement: [UInt8] = []
    /// When the subject wants this observer's next probe, so that its observers take turns.
    var nextMilliseconds: UInt32
  }

  struct IndirectPing: Hashable, Sendable {
    var sequence: UInt32
    var subject: NodeID
  }

  struct IndirectAck: Hashable, Sendable {
    var sequence: UInt32
    var subject: NodeID
  }

  /// A leader's heartbeat, and a voter's promise that answers it.
  struct Heartbeat: Hashable, Sendable {
    var term: UInt64
    var number: UInt64
  }

  init() {}

  var isEmpty: Bool { self == Frame() }

  var encoded: [UInt8] {
    var writer = WireWriter()
    if let ping {
      writer.message(1) {
        $0.unsigned(1, UInt64(ping.sequence))
        $0.fixed(2, ping.fingerprint)
        $0.array(3, ping.agreement)
      }
    }
    if let acknowledgement {
      writer.message(2) {
        $0.unsigned(1, UInt64(acknowledgement.sequence))
        $0.fixed(2, acknowledgement.fingerprint)
        $0.array(3, acknowledgement.agreement)
        $0.unsigned(4, UInt64(acknowledgement.nextMilliseconds))
      }
    }
    if let indirectPing {
      writer.message(3) { writeIndirect(indirectPing.sequence, indirectPing.subject, to: &$0) }
    }
    if let indirectAck {
      writer.message(4) { writeIndirect(indirectAck.sequence, indirectAck.subject, to: &$0) }
    }
    for record in records { writer.item(5, record.encoded) }
    writer.array(6, packed(buckets))
    if let digest { writer.message(7) { digest.write(to: &$0) } }
    writer.array(8, packed(wanted))
    for digest in wantedChunks { writer.item(9, digest.bytes.bytes) }
    for chunk in chunks { writer.item(10, chunk) }
    if let heartbeat { writer.message(11) { writeHeartbeat(heartbeat, to: &$0) } }
    if let promise { writer.message(12) { writeHeartbeat(promise, to: &$0) } }
    if let relayedHeartbeat { writer.message(13) { relayedHeartbeat.write(to: &$0) } }
    if let relayedPromise { writer.message(14) { relayedPromise.write(to: &$0) } }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    while let field = try reader.next() {
      switch field.tag {
      case 1: ping = try Ping(decoding: field.message)
      case 2: acknowledgement = try Ack(decoding: field.message)
      case 3:
        let part = try Indirect(decoding: field.message)
        indirectPing = IndirectPing(sequence: part.sequence, subject: part.subject)
      case 4:
        let part = try Indirect(decoding: field.message)
        indirectAck = IndirectAck(sequence: part.sequence, subject: part.subject)
      case 5: records.append(try Record(decoding: field.message))
      case 6:
        buckets = try unpacked(field.array(limit: 8 * Limits.buckets))
        guard buckets.count == Limits.buckets else { throw .field(6) }
      case 7: digest = try StateDigest(decoding: field.message)
      case 8: wanted = try unpacked(field.array(limit: Limits.datagramBytes))
      case 9: wantedChunks.append(try field.digest())
      case 10: chunks.append(try field.array(limit: Limits.datagramBytes))
      case 11: heartbeat = try Heartbeat(decoding: field.message)
      case 12: promise = try Heartbeat(decoding: field.message)
      case 13: relayedHeartbeat = try RelayedBeat(decoding: field.message)
      case 14: relayedPromise = try RelayedBeat(decoding: field.message)
      default: break
      }
    }
  }
}

private func writeIndirect(_ sequence: UInt32, _ subject: NodeID, to writer: inout WireWriter) {
  writer.unsigned(1, UInt64(sequence))
  writer.array(2, subject.bytes.bytes)
}

private func writeHeartbeat(_ heartbeat: Frame.Heartbeat, to writer: inout WireWriter) {
  writer.unsigned(1, heartbeat.term)
  writer.unsigned(2, heartbeat.number)
}

/// Eight bytes a number, least significant first, as protobuf packs fixed64.
private func packed(_ numbers: [UInt64]) -> [UInt8] {
  numbers.flatMap { number in
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
  }
}

private func unpacked(_ bytes: [UInt8]) throws(WireError) -> [UInt64] {
  guard bytes.count.isMultiple(of: 8) else { throw .truncated }
  return stride(from: 0, to: bytes.count, by: 8).map { start in
    (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << (8 * UInt64($1)) }
  }
}

extension Frame.Ping {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(sequence: 0, fingerprint: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: sequence = try field.unsigned32()
      case 2: fingerprint = try field.unsigned()
      case 3: agreement = try field.array(limit: Agreement.bytes)
      default: break
      }
    }
  }
}

extension Frame.Ack {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(sequence: 0, fingerprint: 0, nextMilliseconds: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: sequence = try field.unsigned32()
      case 2: fingerprint = try field.unsigned()
      case 3: agreement = try field.array(limit: Agreement.bytes)
      case 4: nextMilliseconds = try field.unsigned32()
      default: break
      }
    }
  }
}

private struct Indirect {
  var sequence: UInt32 = 0
  var subject: NodeID

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var subject: NodeID?
    while let field = try reader.next() {
      switch field.tag {
      case 1: sequence = try field.unsigned32()
      case 2: subject = try field.node()
      default: break
      }
    }
    guard let subject else { throw .field(2) }
    self.subject = subject
  }
}

extension Frame.Heartbeat {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(term: 0, number: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: term = try field.unsigned()
      case 2: number = try field.unsigned()
      default: break
      }
    }
  }
}
