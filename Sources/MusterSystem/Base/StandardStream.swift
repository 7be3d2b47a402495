import Glibc

/// Standard output or standard error of a command.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Whether people read it: only then are colours and progress shown.
  package var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Writes all of it. A reader that has gone is no error: SIGPIPE ends the process before.
  ///
  /// - Returns: false when the text could not be written, such as on a full disk.
  @discardableResult
  package func write(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(rawValue, $0.baseAddress?.advanced(by: written), bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      written += count
    }
    return true
  }
}

/// Standard input of a command that asks a person.
package enum StandardInput {
  package static var isTerminal: Bool { isatty(0) == 1 }

  /// The next line without its end; `nil` when there is none.
  package static func line() -> String? { readLine() }
}

/// The environment of this process.
package enum ProcessEnvironment {
  /// The value of a variable; `nil` when it is unset or empty.
  package static func value(_ name: String) -> String? {
    guard let found = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: found)
    return text.isEmpty ? nil : text
  }
}

/// Ends this process with an exit code; nothing that is still held is let go first.
package func endProcess(_ code: Int32) -> Never { exit(code) }
