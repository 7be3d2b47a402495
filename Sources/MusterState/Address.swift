/// An IP address and a UDP port, without a name to look up.
///
/// IPv4 is held as its IPv4-mapped IPv6 form, so that one type serves both.
package struct Address: Hashable, Comparable, Sendable {
  package var host: Bytes16
  package var port: UInt16

  package init(host: Bytes16, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// An IPv4 address from its four bytes, most significant first.
  package init(v4 host: UInt32, port: UInt16) {
    self.init(host: Bytes16(high: 0, low: 0xffff_0000_0000 | UInt64(host)), port: port)
  }

  package var isV4: Bool { host.high == 0 && host.low >> 32 == 0xffff }

  /// The IPv4 address as a number; meaningful when `isV4`.
  package var v4: UInt32 { UInt32(truncatingIfNeeded: host.low) }

  /// Whether this is a multicast group (224.0.0.0/4 or ff00::/8).
  package var isMulticast: Bool {
    isV4 ? v4 >> 28 == 0xe : host.high >> 56 == 0xff
  }

  package static func < (left: Address, right: Address) -> Bool {
    left.host != right.host ? left.host < right.host : left.port < right.port
  }
}

extension Address: CustomStringConvertible {
  /// `192.0.2.1:7946` or `[2001:db8::1]:7946`.
  package var description: String {
    isV4 ? "\(hostDescription):\(port)" : "[\(hostDescription)]:\(port)"
  }

  /// The host without its port.
  package var hostDescription: String {
    if isV4 {
      return (0..<4).map { String(v4 >> (24 - 8 * UInt32($0)) & 0xff) }.joined(separator: ".")
    }
    let raw = host.bytes
    let groups = (0..<8).map { UInt16(raw[2 * $0]) << 8 | UInt16(raw[2 * $0 + 1]) }
    let run = Self.longestZeroRun(groups)
    let text = groups.map { String($0, radix: 16) }
    guard let run else { return text.joined(separator: ":") }
    return text[..<run.lowerBound].joined(separator: ":") + "::"
      + text[run.upperBound...].joined(separator: ":")
  }

  /// RFC 5952, section 4.2: the longest run of at least two zero groups is shortened.
  private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
    var best: Range<Int>?
    var start: Int?
    for index in 0...groups.count {
      if index < groups.count, groups[index] == 0 {
        start = start ?? index
        continue
      }
      if let begun = start, index - begun >= 2, index - begun > (best?.count ?? 0) {
        best = begun..<index
      }
      start = nil
    }
    return best
  }
}

extension Address {
  /// Reads `192.0.2.1:7946` or `[2001:db8::1]:7946`; `nil` for anything else, names included.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard let bytes = Self.parseV6(host) else { return nil }
      self.init(host: bytes, port: port)
      return
    }
    guard let v4 = Self.parseV4(host) else { return nil }
    self.init(v4: v4, port: port)
  }

  private static func parseV4(_ text: String) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard part.utf8.count <= 3, part.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
        let byte = UInt8(part)
      else { return nil }
      value = value << 8 | UInt32(byte)
    }
    return value
  }

  private static func parseV6(_ text: String) -> Bytes16? {
    func groups(_ part: Substring) -> [UInt16]? {
      guard !part.isEmpty else { return [] }
      var result: [UInt16] = []
      for group in part.split(separator: ":", omittingEmptySubsequences: false) {
        guard !group.isEmpty, group.utf8.count <= 4, let value = UInt16(group, radix: 16) else {
          return nil
        }
        result.append(value)
      }
      return result
    }
    let bytes = Array(text.utf8)
    let gap = bytes.indices.dropLast().first { bytes[$0] == 58 && bytes[$0 + 1] == 58 }
    var all: [UInt16]
    if let gap {
      let head = text.utf8.prefix(gap)
      let tail = text.utf8.dropFirst(gap + 2)
      guard let before = groups(Substring(head)), let after = groups(Substring(tail)),
        before.count + after.count < 8
      else { return nil }
      let zeros = [UInt16](repeating: 0, count: 8 - before.count - after.count)
      all = before + zeros + after
    } else {
      guard let whole = groups(Substring(text)), whole.count == 8 else { return nil }
      all = whole
    }
    return Bytes16(all.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] })
  }
}
