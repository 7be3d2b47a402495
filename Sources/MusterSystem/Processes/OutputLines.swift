/// Cuts a stream of bytes into lines, and lines that are too long into several.
package struct OutputLines: Sendable {
  /// The longest line, in bytes.
  package let limit: Int
  private var rest: [UInt8] = []

  package init(limit: Int = 2_048) {
    precondition(limit > 0, "a line has room for something")
    self.limit = limit
  }

  /// The lines that `bytes` complete, without their ends. What is no UTF-8 shows as U+FFFD.
  package mutating func add(_ bytes: [UInt8]) -> [String] {
    var lines: [String] = []
    for byte in bytes {
      if byte == 0x0a || rest.count >= limit { lines.append(take()) }
      if byte != 0x0a { rest.append(byte) }
    }
    return lines
  }

  /// The line that never got its end, once there will be no more.
  package mutating func finish() -> String? { rest.isEmpty ? nil : take() }

  private mutating func take() -> String {
    if rest.last == 0x0d { rest.removeLast() }
    defer { rest.removeAll(keepingCapacity: true) }
    return String(decoding: rest, as: UTF8.self)
  }
}
