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

  mutating func text(_ tag: Int, _ value: String) {
    let content = value.utf8
    guard !content.isEmpty else { return }
    varint(UInt64(tag) << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// An element of a repeated field, or a nested message: written even when empty.
  mutating func item(_ tag: Int, _ value: [UInt8]) {
    varint(UInt64(tag) << 3 | 2)
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  /// Writes the message in place. Its length stands before it and is known after it: most are
  /// short enough for the one byte that was left for it.
  mutating func message(_ tag: Int, _ body: (inout WireWriter) -> Void) {
    varint(UInt64(tag) << 3 | 2)
    let start = bytes.count
    bytes.append(0)
    body(&self)
    let length = bytes.count - start - 1
    guard length >= 0x80 else {
      bytes[start] = UInt8(length)
      return
    }
    var prefix = WireWriter()
    prefix.varint(UInt64(length))
    bytes.replaceSubrange(start...start, with: prefix.bytes)
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
