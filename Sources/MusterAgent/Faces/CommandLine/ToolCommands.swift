/// `muster version`.
enum VersionCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    if invocation.wantsJson {
      let json: Json = [
        "version": .string(MusterVersion.current), "protocol": .string(MusterVersion.wire),
      ]
      context.console.line(json.text)
    } else {
      context.console.line("muster \(MusterVersion.current) (\(MusterVersion.wire))")
    }
    return .done
  }
}

/// `muster config check`.
enum ConfigurationCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    let path = invocation.operands[0]
    do throws(ConfigurationError) {
      let configuration = try Configuration(path: path)
      let names = configuration.services.map(\.name)
      if invocation.wantsJson {
        let json: Json = ["valid": true, "services": .array(names.map { .string($0) })]
        context.console.line(json.text)
      } else {
        let services = names.isEmpty ? "no services" : "services: \(names.joined(separator: ", "))"
        context.console.line("\(path) is valid; \(services)")
      }
      return .done
    } catch {
      if invocation.wantsJson {
        let problems = error.problems.map { Json.string($0.description) }
        context.console.line(
          Json.object([
            JsonMember("valid", false), JsonMember("problems", .array(problems)),
          ]).text)
      } else {
        context.console.complain(error.description + "\n")
      }
      return .failed
    }
  }
}

/// `muster completion`.
enum CompletionCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    guard invocation.operands[0] == "bash" else {
      context.console.fail(
        invocation.verb, "there is no completion for \(invocation.operands[0]): use bash")
      return .usage
    }
    context.console.print(bash(context.rules))
    return .done
  }

  /// Completes verbs, their options, and the paths that options take.
  static func bash(_ rules: [CommandRule]) -> String {
    let words = rules.map { $0.verb.split(separator: " ").map(String.init) }
    let firsts = words.map { $0[0] } + ["help"]
    let verbs = firsts.enumerated().filter { firsts.firstIndex(of: $1) == $0 }.map(\.element)
    var cases = ""
    for family in verbs {
      let seconds = words.filter { $0[0] == family && $0.count > 1 }.map { $0[1] }
      guard !seconds.isEmpty else { continue }
      cases += "    \(family)) choices=\"\(seconds.joined(separator: " "))\" ;;\n"
    }
    let paths = Set(
      rules.flatMap(\.options).compactMap { option -> String? in
        if case .path = option.value { "--\(option.name)" } else { nil }
      }
    ).sorted().joined(separator: "|")
    let options = rules.map { rule in
      let names = rule.options.map { "--\($0.name)" } + ["--help"]
      return "    \"\(rule.verb)\") choices=\"\(names.joined(separator: " "))\" ;;\n"
    }.joined()
    return """
      _muster() {
        local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" choices=""
        COMPREPLY=()
        case "$before" in
          \(paths)) COMPREPLY=($(compgen -f -- "$word")); return ;;
        esac
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(verbs.joined(separator: " "))" -- "$word")); return
        fi
        if [ "$COMP_CWORD" -eq 2 ]; then
          case "${COMP_WORDS[1]}" in
      \(cases)    esac
          if [ -n "$choices" ] && [ "${word#-}" = "$word" ]; then
            COMPREPLY=($(compgen -W "$choices" -- "$word")); return
          fi
        fi
        local verb="${COMP_WORDS[1]}"
        case "$verb ${COMP_WORDS[2]}" in \(families(words))) verb="$verb ${COMP_WORDS[2]}" ;; esac
        case "$verb" in
      \(options)  esac
        case "$word" in
          -*) COMPREPLY=($(compgen -W "$choices" -- "$word")) ;;
          *) COMPREPLY=($(compgen -f -- "$word")) ;;
        esac
      }
      complete -F _muster muster

      """
  }

  private static func families(_ words: [[String]]) -> String {
    words.filter { $0.count > 1 }.map { "\"\($0.joined(separator: " "))\"" }
      .joined(separator: "|")
  }
}
