import MusterState

/// Reads protobuf fields from bytes that may be hostile: every step is checked, nothing traps,
/// and unknown fields are skipped so that versions can live side by side.
struct WireReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  /// One field's number and value. Numbers of varint and fixed64 fields are in `number`.
  struct Field: ~Escapable {
    let tag: Int
    let wireType: UInt8
    let number: UInt64
    let content: Span<UInt8>

    @_lifetime(copy content)
    init(tag: Int, wireType: UInt8, number: UInt64, content: Span<UInt8>) {
      self.tag = tag
      self.wireType = wireType
      self.number = number
      self.content = content
    }

    /// The value of a varint or fixed64 field.
    func unsigned() throws(WireError) -> UInt64 {
      guard wireType == 0 || wireType == 1 else { throw .wireType }
      return number
    }

    func unsigned32() throws(WireError) -> UInt32 {
      guard let value = UInt32(exactly: try unsigned()) else { throw .overflow }
      return value
    }

    func flag() throws(WireError) -> Bool { try unsigned() != 0 }

    /// A length-delimited field's bytes, at most `limit`.
    func array(limit: Int) throws(WireError) -> [UInt8] {
      guard wireType == 2 else { throw .wireType }
      guard content.count <= limit else { throw .limit(tag) }
      return copy(content)
    }

    func text(limit: Int) throws(WireError) -> String {
      guard let text = String(validating: try array(limit: limit), as: UTF8.self) else {
        throw .field(tag)
      }
      return text
    }

    /// Checks the field of a value of fixed size, which is read where it lies.
    private func fixed(_ size: Int) throws(WireError) {
      guard wireType == 2 else { throw .wireType }
      guard content.count <= size else { throw .limit(tag) }
    }

    func bytes16() throws(WireError) -> Bytes16 {
      try fixed(16)
      guard let value = Bytes16(content) else { throw .field(tag) }
      return value
    }

    func bytes32() throws(WireError) -> Bytes32 {
      try fixed(32)
      guard let value = Bytes32(content) else { throw .field(tag) }
      return value
    }

    func node() throws(WireError) -> NodeID { NodeID(try bytes16()) }
    func digest() throws(WireError) -> Digest { Digest(try bytes32()) }

    func signature() throws(WireError) -> Signature {
      try fixed(64)
      guard let value = Signature(content) else { throw .field(tag) }
      return value
    }

    /// The bytes of a nested message, to be read in turn.
    var message: Span<UInt8> {
      @_lifetime(copy self)
      get throws(WireError) {
        guard wireType == 2 else { throw .wireType }
        return content
      }
    }
  }

  /// The next field, or `nil` at the end.
  @_lifetime(copy self)
  mutating func next() throws(WireError) -> Field? {
    guard offset < bytes.count else { return nil }
    let key = try varint()
    guard let tag = Int(exactly: key >> 3), tag >= 1, tag < 1 << 29 else { throw .overflow }
    let wireType = UInt8(key & 7)
    let empty = bytes.extracting(first: 0)
    switch wireType {
    case 0:
      return Field(tag: tag, wireType: wireType, number: try varint(), content: empty)
    case 1:
      return Field(tag: tag, wireType: wireType, number: try little(8), content: empty)
    case 2:
      guard let count = Int(exactly: try varint()), count <= bytes.count - offset else {
        throw .truncated
      }
      let content = bytes.extracting(offset..<offset + count)
      offset += count
      return Field(tag: tag, wireType: wireType, number: 0, content: content)
    case 5:
      return Field(tag: tag, wireType: wireType, number: try little(4), content: empty)
    case _:
      throw .wireType
    }
  }

  private mutating func varint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard offset < bytes.count else { throw .truncated }
      let byte = bytes[offset]
      offset += 1
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { throw .overflow }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  private mutating func little(_ count: Int) throws(WireError) -> UInt64 {
    guard bytes.count - offset >= count else { throw .truncated }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
    offset += count
    return value
  }
}

/// The bytes of a span as an array of their own.
func copy(_ span: Span<UInt8>) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: span.count)
  for index in span.indices { bytes[index] = span[index] }
  return bytes
}
