/// The way back to one client. It may be kept and used later; a client that has gone meanwhile
/// is no mistake.
package final class HttpResponder {
  private weak var exchange: HttpExchange?
  private var isAnswered = false

  init(_ exchange: HttpExchange) { self.exchange = exchange }

  /// Whether the client still waits.
  package var isOpen: Bool { !isAnswered && exchange?.isOpen == true }

  /// Called once if the client goes away before it is answered.
  package func whenAbandoned(_ action: @escaping () -> Void) { exchange?.onAbandoned = action }

  /// Answers; once only.
  package func answer(_ response: HttpResponse) {
    precondition(!isAnswered, "a request is answered once")
    isAnswered = true
    exchange?.respond(response)
  }

  /// Answers 200 with a body that is made as the client takes it.
  ///
  /// - Parameter next: called when the client can take more. After `.wait` it is called again
  ///   only after `HttpStream.wake()`.
  @discardableResult
  package func stream(
    contentType: String, next: @escaping () -> HttpStream.Next
  ) -> HttpStream {
    precondition(!isAnswered, "a request is answered once")
    isAnswered = true
    let stream = HttpStream(exchange: exchange, next: next)
    if let exchange { exchange.respond(stream, contentType: contentType) } else { stream.ended() }
    return stream
  }

  /// No client is left waiting for a responder that nobody holds any more.
  deinit {
    guard !isAnswered else { return }
    exchange?.respond(
      HttpResponse(
        status: 500,
        body: Array(
          #"{"error":"the request was dropped","advice":"look at the agent's log"}"#.utf8)))
  }
}

/// A body in the making. Nothing is buffered beyond what `next` gave last: a client that does not
/// read costs no memory, and whoever feeds the stream decides when it is too slow.
package final class HttpStream {
  package enum Next {
    case bytes([UInt8])
    /// Nothing at the moment.
    case wait
    case end
  }

  private weak var exchange: HttpExchange?
  private var source: (() -> Next)?
  private var onEnd: (() -> Void)?
  package private(set) var isOpen = true

  init(exchange: HttpExchange?, next: @escaping () -> Next) {
    self.exchange = exchange
    source = next
  }

  /// There is more: `next` will be called.
  package func wake() { exchange?.wake() }

  /// Ends the stream in the middle, because the client is too slow; counted.
  package func cut() { exchange?.cut() }

  /// Called once when the client is served or gone.
  package func whenEnded(_ action: @escaping () -> Void) {
    if isOpen { onEnd = action } else { action() }
  }

  func next() -> Next { source?() ?? .end }

  func ended() {
    guard isOpen else { return }
    isOpen = false
    source = nil
    let action = onEnd
    onEnd = nil
    action?()
  }
}
