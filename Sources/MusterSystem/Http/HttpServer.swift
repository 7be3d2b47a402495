import CMicrohttpd
import Glibc

/// An HTTP/1.1 server without a thread of its own: libmicrohttpd, driven by the event loop.
///
/// The handler is called on the loop's thread with a whole request; it may answer at once, later,
/// or with a stream. Not sendable, like the loop.
@safe package final class HttpServer {
  package typealias Handler = (HttpRequest, HttpResponder) -> Void

  let loop: EventLoop
  let handler: Handler
  /// What was counted since the start.
  package internal(set) var counters = HttpCounters()

  private let listener: HttpListener
  private let daemon: UnsafeMutablePointer<muster_http_daemon>
  private var isRunning = false
  private var isRunWanted = false
  private var isClosed = false
  private var timer: EventLoop.TimerToken?
  private var exchanges: [ObjectIdentifier: HttpExchange] = [:]

  /// Serves from now on.
  ///
  /// - Throws: `HttpError.noResources`; the listener is closed then.
  package init(
    loop: EventLoop, listener: consuming HttpListener, handler: @escaping Handler
  ) throws(HttpError) {
    // The library is given a pointer to the server only once the server exists.
    let slot = UnsafeMutablePointer<Unmanaged<HttpServer>?>.allocate(capacity: 1)
    unsafe slot.initialize(to: nil)
    let callbacks = unsafe muster_http_callbacks(
      context: slot, request: onRequest, completed: onCompleted, connection: onConnection)
    guard
      let daemon = unsafe muster_http_start(
        callbacks, UInt32(HttpLimits.connections), HttpLimits.connectionMemory,
        UInt32(HttpLimits.idleSeconds))
    else {
      unsafe slot.deallocate()
      throw .noResources
    }
    self.loop = loop
    self.listener = listener
    self.handler = handler
    unsafe self.daemon = daemon
    unsafe slot.pointee = Unmanaged.passUnretained(self)
    do throws(SystemError) {
      try loop.watch(unsafe muster_http_epoll(daemon)) { [unowned self] in self.process() }
      try listen()
    } catch {
      close()
      throw .noResources
    }
  }

  /// The bound TCP port; 0 on a Unix socket.
  package var port: UInt16 { listener.port }

  /// Stops listening and ends every connection. What is answered already is still written as far
  /// as the clients take it at once.
  package func close() {
    precondition(!isRunning, "a handler must not close its own server")
    guard !isClosed else { return }
    isClosed = true
    loop.unwatch(listener.socket.number)
    for _ in 0..<8 where !exchanges.isEmpty { run() }
    for exchange in exchanges.values { exchange.abort() }
    loop.unwatch(unsafe muster_http_epoll(daemon))
    if let timer { loop.cancel(timer) }
    let context = unsafe daemon.pointee.callbacks.context
    isRunning = true
    unsafe muster_http_stop(daemon)
    isRunning = false
    unsafe context?.deallocate()
  }

  deinit { precondition(isClosed, "a server is closed before it is let go") }

  // MARK: - Accepting

  private func listen() throws(SystemError) {
    try loop.watch(listener.socket.number) { [unowned self] in self.accept() }
  }

  /// Takes at most sixteen connections in a turn, so that nobody can keep the loop here.
  private func accept() {
    for _ in 0..<16 {
      let connection = muster_http_accept(listener.socket.number)
      guard connection >= 0 else {
        if errno == EMFILE || errno == ENFILE { pauseListening() }
        break
      }
      guard listener.allows(connection) else {
        counters.refused += 1
        Glibc.close(connection)
        continue
      }
      if unsafe muster_http_add(daemon, connection) == 0 { counters.refused += 1 }
    }
    process()
  }

  /// Without a free descriptor the waiting connection would wake the loop for ever.
  private func pauseListening() {
    loop.unwatch(listener.socket.number)
    loop.schedule(after: 100_000_000) { [weak self] in
      guard let self, !self.isClosed else { return }
      try? self.loop.watch(self.listener.socket.number) { [unowned self] in self.accept() }
    }
  }

  // MARK: - Driving the library

  /// Asks for a turn of the library: without a listening socket of its own it has no way to wake
  /// us when a connection is resumed.
  func runSoon() {
    guard !isRunWanted, !isClosed else { return }
    isRunWanted = true
    loop.schedule(after: 0) { [weak self] in self?.process() }
  }

  private func process() {
    guard !isRunning, !isClosed else { return }
    isRunWanted = false
    run()
    if let timer { loop.cancel(timer) }
    timer = nil
    let wait = unsafe muster_http_timeout(daemon)
    guard wait >= 0 else { return }
    timer = loop.schedule(after: wait * 1_000_000) { [unowned self] in
      self.timer = nil
      self.process()
    }
  }

  private func run() {
    isRunning = true
    unsafe muster_http_run(daemon)
    isRunning = false
  }

  // MARK: - What the library tells

  fileprivate func begin(_ connection: OpaquePointer, path: String, method: String) -> HttpExchange
  {
    let exchange = unsafe HttpExchange(
      server: self, connection: connection, path: path, method: method)
    exchanges[ObjectIdentifier(exchange)] = exchange
    counters.requests += 1
    return exchange
  }

  fileprivate func end(_ exchange: HttpExchange) {
    exchanges[ObjectIdentifier(exchange)] = nil
    exchange.finish()
  }
}

private func server(_ context: UnsafeMutableRawPointer?) -> HttpServer {
  let slot = unsafe context?.assumingMemoryBound(to: Unmanaged<HttpServer>?.self)
  guard let server = unsafe slot?.pointee?.takeUnretainedValue() else {
    preconditionFailure("the server outlives its connections")
  }
  return server
}

private func onRequest(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, path: UnsafePointer<CChar>?,
  method: UnsafePointer<CChar>?, part: UnsafePointer<CChar>?,
  partSize: UnsafeMutablePointer<Int>?, slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
  guard let connection = unsafe connection, let path = unsafe path, let method = unsafe method,
    let partSize = unsafe partSize, let slot = unsafe slot
  else { return 0 }
  guard let known = unsafe slot.pointee else {
    let exchange = unsafe server(context).begin(
      connection, path: String(cString: path), method: String(cString: method))
    unsafe slot.pointee = Unmanaged.passRetained(exchange).toOpaque()
    return exchange.acceptHead() ? 1 : 0
  }
  let exchange = unsafe Unmanaged<HttpExchange>.fromOpaque(known).takeUnretainedValue()
  guard unsafe partSize.pointee > 0, let part = unsafe part else {
    return exchange.proceed() ? 1 : 0
  }
  let bytes = unsafe UnsafeRawBufferPointer(start: part, count: partSize.pointee)
  unsafe partSize.pointee = 0
  return unsafe exchange.acceptBody(Array(bytes)) ? 1 : 0
}

private func onCompleted(
  context: UnsafeMutableRawPointer?, slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) {
  guard let slot = unsafe slot, let known = unsafe slot.pointee else { return }
  unsafe slot.pointee = nil
  let exchange = unsafe Unmanaged<HttpExchange>.fromOpaque(known).takeRetainedValue()
  unsafe server(context).end(exchange)
}

private func onConnection(
  context: UnsafeMutableRawPointer?, connection: OpaquePointer?, isOpen: Int32
) {
  unsafe server(context).counters.connections += isOpen == 1 ? 1 : -1
}
