import MusterSystem

/// The agent's log: one line at a time, as text or as JSON, with time, level and node.
///
/// The protocol core never logs; what it reports as events is written here.
package final class Log {
  /// A longer message is cut: one line must not fill a disk.
  package static let messageBytes = 4_096

  package let format: LogFormat
  package let level: LogLevel
  package let node: String
  private let write: (String) -> Void

  /// - Parameter write: takes one whole line with its newline, usually to standard error.
  package init(
    format: LogFormat, level: LogLevel, node: String, write: @escaping (String) -> Void
  ) {
    self.format = format
    self.level = level
    self.node = node
    self.write = write
  }

  package func debug(_ message: @autoclosure () -> String) { add(.debug, message()) }
  package func info(_ message: @autoclosure () -> String) { add(.info, message()) }
  package func warning(_ message: @autoclosure () -> String) { add(.warning, message()) }
  package func error(_ message: @autoclosure () -> String) { add(.error, message()) }

  package func add(_ level: LogLevel, _ message: @autoclosure () -> String) {
    guard level >= self.level else { return }
    let time = Timestamp.utc(MonotonicClock.wallNanoseconds)
    write(Self.line(format, level, time: time, node: node, message()) + "\n")
  }

  static func line(
    _ format: LogFormat, _ level: LogLevel, time: String, node: String, _ message: String
  ) -> String {
    switch format {
    case .text:
      "\(time) \(level.name) \(escaped(node, quotes: false)): \(escaped(message, quotes: false))"
    case .json:
      "{\"at\":\"\(time)\",\"level\":\"\(level.name)\",\"node\":\"\(escaped(node, quotes: true))\","
        + "\"message\":\"\(escaped(message, quotes: true))\"}"
    }
  }

  /// What others chose (names, output of services) must not forge a line or steer a terminal.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      guard result.utf8.count < messageBytes else { return result + "…" }
      switch scalar.value {
      case 0x22, 0x5c:
        if quotes { result += "\\" }
        result.unicodeScalars.append(scalar)
      case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default:
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
