import MusterState
import Testing

@testable import MusterProtocol

// A span must not meet a macro, so each reading is a function of its own.

private func firstNumber(_ bytes: [UInt8]) throws(WireError) -> UInt64? {
  var reader = WireReader(bytes.span)
  while let field = try reader.next() { return try field.unsigned() }
  return nil
}

private func firstText(_ bytes: [UInt8], limit: Int) throws(WireError) -> String? {
  var reader = WireReader(bytes.span)
  while let field = try reader.next() { return try field.text(limit: limit) }
  return nil
}

private func firstNode(_ bytes: [UInt8]) throws(WireError) -> NodeID? {
  var reader = WireReader(bytes.span)
  while let field = try reader.next() { return try field.node() }
  return nil
}

private func bodyRead(_ bytes: [UInt8]) throws(WireError) -> RegisterBody {
  try RegisterBody(decoding: bytes.span)
}

private func sourceRead(_ bytes: [UInt8]) throws(WireError) -> ReleaseSource {
  try ReleaseSource(decoding: bytes.span)
}

@Suite struct WireReaderTests {
  /// The error that reading all fields ends with.
  private func failure(_ bytes: [UInt8]) -> WireError? {
    do throws(WireError) {
      var reader = WireReader(bytes.span)
      while let field = try reader.next() { _ = field.tag }
      return nil
    } catch {
      return error
    }
  }

  @Test(
    arguments: [
      ([0x08], .truncated), ([0x08, 0x80], .truncated), ([0x09, 1, 2, 3], .truncated),
      ([0x0a, 2, 1], .truncated), ([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], .truncated),
      ([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], .truncated),
      ([0x0d, 1, 2, 3], .truncated), ([0x0b], .wireType), ([0x0c], .wireType),
      ([0x0e], .wireType), ([0x0f], .wireType), ([0x00, 0], .overflow),
      ([0xf8, 0xff, 0xff, 0xff, 0x7f, 0], .overflow),
      ([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], .overflow),
      ([0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], .overflow),
    ] as [([UInt8], WireError)])
  func `bytes that are no fields end in an error`(bytes: [UInt8], error: WireError) {
    #expect(failure(bytes) == error)
  }

  @Test(
    arguments: [
      ([0x08, 0], 0), ([0x08, 0x7f], 127), ([0x08, 0x80, 1], 128),
      ([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], .max),
      ([0x09, 1, 0, 0, 0, 0, 0, 0, 0x80], 1 << 63 | 1), ([0x08, 0x81, 0], 1),
    ] as [([UInt8], UInt64)])
  func `numbers are read up to sixty-four bits`(bytes: [UInt8], value: UInt64) throws {
    #expect(try firstNumber(bytes) == value)
  }

  @Test func `what is longer than its limit is refused, and by name`() throws {
    let bytes = written { $0.text(3, "four") }
    #expect(try firstText(bytes, limit: 4) == "four")
    #expect(throws: WireError.limit(3)) { try firstText(bytes, limit: 3) }
  }

  @Test func `text that is not UTF-8 is refused`() {
    let bytes = written { $0.array(2, [0x61, 0xc3]) }
    #expect(throws: WireError.field(2)) { try firstText(bytes, limit: 9) }
  }

  @Test(arguments: [0, 1, 15, 17, 33])
  func `an identifier has sixteen bytes and nothing else`(count: Int) {
    let bytes = written { $0.item(2, [UInt8](repeating: 1, count: count)) }
    #expect(throws: count < 16 ? WireError.field(2) : .limit(2)) { try firstNode(bytes) }
  }

  @Test func `a list of nodes out of order is refused`() {
    var body = Samples.body()
    body.roster.reverse()
    body.roles = []
    #expect(throws: WireError.field(5)) { try bodyRead(body.encoded) }
    body = Samples.body(voters: [0, 1, 2, 3, 4, 5, 6])
    body.voters.append(NodeID(Bytes16(high: .max, low: .max)))
    #expect(throws: WireError.field(4)) { try bodyRead(body.encoded) }
  }

  @Test(arguments: ["", "../x", "a/b", ".a", "a b", "ä", String(repeating: "a", count: 65)])
  func `a version that is no name for a directory is refused`(version: String) {
    let source = ReleaseSource(version: version, source: "", archive: Samples.digest(""))
    let bytes = written { source.write(to: &$0) }
    #expect(throws: WireError.self) { try sourceRead(bytes) }
  }

  @Test(arguments: [
    Address(v4: 0xe000_0001, port: 1), Address(v4: 0x7f00_0001, port: 0),
  ])
  func `a card with an address that nobody can have is refused`(address: Address) {
    var card = Samples.card(0)
    card.address = address
    #expect(throws: WireError.field(3)) { try MemberCard(decoding: card.encoded) }
  }

  @Test func `a term near the end of its range is refused`() {
    var card = CoordinationCard()
    card.term = 1 << 62
    #expect(throws: WireError.overflow) { try CoordinationCard(decoding: card.encoded) }
  }

  @Test func `a refusal of a later version is no welcome`() {
    let payload = written {
      $0.item(1, Samples.memberRecord.encoded)
      $0.array(2, Samples.nonce.bytes)
      $0.unsigned(3, 9)
    }
    let bytes = written {
      $0.message(4) {
        $0.array(1, payload)
        $0.array(2, Signature(first: .zero, second: .zero).bytes)
      }
    }
    #expect(throws: WireError.field(3)) { try Contact(decoding: bytes) }
  }

  @Test func `the fullest messages fit a datagram`() {
    let stamp = RecordStamp(counter: .max, version: .max)
    let entries = (1...UInt64(StateDigest.entriesPerFrame)).map {
      StateDigest.Entry(key: .max - $0, stamp: stamp)
    }
    var frame = Frame()
    frame.digest = StateDigest(first: 1, last: .max, entries: entries)
    #expect(frame.encoded.count <= Envelope.capacity)
    frame = Frame()
    frame.buckets = Array(repeating: .max, count: Limits.buckets)
    #expect(frame.encoded.count <= Envelope.capacity)
    frame = Frame()
    frame.wanted = Array(repeating: .max, count: StateDigest.entriesPerFrame)
    #expect(frame.encoded.count <= Envelope.capacity)
    frame = Frame()
    frame.chunks = [Array(repeating: 1, count: Limits.chunkBytes)]
    #expect(frame.encoded.count <= Envelope.capacity)
    let longest = Record.make(
      author: Samples.nodes[0], incarnation: Incarnation(counter: .max, boot: .max),
      name: .coordination, version: .max,
      content: Array(repeating: 1, count: Limits.recordContentBytes), cluster: Samples.cluster,
      signer: Samples.keys[0])
    frame = Frame()
    frame.records = [longest]
    #expect(frame.encoded.count <= Envelope.capacity)
    #expect(longest.encodedSize >= frame.encoded.count)
  }

  @Test func `the card of a leader with the most votes fits a record`() {
    var card = Samples.coordination
    card.certificate = Samples.certificate(term: 1 << 61, leader: 0, voters: [0, 1, 2, 3])
    card.term = 1 << 61
    #expect(card.encoded.count <= Limits.recordContentBytes)
  }
}
