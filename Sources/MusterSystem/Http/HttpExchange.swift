import CMicrohttpd
import Glibc

/// One request and its answer, from the head of the request to the last byte of the answer.
@safe final class HttpExchange {
  private enum Phase {
    /// The request is being read.
    case receiving
    /// The handler is being asked.
    case handling
    /// Nothing moves until the handler answers.
    case waiting
    /// The answer is with the library; a stream may be asked for more.
    case sending
    /// A stream has nothing to send at the moment.
    case idle
    /// The client has its answer, or has gone.
    case over
  }

  private enum Answer {
    case whole(HttpResponse)
    case stream(HttpStream, contentType: String)
  }

  private unowned let server: HttpServer
  private let connection: OpaquePointer
  private var request: HttpRequest
  private var phase = Phase.receiving
  private var received = 0
  private var answer: Answer?
  private var stream: HttpStream?
  /// The client has gone or is given up: what the library asks next ends the connection.
  private var isAborted = false
  private var isWatchingHangUp = false
  private var pending: [UInt8] = []
  private var pendingOffset = 0
  /// Called once when the exchange ends before an answer was given.
  var onAbandoned: (() -> Void)?

  init(server: HttpServer, connection: OpaquePointer, path: String, method: String) {
    self.server = server
    unsafe self.connection = connection
    request = HttpRequest(method: method, path: path)
  }

  var isOpen: Bool { phase != .over && !isAborted }

  // MARK: - The request

  /// Reads the head. A body far beyond the limit is refused before it is sent.
  func acceptHead() -> Bool {
    request.query = unsafe fields { unsafe muster_http_query(connection, $0, $1) }
    request.headers = unsafe fields { unsafe muster_http_headers(connection, $0, $1) }
      .map { HttpField($0.name.lowercased(), $0.value) }
    guard let declared = request.header("content-length").flatMap(Int.init),
      declared > Self.discarded
    else { return true }
    phase = .handling
    answer = .whole(Self.tooLarge)
    return queue()
  }

  /// A body beyond the limit is read and thrown away up to here, so that the client can finish
  /// sending and reads the refusal.
  private static let discarded = 16 * HttpLimits.requestBody

  func acceptBody(_ part: [UInt8]) -> Bool {
    received += part.count
    if received <= HttpLimits.requestBody { request.body += part }
    return received <= Self.discarded
  }

  /// Carries on where the exchange stands: asks the handler, or passes its answer on. `false`
  /// ends the connection.
  func proceed() -> Bool {
    if isAborted { return false }
    if phase == .receiving {
      phase = .handling
      if received > HttpLimits.requestBody {
        answer = .whole(Self.tooLarge)
      } else {
        server.handler(request, HttpResponder(self))
      }
    }
    if answer != nil { return queue() }
    phase = .waiting
    suspend()
    return true
  }

  private static let tooLarge = HttpResponse(
    status: 413,
    body: Array(
      #"{"error":"the request's body is larger than 64 KiB","advice":"send less"}"#.utf8))

  // MARK: - The answer

  func respond(_ response: HttpResponse) { take(.whole(response)) }

  func respond(_ stream: HttpStream, contentType: String) {
    take(.stream(stream, contentType: contentType))
  }

  private func take(_ given: Answer) {
    guard isOpen else {
      if case .stream(let stream, _) = given { stream.ended() }
      return
    }
    precondition(answer == nil, "a request is answered once")
    answer = given
    onAbandoned = nil
    if phase == .waiting { resume() }
  }

  private func queue() -> Bool {
    guard let answer else { return false }
    phase = .sending
    switch answer {
    case .whole(let response):
      let made = unsafe response.body.withUnsafeBytes {
        unsafe muster_http_whole($0.baseAddress, $0.count)
      }
      return unsafe send(
        made, status: response.status,
        headers: [HttpField("Content-Type", response.contentType)] + response.headers)
    case .stream(let stream, let contentType):
      self.stream = stream
      server.counters.streams += 1
      let context = unsafe Unmanaged.passRetained(self).toOpaque()
      let made = unsafe muster_http_stream(onRead, context, onReleased)
      if unsafe made == nil { unsafe Unmanaged<HttpExchange>.fromOpaque(context).release() }
      return unsafe send(made, status: 200, headers: [HttpField("Content-Type", contentType)])
    }
  }

  private func send(_ response: OpaquePointer?, status: Int, headers: [HttpField]) -> Bool {
    guard let response = unsafe response else { return false }
    for header in headers { unsafe muster_http_header(response, header.name, header.value) }
    unsafe muster_http_header(response, "Cache-Control", "no-store")
    unsafe muster_http_header(response, "X-Content-Type-Options", "nosniff")
    return unsafe muster_http_queue(connection, UInt32(status), response) == 1
  }

  // MARK: - Streams

  /// Fills the library's buffer: how many bytes, 0 for "later", -1 for the end, -2 to break off.
  fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    while pendingOffset == pending.count {
      guard !isAborted, let stream else { return -2 }
      switch stream.next() {
      case .bytes(let bytes):
        pending = bytes
        pendingOffset = 0
      case .end:
        return -1
      case .wait:
        phase = .idle
        suspend()
        return 0
      }
    }
    if isAborted { return -2 }
    let count = min(buffer.count, pending.count - pendingOffset)
    unsafe buffer.copyBytes(from: pending[pendingOffset..<pendingOffset + count])
    pendingOffset += count
    return count
  }

  /// There is more to read.
  func wake() {
    guard phase == .idle else { return }
    phase = .sending
    resume()
  }

  /// Ends a stream whose client is too slow.
  func cut() {
    guard isOpen else { return }
    server.counters.cut += 1
    isAborted = true
    switch phase {
    case .idle, .waiting: resume()
    // The library waits until the client takes bytes, which may be never.
    case .sending: shutdown(unsafe muster_http_descriptor(connection), Int32(SHUT_RDWR))
    case .receiving, .handling, .over: break
    }
  }

  // MARK: - Waiting

  private func suspend() {
    unsafe MHD_suspend_connection(connection)
    // While suspended, the library does not look at the connection: a client that goes away would
    // keep its place for as long as nothing is sent.
    let descriptor = unsafe muster_http_descriptor(connection)
    isWatchingHangUp = true
    try? server.loop.watch(descriptor) { [unowned self] in self.lookForHangUp(descriptor) }
  }

  private func lookForHangUp(_ descriptor: Int32) {
    var byte: UInt8 = 0
    let flags = Int32(MSG_PEEK | MSG_DONTWAIT)
    let count = unsafe recv(descriptor, &byte, 1, flags)
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    stopWatchingHangUp()
    // A client may send its next request early; the library reads it in its turn.
    if count <= 0 { abort() }
  }

  private func stopWatchingHangUp() {
    guard isWatchingHangUp else { return }
    isWatchingHangUp = false
    server.loop.unwatch(unsafe muster_http_descriptor(connection))
  }

  private func resume() {
    stopWatchingHangUp()
    unsafe MHD_resume_connection(connection)
    server.runSoon()
  }

  // MARK: - The end

  /// Gives the client up; the library ends the exchange at its next turn.
  func abort() {
    guard isOpen else { return }
    isAborted = true
    if phase == .waiting || phase == .idle { resume() }
  }

  /// The library has let go of the exchange.
  func finish() {
    guard phase != .over else { return }
    stopWatchingHangUp()
    phase = .over
    if let stream {
      server.counters.streams -= 1
      stream.ended()
    }
    stream = nil
    let abandoned = onAbandoned
    onAbandoned = nil
    if answer == nil { abandoned?() }
    answer = nil
  }

  private func fields(
    _ visit: (muster_http_value, UnsafeMutableRawPointer) -> Void
  ) -> [HttpField] {
    var found: [HttpField] = []
    unsafe withUnsafeMutablePointer(to: &found) { unsafe visit(onField, $0) }
    return found
  }
}

private func onField(
  context: UnsafeMutableRawPointer?, key: UnsafePointer<CChar>?, keySize: Int,
  value: UnsafePointer<CChar>?, valueSize: Int
) {
  func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
    unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
  }
  let fields = unsafe context?.assumingMemoryBound(to: [HttpField].self)
  unsafe fields?.pointee.append(HttpField(text(key, keySize), text(value, valueSize)))
}

private func onRead(
  context: UnsafeMutableRawPointer?, position: UInt64, buffer: UnsafeMutablePointer<CChar>?,
  size: Int
) -> Int {
  guard let context = unsafe context else { return -2 }
  let exchange = unsafe Unmanaged<HttpExchange>.fromOpaque(context).takeUnretainedValue()
  return unsafe exchange.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func onReleased(context: UnsafeMutableRawPointer?) {
  if let context = unsafe context { unsafe Unmanaged<HttpExchange>.fromOpaque(context).release() }
}
