/// Why a text is no JSON value: one line that names the place.
package struct JsonError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Counted in bytes from 0.
  package let offset: Int
  package let reason: String
  package var description: String { "byte \(offset): \(reason)" }
}

extension Json {
  /// The limits of the reader; beyond each it is an error.
  package enum ReaderLimits {
    /// Arrays and objects within one another.
    package static let depth = 32
    /// Bytes of the text. An answer may hold every member of a large cluster.
    package static let bytes = 64 * 1024 * 1024
  }

  /// Reads exactly one value of RFC 8259: UTF-8, no duplicate keys, nothing behind it.
  package init(reading bytes: [UInt8]) throws(JsonError) {
    guard bytes.count <= ReaderLimits.bytes else {
      throw JsonError(offset: ReaderLimits.bytes, reason: "the text is too long")
    }
    var reader = JsonReader(bytes: bytes)
    self = try reader.readWhole()
  }
}

private struct JsonReader {
  let bytes: [UInt8]
  var offset = 0

  mutating func readWhole() throws(JsonError) -> Json {
    let value = try read(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw failure("something stands behind the value") }
    return value
  }

  private func failure(_ reason: String) -> JsonError {
    JsonError(offset: offset, reason: reason)
  }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { offset += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    offset += 1
    return true
  }

  private mutating func read(depth: Int) throws(JsonError) -> Json {
    guard depth < Json.ReaderLimits.depth else { throw failure("it is nested too deeply") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try readObject(depth: depth)
    case UInt8(ascii: "["): return try readArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try readString())
    case UInt8(ascii: "t"): return try readWord("true", .bool(true))
    case UInt8(ascii: "f"): return try readWord("false", .bool(false))
    case UInt8(ascii: "n"): return try readWord("null", .null)
    case .some(UInt8(ascii: "-")), .some(48...57): return try readNumber()
    case nil: throw failure("the text ends where a value should be")
    default: throw failure("no value begins with this character")
    }
  }

  private mutating func readWord(_ word: String, _ value: Json) throws(JsonError) -> Json {
    guard bytes[offset...].starts(with: word.utf8) else { throw failure("\(word) was expected") }
    offset += word.utf8.count
    return value
  }

  private mutating func readArray(depth: Int) throws(JsonError) -> Json {
    offset += 1
    var elements: [Json] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array([]) }
    while true {
      elements.append(try read(depth: depth + 1))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw failure("a comma or ] was expected") }
    }
  }

  private mutating func readObject(depth: Int) throws(JsonError) -> Json {
    offset += 1
    var members: [JsonMember] = []
    var keys: Set<String> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object([]) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("a key was expected") }
      let start = offset
      let key = try readString()
      guard keys.insert(key).inserted else {
        throw JsonError(offset: start, reason: "the key \"\(key)\" is there twice")
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("a colon was expected") }
      members.append(JsonMember(key, try read(depth: depth + 1)))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw failure("a comma or } was expected") }
    }
  }

  private mutating func readString() throws(JsonError) -> String {
    offset += 1
    let start = offset
    var text: [UInt8] = []
    while let byte = next {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let whole = String(validating: text, as: UTF8.self) else {
          throw JsonError(offset: start, reason: "a string is not UTF-8")
        }
        return whole
      case UInt8(ascii: "\\"): try readEscape(into: &text)
      case 0..<32: throw failure("a control character stands in a string")
      default: text.append(byte)
      }
    }
    throw failure("a string does not end")
  }

  private mutating func readEscape(into text: inout [UInt8]) throws(JsonError) {
    guard let byte = next else { throw failure("a string does not end") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      let scalar = try readScalar()
      text.append(contentsOf: String(Character(scalar)).utf8)
    default: throw failure("this escape does not exist")
    }
  }

  /// The four digits behind `\u`, and those of the other half of a surrogate pair.
  private mutating func readScalar() throws(JsonError) -> Unicode.Scalar {
    let first = try readUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xd800...0xdbff).contains(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u"))
    else { throw failure("half a surrogate pair") }
    let second = try readUnit()
    let code = 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff)
    guard (0xdc00...0xdfff).contains(second), let scalar = Unicode.Scalar(code) else {
      throw failure("half a surrogate pair")
    }
    return scalar
  }

  private mutating func readUnit() throws(JsonError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits were expected")
      }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }

  private mutating func readNumber() throws(JsonError) -> Json {
    let start = offset
    var isInteger = true
    _ = take(UInt8(ascii: "-"))
    if !take(UInt8(ascii: "0")) { try readDigits() }
    if take(UInt8(ascii: ".")) {
      isInteger = false
      try readDigits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isInteger = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try readDigits()
    }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      throw JsonError(offset: start, reason: "the number is too large")
    }
    return .number(value)
  }

  private mutating func readDigits() throws(JsonError) {
    let start = offset
    while let byte = next, (48...57).contains(byte) { offset += 1 }
    if offset == start { throw failure("a digit was expected") }
  }
}
