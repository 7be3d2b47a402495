import Glibc
import MusterSystem
import Testing

@Suite struct `A connection probe` {
  /// A listening socket on 127.0.0.1 that answers one connection with `answer`, and the outcome
  /// of probing it.
  private func outcome(
    _ request: ConnectionProbe.Request, answer: String?, timeout: Int64 = 5_000_000_000
  ) throws -> String? {
    let loop = try EventLoop()
    let listener = try listener()
    let port = try portOf(listener.number)
    var accepted: Int32 = -1
    try loop.watch(listener.number) {
      accepted = accept(listener.number, nil, nil)
      guard let answer else { return }
      let bytes = Array(answer.utf8)
      _ = unsafe send(accepted, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      shutdown(accepted, Int32(SHUT_WR))
    }
    defer { if accepted >= 0 { close(accepted) } }
    return try wait(request, port: port, timeout: timeout, loop: loop)
  }

  private func wait(
    _ request: ConnectionProbe.Request, port: UInt16, timeout: Int64, loop: EventLoop
  ) throws -> String? {
    var result: String??
    let address = SocketAddress(high: 0, low: 0xffff_7f00_0001, port: port)
    _ = ConnectionProbe(request, of: address, timeout: timeout, loop: loop) { result = $0 }
    #expect(result == nil)
    let limit = loop.now + 10_000_000_000
    while result == nil, loop.now < limit { try loop.turn(limit: 100_000_000) }
    return try #require(result)
  }

  /// A socket that listens on 127.0.0.1, on a port of the kernel's choice.
  private func listener() throws -> FileDescriptor {
    let listener = FileDescriptor(owning: socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(listener.number, $0, size)
      }
    }
    try #require(code == 0 && listen(listener.number, 4) == 0)
    return listener
  }

  private func portOf(_ number: Int32) throws -> UInt16 {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(number, $0, &size)
      }
    }
    try #require(code == 0)
    return UInt16(bigEndian: address.sin_port)
  }

  private let get = ConnectionProbe.Request.get(host: "127.0.0.1", path: "/health")

  @Test(
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", nil),
      ("HTTP/1.0 302 Found\n\n", nil),
      ("HTTP/1.1 404 Not Found\r\n\r\n", "HTTP status 404"),
      ("SSH-2.0-OpenSSH\r\n", "the answer is not HTTP"),
      ("HTTP/1.1 2", "the connection was closed without an answer"),
      (String(repeating: "x", count: 2_000), "the answer is not HTTP"),
    ] as [(String, String?)]) func `judges the status line`(
      answer: String, expected: String?
    ) throws
  {
    #expect(try outcome(get, answer: answer) == expected)
  }

  @Test func `passes when only a connection is asked for`() throws {
    #expect(try outcome(.connect, answer: nil) == nil)
  }

  @Test func `fails when nobody answers`() throws {
    #expect(
      try outcome(get, answer: nil, timeout: 50_000_000) == "no answer within 50 ms")
  }

  @Test func `fails when nobody listens`() throws {
    let loop = try EventLoop()
    let socket = try listener()
    let port = try portOf(socket.number)
    shutdown(socket.number, Int32(SHUT_RDWR))
    #expect(
      try wait(.connect, port: port, timeout: 5_000_000_000, loop: loop) == "Connection refused")
  }
}
