import MusterState

/// Writes protobuf fields in the one canonical form: ascending tags, defaults left out.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func unsigned(_ tag: Int, _ value: UInt64) {
    guard value != 0 else { return }
    varint(UInt64(tag) << 3)
    varint(value)
  }

  mutating func flag(_ tag: Int, _ value: Bool) { unsigned(tag, value ? 1 : 0) }

  mutating func fixed(_ tag: Int, _ value: UInt64) {
    guard value != 0 else { return }
    varint(UInt64(tag) << 3 | 1)
    for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
  }

  mutating func array(_ tag: Int, _ value: [UInt8]) {
    guard !value.isEmpty else { return }
    item(tag, value)
  }

  mutating func text(_ tag: Int, _ value: String) { array(tag, Array(value.utf8)) }

  /// An element of a repeated field, or a nested message: written even when empty.
  mutating func item(_ tag: Int, _ value: [UInt8]) {
    varint(UInt64(tag) << 3 | 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func message(_ tag: Int, _ body: (inout WireWriter) -> Void) {
    var nested = WireWriter()
    body(&nested)
    item(tag, nested.bytes)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
