/// Sixteen bytes held as two words: the shape of node, cluster, founding and plan identifiers.
///
/// Words instead of an array keep an identifier inline: comparing, hashing and copying one costs
/// no allocation, and ten thousand members fit in a few megabytes.
@usableFromInline
package struct Bytes16: Hashable, Comparable, Sendable {
  @usableFromInline package var high: UInt64
  @usableFromInline package var low: UInt64

  @inlinable
  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads sixteen bytes in network order; `nil` when there are fewer or more.
  package init?(_ bytes: Span<UInt8>) {
    guard bytes.count == 16 else { return nil }
    self.init(high: word(bytes, at: 0), low: word(bytes, at: 8))
  }

  package init?(_ bytes: [UInt8]) { self.init(bytes.span) }
  package init?(_ bytes: ArraySlice<UInt8>) { self.init(bytes.span) }

  /// The sixteen bytes in network order.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  /// Writes the sixteen bytes in network order.
  package func append(to bytes: inout [UInt8]) {
    appendBigEndian(high, to: &bytes)
    appendBigEndian(low, to: &bytes)
  }

  @inlinable
  package static var zero: Bytes16 { Bytes16(high: 0, low: 0) }

  @inlinable
  package static func == (left: Bytes16, right: Bytes16) -> Bool {
    left.high == right.high && left.low == right.low
  }

  @inlinable
  package static func < (left: Bytes16, right: Bytes16) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }
}

/// Thirty-two bytes held as four words: keys and digests.
@usableFromInline
package struct Bytes32: Hashable, Comparable, Sendable {
  @usableFromInline package var first: Bytes16
  @usableFromInline package var second: Bytes16

  @inlinable
  package init(first: Bytes16, second: Bytes16) {
    self.first = first
    self.second = second
  }

  /// Reads thirty-two bytes in network order; `nil` when there are fewer or more.
  package init?(_ bytes: Span<UInt8>) {
    guard bytes.count == 32 else { return nil }
    first = Bytes16(high: word(bytes, at: 0), low: word(bytes, at: 8))
    second = Bytes16(high: word(bytes, at: 16), low: word(bytes, at: 24))
  }

  package init?(_ bytes: [UInt8]) { self.init(bytes.span) }
  package init?(_ bytes: ArraySlice<UInt8>) { self.init(bytes.span) }

  /// The thirty-two bytes in network order.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    append(to: &bytes)
    return bytes
  }

  /// Writes the thirty-two bytes in network order.
  package func append(to bytes: inout [UInt8]) {
    first.append(to: &bytes)
    second.append(to: &bytes)
  }

  @inlinable
  package static var zero: Bytes32 { Bytes32(first: .zero, second: .zero) }

  @inlinable
  package static func == (left: Bytes32, right: Bytes32) -> Bool {
    left.first == right.first && left.second == right.second
  }

  @inlinable
  package static func < (left: Bytes32, right: Bytes32) -> Bool {
    left.first != right.first ? left.first < right.first : left.second < right.second
  }
}

/// Eight bytes in network order as a number; the caller has checked that they are there.
package func word(_ bytes: Span<UInt8>, at start: Int) -> UInt64 {
  var word: UInt64 = 0
  for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
  return word
}

/// Writes a number's eight bytes in network order.
package func appendBigEndian(_ word: UInt64, to bytes: inout [UInt8]) {
  for shift: UInt64 in [56, 48, 40, 32, 24, 16, 8, 0] {
    bytes.append(UInt8(truncatingIfNeeded: word >> shift))
  }
}

/// Lower-case hexadecimal, the one spelling of bytes in messages, files and JSON.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits: [UInt8] = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// Bytes from hexadecimal of either case; `nil` for an odd length or a foreign character.
package func bytes(hexadecimal text: String) -> [UInt8]? {
  let digits = Array(text.utf8)
  guard digits.count.isMultiple(of: 2) else { return nil }
  func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }
  var result: [UInt8] = []
  for index in stride(from: 0, to: digits.count, by: 2) {
    guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
    result.append(high << 4 | low)
  }
  return result
}
