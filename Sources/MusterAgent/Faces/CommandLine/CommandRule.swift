/// One command, as it is declared.
package struct CommandRule {
  /// One word, or two such as `release add`.
  package var verb: String
  package var summary: String
  package var operands: [OperandRule]
  package var options: [OptionRule]
  /// Further lines of help: what the options cannot say.
  package var notes: String
  package var action: (Invocation, CommandContext) -> ExitCode

  package init(
    _ verb: String, _ summary: String, operands: [OperandRule] = [], options: [OptionRule] = [],
    notes: String = "", action: @escaping (Invocation, CommandContext) -> ExitCode
  ) {
    self.verb = verb
    self.summary = summary
    self.operands = operands
    self.options = options
    self.notes = notes
    self.action = action
  }

  /// Reads what stands behind the verb.
  package func parse(_ arguments: [String]) throws(UsageError) -> Invocation {
    var invocation = Invocation(verb: verb)
    var rest = arguments[...]
    var takesOptions = true
    while let word = rest.popFirst() {
      if takesOptions, word == "--" {
        takesOptions = false
      } else if takesOptions, word == "--help" || word == "-h" {
        invocation.wantsHelp = true
        return invocation
      } else if takesOptions, word.hasPrefix("-"), word != "-" {
        try parseOption(word, &rest, into: &invocation)
      } else {
        invocation.operands.append(word)
      }
    }
    try checkPresence(invocation)
    return invocation
  }

  private func parseOption(
    _ word: String, _ rest: inout ArraySlice<String>, into invocation: inout Invocation
  ) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard name.hasPrefix("--"), let rule = options.first(where: { "--\($0.name)" == name }) else {
      let near = Spelling.nearest(name, among: options.map { "--\($0.name)" } + ["--help"])
      throw UsageError(verb, "there is no option \(name)" + near)
    }
    if invocation.has(rule.name), !rule.isRepeated {
      throw UsageError(verb, "\(name) is given twice")
    }
    if case .none = rule.value {
      guard parts.count == 1 else { throw UsageError(verb, "\(name) takes no value") }
      invocation.values[rule.name] = []
      return
    }
    guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
      throw UsageError(verb, "\(name) needs a value: \(rule.value.placeholder)")
    }
    if let expectation = rule.value.expectation(for: value) {
      throw UsageError(verb, "\(name) \"\(value)\" is not \(expectation)")
    }
    invocation.values[rule.name, default: []].append(value)
  }

  private func checkPresence(_ invocation: Invocation) throws(UsageError) {
    for rule in options where rule.isRequired && !invocation.has(rule.name) {
      throw UsageError(verb, "\(rule.spelling) is missing")
    }
    for (index, rule) in operands.enumerated()
    where rule.isRequired && index >= invocation.operands.count {
      throw UsageError(verb, "\(rule.name) is missing")
    }
    if let extra = invocation.operand(operands.count) {
      throw UsageError(verb, "\"\(extra)\" is one word too many")
    }
  }

  /// `muster init --name NAME --expect N --out DIR`.
  /// Continued on further lines where it is wider than a terminal.
  var usage: String {
    var lines = ["usage:"]
    for word in usageWords {
      if lines[lines.count - 1].count + 1 + word.count > 96 { lines.append("        ") }
      lines[lines.count - 1] += " " + word
    }
    return lines.joined(separator: "\n")
  }

  private var usageWords: [String] {
    var words = ["muster", verb]
    words += operands.map { $0.isRequired ? $0.name : "[\($0.name)]" }
    for option in options {
      let spelling = option.isRequired ? option.spelling : "[\(option.spelling)]"
      words.append(spelling + (option.isRepeated ? "…" : ""))
    }
    return words
  }

  var help: String {
    var text = "\(summary)\n\n\(usage)\n"
    let lines =
      operands.map { ($0.name, $0.help) } + options.map { ($0.spelling, $0.help) }
      + [("--help", "show this")]
    let width = lines.map(\.0.count).max() ?? 0
    text += "\n"
    for (name, help) in lines {
      text += "  \(name)\(String(repeating: " ", count: width - name.count))  \(help)\n"
    }
    if !notes.isEmpty { text += "\n\(notes)\n" }
    return text
  }
}

/// Finds what somebody meant to write.
enum Spelling {
  /// `: did you mean --name?`, or nothing.
  static func nearest(_ word: String, among candidates: [String]) -> String {
    let scored = candidates.map { ($0, distance(word, $0)) }
    guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(1, word.count / 3) else {
      return ""
    }
    return ": did you mean \(best.0)?"
  }

  /// The Levenshtein distance of the first 64 characters.
  static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.prefix(64))
    let right = Array(right.prefix(64))
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let cost = diagonal + (right[column] == character ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(cost, diagonal + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}
