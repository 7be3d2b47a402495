/// Sixteen bytes held as two words: the shape of node, cluster, founding and plan identifiers.
///
/// Words instead of an array keep an identifier inline: comparing, hashing and copying one costs
/// no allocation, and ten thousand members fit in a few megabytes.
package struct Bytes16: Hashable, Comparable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads sixteen bytes in network order; `nil` when there are fewer or more.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 16 else { return nil }
    high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The sixteen bytes in network order.
  package var bytes: [UInt8] { bigEndian(high) + bigEndian(low) }

  package static let zero = Bytes16(high: 0, low: 0)

  package static func < (left: Bytes16, right: Bytes16) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }
}

/// Thirty-two bytes held as four words: keys and digests.
package struct Bytes32: Hashable, Comparable, Sendable {
  package var first: Bytes16
  package var second: Bytes16

  package init(first: Bytes16, second: Bytes16) {
    self.first = first
    self.second = second
  }

  /// Reads thirty-two bytes in network order; `nil` when there are fewer or more.
  package init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 32, let first = Bytes16(bytes.prefix(16)),
      let second = Bytes16(bytes.dropFirst(16))
    else { return nil }
    self.first = first
    self.second = second
  }

  /// The thirty-two bytes in network order.
  package var bytes: [UInt8] { first.bytes + second.bytes }

  package static let zero = Bytes32(first: .zero, second: .zero)

  package static func < (left: Bytes32, right: Bytes32) -> Bool {
    left.first != right.first ? left.first < right.first : left.second < right.second
  }
}

private func bigEndian(_ word: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
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
