import CLinux
import Glibc

/// One question to a service over TCP, on the event loop: does it accept a connection, and does
/// it answer a GET?
package final class ConnectionProbe {
  package enum Request: Hashable, Sendable {
    /// Passes when the connection is accepted.
    case connect
    /// Passes when the answer's status is 200 to 399; the rest of it is not read.
    case get(host: String, path: String)
  }

  /// A status line that is longer is none.
  private static let statusBytes = 1_024

  private let loop: EventLoop
  private let request: Request
  private var descriptor: Int32?
  private var answer: [UInt8] = []
  private var timer: EventLoop.TimerToken?
  /// `nil` once called, or cancelled.
  private var completion: ((_ failure: String?) -> Void)?

  /// Begins at once. `completion` comes once, on the loop, never from within this call; without
  /// a failure the probe has passed.
  ///
  /// - Parameter timeout: nanoseconds.
  package init(
    _ request: Request, of address: SocketAddress, timeout: Int64, loop: EventLoop,
    completion: @escaping (_ failure: String?) -> Void
  ) {
    self.loop = loop
    self.request = request
    self.completion = completion
    do throws(SystemError) {
      let number = try retrying("connect") {
        muster_stream_connect(address.high, address.low, address.port)
      }
      descriptor = number
      // The handlers keep this object alive until it has finished.
      try loop.watch(number, for: .writable) { self.connected() }
      timer = loop.schedule(after: timeout) {
        self.finish("no answer within \(timeout / 1_000_000) ms")
      }
    } catch {
      timer = loop.schedule(after: 0) { self.finish(error.reason) }
    }
  }

  /// Ends the question; `completion` will not be called.
  package func cancel() {
    completion = nil
    finish(nil)
  }

  private func connected() {
    guard let descriptor else { return }
    let code = muster_socket_error(descriptor)
    guard code == 0 else { return finish(SystemError(call: "connect", code: code).reason) }
    switch request {
    case .connect: finish(nil)
    case .get(let host, let path):
      let text =
        "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: muster\r\nAccept: */*\r\n"
        + "Connection: close\r\n\r\n"
      let bytes = Array(text.utf8)
      // A new connection has room for a request of this size.
      let count = unsafe send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      guard count == bytes.count else { return finish("the connection was closed") }
      do throws(SystemError) {
        try loop.watch(descriptor) { self.read() }
      } catch {
        finish(error.reason)
      }
    }
  }

  private func read() {
    guard let descriptor else { return }
    var buffer = [UInt8](repeating: 0, count: Self.statusBytes)
    let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
    if count < 0 {
      if errno == EAGAIN || errno == EINTR { return }
      return finish(SystemError(call: "recv", code: errno).reason)
    }
    answer += buffer[..<count]
    if let end = answer.firstIndex(of: 0x0a) {
      return judge(String(decoding: answer[..<end], as: UTF8.self))
    }
    if count == 0 { return finish("the connection was closed without an answer") }
    if answer.count >= Self.statusBytes { finish("the answer is not HTTP") }
  }

  /// RFC 9112, section 4: `HTTP/1.1 200 OK`.
  private func judge(_ line: String) {
    let parts = line.split(separator: " ", maxSplits: 2)
    guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1].prefix(3))
    else { return finish("the answer is not HTTP") }
    finish((200...399).contains(status) ? nil : "HTTP status \(status)")
  }

  private func finish(_ failure: String?) {
    if let timer { loop.cancel(timer) }
    timer = nil
    if let descriptor {
      loop.unwatch(descriptor)
      close(descriptor)
    }
    descriptor = nil
    completion.take()?(failure)
  }
}
