/// One request, read whole before anybody is asked to answer it.
package struct HttpRequest: Hashable, Sendable {
  /// As sent: `GET`, `POST` and so on.
  package var method: String
  /// Decoded and without the query.
  package var path: String
  /// Decoded, in the order sent. A key without a value has an empty one.
  package var query: [HttpField]
  /// Names in lower case.
  package var headers: [HttpField]
  /// At most `HttpLimits.requestBody` bytes.
  package var body: [UInt8]

  package init(
    method: String, path: String, query: [HttpField] = [], headers: [HttpField] = [],
    body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The first value of a query key; `nil` when the key is absent.
  package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// The first value of a header, named in lower case.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A header or a part of a query.
package struct HttpField: Hashable, Sendable {
  package var name: String
  package var value: String
  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// An answer that is known whole.
package struct HttpResponse: Hashable, Sendable {
  package var status: Int
  package var contentType: String
  /// Further headers.
  package var headers: [HttpField]
  package var body: [UInt8]

  package init(
    status: Int, contentType: String = "application/json", headers: [HttpField] = [],
    body: [UInt8]
  ) {
    precondition((200...599).contains(status), "a final HTTP status")
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
  }
}

/// Every bound of the HTTP faces. At each of them the client is answered or cut, and counted.
package enum HttpLimits {
  /// Connections held at once by one server; a further one is closed at once.
  package static let connections = 128
  /// Memory for one connection's headers and buffers. A longer head is answered with 431 or 414.
  package static let connectionMemory = 16 * 1024
  /// The largest request body; a larger one is answered with 413.
  package static let requestBody = 64 * 1024
  /// A connection on which nothing moves for so long is closed, unless its answer is pending.
  package static let idleSeconds = 30
  /// The largest answer that `HttpClient` reads whole.
  package static let replyBody = 64 * 1024 * 1024
  /// The longest line of a stream that `HttpClient` reads.
  package static let line = 64 * 1024
}

/// What a server has counted since its start.
package struct HttpCounters: Hashable, Sendable {
  package var requests: UInt64 = 0
  /// Connections refused: another user's, or more than the limit.
  package var refused: UInt64 = 0
  /// Streams ended by us because the client was too slow.
  package var cut: UInt64 = 0
  /// Connections open now.
  package var connections = 0
  /// Streams open now.
  package var streams = 0
  package init() {}
}
