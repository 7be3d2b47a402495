extension Json {
  /// The value on one line, without a line break behind it.
  package var bytes: [UInt8] {
    var writer = JsonWriter()
    writer.write(self)
    return writer.bytes
  }

  package var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Writes JSON (RFC 8259) without spaces.
private struct JsonWriter {
  var bytes: [UInt8] = []

  mutating func write(_ value: Json) {
    switch value {
    case .null: put("null")
    case .bool(let value): put(value ? "true" : "false")
    case .integer(let value): put(String(value))
    case .number(let value):
      precondition(value.isFinite, "JSON has no infinity")
      put("\(value)")
    case .string(let text): write(text)
    case .array(let elements):
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        write(element)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        write(member.key)
        bytes.append(UInt8(ascii: ":"))
        write(member.value)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): put("\\\"")
      case UInt8(ascii: "\\"): put("\\\\")
      case 10: put("\\n")
      case 13: put("\\r")
      case 9: put("\\t")
      // DEL is allowed as it is, but a terminal would act on it.
      case 0..<32, 127:
        put("\\u00")
        let digits = Array("0123456789abcdef".utf8)
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
