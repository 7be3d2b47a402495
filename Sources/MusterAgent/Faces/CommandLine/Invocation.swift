import MusterState

/// A command line that fits its command: every value has the form that its rule asks for.
package struct Invocation: Hashable, Sendable {
  package var verb: String
  package var values: [String: [String]] = [:]
  package var operands: [String] = []
  package var wantsHelp = false

  package func has(_ name: String) -> Bool { values[name] != nil }
  package func text(_ name: String) -> String? { values[name]?.last }
  package func texts(_ name: String) -> [String] { values[name] ?? [] }
  package func count(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
  package func address(_ name: String) -> Address? { text(name).flatMap { Address($0) } }
  /// Nanoseconds.
  package func duration(_ name: String) -> Int64? { text(name).flatMap { Self.duration($0) } }
  package func operand(_ index: Int) -> String? {
    index < operands.count ? operands[index] : nil
  }

  package var wantsJson: Bool { has("json") }

  /// Reads `500ms`, `10s`, `2m`, `1h`, or whole seconds without a unit, up to a week; in
  /// nanoseconds.
  package static func duration(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits) else { return nil }
    let unit: Int64
    switch text[digits.endIndex...] {
    case "ms": unit = 1_000_000
    case "s", "": unit = 1_000_000_000
    case "m": unit = 60_000_000_000
    case "h": unit = 3_600_000_000_000
    default: return nil
    }
    let (product, isTooLarge) = count.multipliedReportingOverflow(by: unit)
    return isTooLarge || product > 604_800_000_000_000 ? nil : product
  }
}

/// Why a command line is refused: one line. Nothing was done.
package struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Empty when no command was recognised.
  package let verb: String
  package let problem: String

  package init(_ verb: String, _ problem: String) {
    self.verb = verb
    self.problem = problem
  }

  package var description: String {
    let program = verb.isEmpty ? "muster" : "muster \(verb)"
    return "\(program): \(problem)\(problem.hasSuffix("?") ? "" : ";") see \(program) --help"
  }
}
