import Glibc

/// A blocking HTTP client over a Unix socket, for the command line: one connection a request.
package struct HttpClient: Sendable {
  /// The socket's path.
  package let path: String
  /// The longest silence of the agent, in nanoseconds; `nil`: for ever.
  package var silence: Int64?

  package init(path: String, silence: Int64? = 40_000_000_000) {
    self.path = path
    self.silence = silence
  }

  package struct Reply: Hashable, Sendable {
    package var status: Int
    package var body: [UInt8]
  }

  /// A path with an encoded query.
  package static func target(_ path: String, _ query: [HttpField]) -> String {
    let parts = query.map { "\(encode($0.name))=\(encode($0.value))" }
    return parts.isEmpty ? path : path + "?" + parts.joined(separator: "&")
  }

  /// Connects and hangs up: whether somebody listens.
  package func probe() throws(HttpError) {
    _ = try HttpConnection(path: path, silence: silence)
  }

  /// Sends one request and reads the whole answer.
  package func send(
    _ method: String, _ target: String, body: [UInt8] = []
  ) throws(HttpError) -> Reply {
    var connection = try HttpConnection(path: path, silence: silence)
    try connection.write(head(method, target, bodyCount: body.count) + body)
    let head = try connection.readHead()
    return Reply(status: head.status, body: try connection.readBody(head))
  }

  /// Reads an answer line by line until it ends or `line` returns false. An answer other than 200
  /// is returned whole instead.
  package func follow(
    _ target: String, line: ([UInt8]) -> Bool
  ) throws(HttpError) -> Reply {
    var connection = try HttpConnection(path: path, silence: silence)
    try connection.write(head("GET", target, bodyCount: 0))
    let head = try connection.readHead()
    guard head.status == 200 else {
      return Reply(status: head.status, body: try connection.readBody(head))
    }
    try connection.readLines(head, line: line)
    return Reply(status: 200, body: [])
  }

  private func head(_ method: String, _ target: String, bodyCount: Int) -> [UInt8] {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: muster\r\nConnection: close\r\n"
    if bodyCount > 0 || method == "POST" {
      text += "Content-Type: application/json\r\nContent-Length: \(bodyCount)\r\n"
    }
    return Array((text + "\r\n").utf8)
  }

  private static func encode(_ text: String) -> String {
    let plain = Array("-._~".utf8)
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122: result.unicodeScalars.append(Unicode.Scalar(byte))
      case _ where plain.contains(byte): result.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }
}
