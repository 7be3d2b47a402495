import MusterState

/// One option of a command, as it is declared: parser, help and completion follow from it.
package struct OptionRule: Sendable {
  /// What a value may be.
  package enum Value: Sendable {
    /// There is none: the option is there or not.
    case none
    case text(String)
    /// Files and directories, completed by the shell.
    case path(String)
    case count(ClosedRange<Int>)
    /// `ADDRESS:PORT`, numeric.
    case address
    /// An address or a word in its place.
    case addressOr(String)
    case duration
    case choice([String])
    /// `NAME=N`.
    case numbered(String)
  }

  package var name: String
  package var value: Value
  package var help: String
  package var isRequired: Bool
  package var isRepeated: Bool

  package init(
    _ name: String, _ value: Value, _ help: String, isRequired: Bool = false,
    isRepeated: Bool = false
  ) {
    self.name = name
    self.value = value
    self.help = help
    self.isRequired = isRequired
    self.isRepeated = isRepeated
  }

  /// `--expect N`, for help.
  var spelling: String {
    let placeholder = value.placeholder
    return "--\(name)" + (placeholder.isEmpty ? "" : " \(placeholder)")
  }
}

extension OptionRule.Value {
  var placeholder: String {
    switch self {
    case .none: ""
    case .text(let name), .path(let name): name
    case .count: "N"
    case .address: "ADDR:PORT"
    case .addressOr(let word): "ADDR:PORT|\(word)"
    case .duration: "DURATION"
    case .choice(let words): words.joined(separator: "|")
    case .numbered(let name): "\(name)=N"
    }
  }

  /// What is allowed instead; `nil` when the text is fine.
  func expectation(for text: String) -> String? {
    switch self {
    case .none, .text, .path:
      return text.isEmpty ? "something that is not empty" : nil
    case .count(let range):
      return Int(text).map(range.contains) == true
        ? nil : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .address:
      return Address(text) != nil ? nil : "a numeric address and port, such as 10.0.0.5:7946"
    case .addressOr(let word):
      return text == word || Address(text) != nil
        ? nil : "\(word), or a numeric address and port, such as 239.77.83.84:7946"
    case .duration:
      return Invocation.duration(text) != nil ? nil : "a duration such as 500ms, 10s, 2m or 1h"
    case .choice(let words):
      return words.contains(text) ? nil : "one of \(words.joined(separator: ", "))"
    case .numbered(let name):
      guard let sign = text.lastIndex(of: "="), sign > text.startIndex,
        let count = Int(text[text.index(after: sign)...]), (0...Limits.members).contains(count)
      else { return "\(name)=N, such as worker=3" }
      return nil
    }
  }
}

/// One word without dashes that a command takes.
package struct OperandRule: Sendable {
  package var name: String
  package var help: String
  package var isRequired: Bool

  package init(_ name: String, _ help: String, isRequired: Bool = true) {
    self.name = name
    self.help = help
    self.isRequired = isRequired
  }
}
