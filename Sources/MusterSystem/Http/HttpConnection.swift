import Glibc

/// The client's end of one connection: writes a request, reads an answer of HTTP/1.1.
struct HttpConnection: ~Copyable {
  struct Head {
    var status: Int
    /// `nil`: until the connection ends.
    var length: Int?
    var isChunked: Bool
  }

  private let socket: FileDescriptor
  private var buffer: [UInt8] = []
  private var offset = 0

  init(path: String, silence: Int64?) throws(HttpError) {
    guard let address = UnixAddress(path) else {
      throw .nobodyListens(path: path, reason: "a socket's path has 1 to 107 bytes")
    }
    do throws(SystemError) {
      self.init(socket: try Self.connected(address, silence: silence))
    } catch {
      throw error.code == EACCES || error.code == EPERM
        ? .forbidden(path: path) : .nobodyListens(path: path, reason: error.reason)
    }
  }

  private init(socket: consuming FileDescriptor) { self.socket = socket }

  private static func connected(
    _ address: UnixAddress, silence: Int64?
  ) throws(SystemError) -> FileDescriptor {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = FileDescriptor(
      owning: try retrying("socket") { Glibc.socket(AF_UNIX, kind, 0) })
    if let silence {
      var limit = timeval(
        tv_sec: Int(silence / 1_000_000_000), tv_usec: Int(silence % 1_000_000_000 / 1_000))
      let size = socklen_t(MemoryLayout<timeval>.size)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        try retrying("setsockopt") {
          unsafe setsockopt(socket.number, SOL_SOCKET, option, &limit, size)
        }
      }
    }
    var address = address
    try retrying("connect") {
      unsafe address.withPointer { unsafe connect(socket.number, $0, $1) }
    }
    return socket
  }

  mutating func write(_ bytes: [UInt8]) throws(HttpError) {
    var sent = 0
    while sent < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe send(
          socket.number, $0.baseAddress?.advanced(by: sent), bytes.count - sent,
          Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      // The agent refuses before it has read all: its answer says why.
      if count < 0, errno == EPIPE || errno == ECONNRESET { return }
      guard count > 0 else { throw Self.failure(errno) }
      sent += count
    }
  }

  mutating func readHead() throws(HttpError) -> Head {
    var head = Head(status: 0, length: nil, isChunked: false)
    let parts = try readLine().split(separator: " ", maxSplits: 2)
    guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]),
      (200...599).contains(status)
    else { throw .malformed("no status line") }
    head.status = status
    for _ in 0..<100 {
      let line = try readLine()
      if line.isEmpty { return head }
      guard let colon = line.firstIndex(of: ":") else { throw .malformed("a header") }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      switch line[..<colon].lowercased() {
      case "content-length":
        guard let length = Int(value), (0...HttpLimits.replyBody).contains(length) else {
          throw .malformed("the length of its body")
        }
        head.length = length
      case "transfer-encoding": head.isChunked = value.lowercased() == "chunked"
      default: break
      }
    }
    throw .malformed("too many headers")
  }

  mutating func readBody(_ head: Head) throws(HttpError) -> [UInt8] {
    var body: [UInt8] = []
    try readParts(head) { part in
      body += part
      return body.count <= HttpLimits.replyBody
    }
    guard body.count <= HttpLimits.replyBody else { throw .malformed("its body is too large") }
    return body
  }

  mutating func readLines(_ head: Head, line: ([UInt8]) -> Bool) throws(HttpError) {
    var rest: [UInt8] = []
    var isTooLong = false
    try readParts(head) { part in
      for byte in part {
        if byte != 10 {
          rest.append(byte)
        } else {
          let whole = rest
          rest.removeAll(keepingCapacity: true)
          if !line(whole) { return false }
        }
      }
      isTooLong = rest.count > HttpLimits.line
      return !isTooLong
    }
    if isTooLong { throw .malformed("a line is too long") }
  }

  /// Hands the body over in parts until it ends or `take` has enough.
  private mutating func readParts(
    _ head: Head, take: (ArraySlice<UInt8>) -> Bool
  ) throws(HttpError) {
    if head.isChunked { return try readChunks(take) }
    var remaining = head.length ?? .max
    while remaining > 0 {
      if offset == buffer.count, try !fill() {
        guard head.length == nil else { throw .brokenOff("the answer is incomplete") }
        return
      }
      let part = buffer[offset...].prefix(remaining)
      offset = part.endIndex
      remaining -= part.count
      if !take(part) { return }
    }
  }

  private mutating func readChunks(_ take: (ArraySlice<UInt8>) -> Bool) throws(HttpError) {
    while true {
      let text = try readLine().prefix { $0 != ";" }
      guard text.utf8.count <= 8, var remaining = Int(text, radix: 16), remaining >= 0 else {
        throw .malformed("a chunk's size")
      }
      if remaining == 0 { return }
      while remaining > 0 {
        if offset == buffer.count, try !fill() { throw .brokenOff("the answer is incomplete") }
        let part = buffer[offset...].prefix(remaining)
        offset = part.endIndex
        remaining -= part.count
        if !take(part) { return }
      }
      guard try readLine().isEmpty else { throw .malformed("a chunk's end") }
    }
  }

  private mutating func readLine() throws(HttpError) -> String {
    var line: [UInt8] = []
    while true {
      if offset == buffer.count, try !fill() { throw .brokenOff("the answer is incomplete") }
      let byte = buffer[offset]
      offset += 1
      if byte == 10 { break }
      line.append(byte)
      guard line.count <= 8_192 else { throw .malformed("a header is too long") }
    }
    if line.last == 13 { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }

  /// Reads what there is; false at the end.
  private mutating func fill() throws(HttpError) -> Bool {
    var fresh = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe recv(socket.number, &fresh, fresh.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure(errno) }
      buffer = Array(fresh.prefix(count))
      offset = 0
      return count > 0
    }
  }

  private static func failure(_ code: Int32) -> HttpError {
    code == EAGAIN ? .timedOut : .brokenOff(SystemError(call: "recv", code: code).reason)
  }
}
