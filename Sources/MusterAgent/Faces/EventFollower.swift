import MusterSystem

/// One client's place in the history: gives what is new whenever the client can take more.
final class EventFollower {
  enum Format {
    /// One JSON object a line.
    case lines
    /// Server-sent events, as browsers read them.
    case serverSent
  }

  /// Events handed over at once, so that one client's turn stays short.
  private static let batch = 64

  private let history: EventHistory
  private let format: Format
  private var next: UInt64
  /// The last event wanted; `nil`: go on as they happen.
  private let end: UInt64?
  private var hasGreeted = false

  private init(history: EventHistory, format: Format, next: UInt64, end: UInt64?) {
    self.history = history
    self.format = format
    self.next = next
    self.end = end
  }

  /// Answers with events from number `start` on; those that are gone are left out.
  static func serve(
    _ responder: HttpResponder, history: EventHistory, format: Format, from start: UInt64,
    follow: Bool
  ) {
    let follower = EventFollower(
      history: history, format: format, next: max(start, history.first),
      end: follow ? nil : history.last)
    let type = format == .lines ? "application/x-ndjson" : "text/event-stream"
    let stream = responder.stream(contentType: type) { follower.take() }
    let subscription = history.subscribe { [weak stream] in
      if follower.isLost { stream?.cut() } else { stream?.wake() }
    }
    stream.whenEnded { history.unsubscribe(subscription) }
  }

  /// Whether the ring has gone past the client: what it would read next is overwritten.
  private var isLost: Bool { next < history.first }

  private func take() -> HttpStream.Next {
    var bytes: [UInt8] = []
    if !hasGreeted, format == .serverSent {
      // A comment: the client sees that it is connected before anything happens.
      hasGreeted = true
      bytes += Array(": muster\n\n".utf8)
    }
    for _ in 0..<Self.batch {
      if let end, next > end { return bytes.isEmpty ? .end : .bytes(bytes) }
      guard let entry = history[next] else { break }
      next += 1
      append(entry, to: &bytes)
    }
    return bytes.isEmpty ? .wait : .bytes(bytes)
  }

  private func append(_ entry: EventHistory.Entry, to bytes: inout [UInt8]) {
    switch format {
    case .lines:
      bytes += entry.line
      bytes.append(10)
    case .serverSent:
      bytes += Array("id: \(entry.sequence)\nevent: \(entry.kind)\ndata: ".utf8)
      bytes += entry.line
      bytes += [10, 10]
    }
  }
}
