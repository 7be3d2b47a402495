/// `muster`: finds the command, reads its options, and runs it.
package struct CommandProgram {
  package let rules: [CommandRule]
  private let context: CommandContext

  /// - Parameter further: commands of rooms that this one does not know.
  package init(console: Console, joints: CommandJoints, further: [CommandRule] = []) {
    let all = CommandRules.all
    // Tools stand last in the overview.
    let place = all.firstIndex { $0.verb == "config check" } ?? all.endIndex
    rules = Array(all[..<place]) + further + all[place...]
    var context = CommandContext(console: console, joints: joints)
    context.rules = rules
    self.context = context
  }

  /// - Parameter arguments: without the program's own name.
  package func run(_ arguments: [String]) -> ExitCode {
    do throws(UsageError) {
      return try dispatch(arguments)
    } catch {
      context.console.complain(error.description + "\n")
      return .usage
    }
  }

  private func dispatch(_ arguments: [String]) throws(UsageError) -> ExitCode {
    guard let first = arguments.first else {
      context.console.complain(overview)
      return .usage
    }
    if first == "--help" || first == "-h" || (first == "help" && arguments.count == 1) {
      context.console.print(overview)
      return .done
    }
    if first == "--version" { return try dispatch(["version"]) }
    if first == "help" {
      let (rule, rest) = try find(Array(arguments.dropFirst()))
      if let extra = rest.first { throw UsageError("", "\"\(extra)\" is one word too many") }
      context.console.print(rule.help)
      return .done
    }
    let (rule, rest) = try find(arguments)
    let invocation = try rule.parse(rest)
    if invocation.wantsHelp {
      context.console.print(rule.help)
      return .done
    }
    return rule.action(invocation, context)
  }

  /// The command that the first one or two words name, and what stands behind them.
  private func find(_ words: [String]) throws(UsageError) -> (CommandRule, [String]) {
    let two = words.prefix(2).joined(separator: " ")
    if words.count > 1, let rule = rules.first(where: { $0.verb == two }) {
      return (rule, Array(words.dropFirst(2)))
    }
    if let rule = rules.first(where: { $0.verb == words[0] }) {
      return (rule, Array(words.dropFirst()))
    }
    let family = rules.filter { $0.verb.hasPrefix(words[0] + " ") }.map(\.verb)
    if !family.isEmpty {
      throw UsageError("", "\"\(two)\" is no command: there is \(family.joined(separator: ", "))")
    }
    let near = Spelling.nearest(words[0], among: rules.map(\.verb))
    throw UsageError("", "\"\(words[0])\" is no command" + near)
  }

  private var overview: String {
    let width = rules.map(\.verb.count).max() ?? 0
    let lines = rules.map {
      "  \($0.verb)\(String(repeating: " ", count: width - $0.verb.count))  \($0.summary)\n"
    }
    return """
      Muster calls machines together: members, leader, roles and releases by signed gossip.

      usage: muster COMMAND [OPTIONS]

      \(lines.joined())
      Commands speak to the agent on --control SOCKET, or MUSTER_CONTROL. `muster COMMAND --help`
      says more. Exit codes: 0 done, 1 failed, 2 usage, 3 timed out, 4 refused.

      """
  }
}
