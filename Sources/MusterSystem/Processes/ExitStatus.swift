/// How a process ended.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case signalled(Int32)

  package var isSuccess: Bool { self == .exited(0) }

  package var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signalled(let number): "signal \(SignalName.name(of: number))"
    }
  }
}

/// Signals by the names that configuration files and messages use.
package enum SignalName {
  /// The numbers of Linux on x86-64 and arm64.
  private static let table: [(name: String, number: Int32)] = [
    ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("BUS", 7),
    ("FPE", 8), ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13),
    ("ALRM", 14), ("TERM", 15), ("CHLD", 17), ("CONT", 18), ("STOP", 19), ("WINCH", 28),
  ]

  /// Those that a service can sensibly be sent, for configuration.
  package static let usable = ["HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "WINCH"]

  /// The number of `TERM` or `SIGTERM`; `nil` for a name that is not `usable`.
  package static func number(of name: String) -> Int32? {
    let short = name.hasPrefix("SIG") ? String(name.dropFirst(3)) : name
    guard usable.contains(short) else { return nil }
    return table.first { $0.name == short }?.number
  }

  package static func name(of number: Int32) -> String {
    table.first { $0.number == number }.map { "SIG\($0.name)" } ?? "\(number)"
  }
}
