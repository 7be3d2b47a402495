import Glibc

/// Reads the lines that a program prints, with a limit on their length and on the wait.
package struct StoreLines {
  /// What one wait brought.
  package enum Reading: Hashable, Sendable {
    case line(String)
    /// Nothing within the time given.
    case nothing
    case end
  }

  private let descriptor: Int32
  private let limit: Int
  private var buffer: [UInt8] = []
  private var hasEnded = false

  /// The caller keeps the descriptor open. What exceeds `limit` bytes of a line is dropped.
  package init(descriptor: Int32, limit: Int = 8_192) {
    self.descriptor = descriptor
    self.limit = limit
  }

  /// Waits at most `milliseconds` for the next line.
  package mutating func next(milliseconds: Int32) throws(SystemError) -> Reading {
    while true {
      if let end = buffer.firstIndex(of: 0x0a) {
        let line = String(decoding: buffer[..<end].prefix(limit), as: UTF8.self)
        buffer.removeFirst(end + 1)
        return .line(line)
      }
      if hasEnded { return .end }
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = try retrying("poll") { unsafe poll(&event, 1, milliseconds) }
      if ready == 0 { return .nothing }
      try fill()
    }
  }

  private mutating func fill() throws(SystemError) {
    var chunk = [UInt8](repeating: 0, count: 4_096)
    let count = unsafe read(descriptor, &chunk, chunk.count)
    if count < 0 {
      if errno == EAGAIN || errno == EINTR { return }
      throw SystemError(call: "read", code: errno)
    }
    hasEnded = count == 0
    buffer += chunk[..<count]
    if buffer.count > limit, !buffer.contains(0x0a) { buffer.removeLast(buffer.count - limit) }
  }
}
