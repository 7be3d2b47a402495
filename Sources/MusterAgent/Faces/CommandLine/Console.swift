import MusterSystem

/// Where a command reads its environment and prints; tests give their own.
package struct Console {
  package var print: (String) -> Void
  package var complain: (String) -> Void
  package var isTerminal: Bool
  package var environment: (String) -> String?
  /// Asks a person and reads a line; `nil` where nobody can be asked.
  package var ask: ((String) -> String?)?

  package init(
    print: @escaping (String) -> Void, complain: @escaping (String) -> Void, isTerminal: Bool,
    environment: @escaping (String) -> String?, ask: ((String) -> String?)? = nil
  ) {
    self.print = print
    self.complain = complain
    self.isTerminal = isTerminal
    self.environment = environment
    self.ask = ask
  }

  package static var standard: Console {
    Console(
      print: { StandardStream.output.write($0) },
      complain: { StandardStream.error.write($0) },
      isTerminal: StandardStream.output.isTerminal,
      environment: { ProcessEnvironment.value($0) }, ask: question)
  }

  private static var question: ((String) -> String?)? {
    guard StandardInput.isTerminal, StandardStream.output.isTerminal else { return nil }
    return { text in
      StandardStream.output.write(text)
      return StandardInput.line()
    }
  }

  package func line(_ text: String) { print(text + "\n") }

  /// One line about what went wrong, named after the command.
  package func fail(_ verb: String, _ text: String) { complain("muster \(verb): \(text)\n") }

  /// Colour for people who look at a terminal and have not asked for none.
  var style: TextStyle {
    TextStyle(isColoured: isTerminal && environment("NO_COLOR") == nil)
  }
}

/// How the command ended: documented in `muster help`.
package enum ExitCode: Int32, Sendable {
  case done = 0
  case failed = 1
  case usage = 2
  case timedOut = 3
  case refused = 4
}
