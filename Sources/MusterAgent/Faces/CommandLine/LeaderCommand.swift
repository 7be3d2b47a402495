import MusterSystem

/// `muster leader`, `muster leader show`: who leads, and with --explain why.
enum LeaderCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    var code = ExitCode.done
    let result = context.run(invocation) { () throws(CommandFailure) in
      let leader = try context.ask(try context.client(invocation), "GET", "/leader")
      if invocation.has("check") {
        code = check(invocation, leader, context)
      } else if invocation.wantsJson {
        context.console.line(leader.text)
      } else {
        context.console.print(
          text(leader, explains: invocation.has("explain"), context.console.style))
      }
    }
    return result == .done ? code : result
  }

  /// Juju's `is-leader`: yes only if this node will go on leading for that long.
  private static func check(
    _ invocation: Invocation, _ leader: Json, _ context: CommandContext
  ) -> ExitCode {
    let wanted =
      invocation.duration("guarantee").map { $0 / 1_000_000 } ?? leader["guarantee_ms"]?.integer
      ?? 0
    let left = leader["effective"]?.bool == true ? leader["remaining_ms"]?.integer ?? 0 : 0
    let isLeader = leader["effective"]?.bool == true && left >= wanted
    if invocation.wantsJson {
      let json: Json = [
        "is_leader": .bool(isLeader), "guarantee_ms": .integer(wanted),
        "remaining_ms": .integer(left), "term": leader["term"] ?? .null,
      ]
      context.console.line(json.text)
    } else if !isLeader {
      context.console.fail(invocation.verb, whyNot(leader, left: left, wanted: wanted))
    }
    return isLeader ? .done : .failed
  }

  private static func whyNot(_ leader: Json, left: Int64, wanted: Int64) -> String {
    let node = word(leader["node"])
    guard leader["held_here"]?.bool == true else { return "\(node) does not lead" }
    guard leader["effective"]?.bool == true else {
      return "\(node) was elected and has not committed its first register yet"
    }
    return "the lease of \(node) lasts \(Units.duration(milliseconds: left)) more, less than "
      + Units.duration(milliseconds: wanted)
  }

  private static func word(_ json: Json?) -> String { TextStyle.safe(json?.string ?? "-") }

  static func text(_ leader: Json, explains: Bool, _ style: TextStyle) -> String {
    let isValid = leader["valid"]?.bool == true
    var lines = [("leader", name(leader), isValid ? TextStyle.Colour.plain : .yellow)]
    lines.append(("term", String(leader["term"]?.integer ?? 0), .plain))
    lines.append(("lease", lease(leader), isValid ? .plain : .yellow))
    if explains {
      lines.append(("believed", believed(leader["believed"]), .plain))
      let register = leader["register"]
      lines.append(
        (
          "register", "\(word(register?["known"])), committed \(word(register?["committed"]))",
          .plain
        ))
      lines.append(("election", election(leader), obstacles(leader).isEmpty ? .plain : .yellow))
      lines += obstacles(leader).map { ("", $0, .yellow) }
    }
    let head = lines.map { name, text, colour in
      style.apply(.bold, name) + String(repeating: " ", count: 11 - name.count)
        + style.apply(colour, text) + "\n"
    }.joined()
    return explains ? head + "\n" + voters(leader).text(style) : head
  }

  private static func name(_ leader: Json) -> String {
    guard leader["leader"]?.string != nil else { return "none" }
    return word(leader["leader"]) + (leader["held_here"]?.bool == true ? " (this node)" : "")
  }

  private static func lease(_ leader: Json) -> String {
    func span(_ key: String) -> String? {
      leader[key]?.integer.map { Units.duration(milliseconds: $0) }
    }
    if leader["held_here"]?.bool == true, let left = span("remaining_ms") {
      return "held here, \(left) left"
        + (leader["effective"]?.bool == true ? "" : "; the first register is not committed yet")
    }
    guard leader["leader"]?.string != nil else { return "none" }
    if let left = span("promise_ms") { return "held there; promised from here for \(left) more" }
    return leader["valid"]?.bool == true
      ? "held there, as far as this node can tell; it has promised nothing"
      : "not heard of lately"
  }

  private static func believed(_ believed: Json?) -> String {
    let votes = (believed?["votes"]?.array ?? []).map { word($0) }.joined(separator: ", ")
    return switch believed?["because"]?.string {
    case "elected": "elected here by \(votes)"
    case "certified": "its card carries the votes of \(votes), checked here"
    case "register": "it proposed the register of this term that this node holds"
    default: "nobody shows a certificate of this term"
    }
  }

  private static func obstacles(_ leader: Json) -> [String] {
    (leader["obstacles"]?.array ?? []).map { word($0) }
  }

  private static func election(_ leader: Json) -> String {
    let count = (leader["voters"]?.array ?? []).count
    let needed = "\(leader["majority"]?.integer ?? 0) of \(count) voters decide"
    if leader["valid"]?.bool == true { return "\(needed); none while the leader is promised" }
    return needed + (obstacles(leader).isEmpty ? "; one can begin" : "; these stand in the way:")
  }

  private static func voters(_ leader: Json) -> TextTable {
    var table = TextTable([
      "VOTER", "STATE", "PRIORITY", "TERM", "VOTE", "REGISTER", "BOUND", "NOTE",
    ])
    for voter in leader["voters"]?.array ?? [] {
      let state = word(voter["state"])
      let isCurrent = voter["current"]?.bool == true
      table.add([
        TextTable.Cell(word(voter["name"])),
        TextTable.Cell(state, state == "alive" ? .green : .red),
        TextTable.Cell(String(voter["priority"]?.integer ?? 0)),
        TextTable.Cell(voter["term"]?.integer.map { String($0) } ?? ""),
        TextTable.Cell(word(voter["vote"])),
        TextTable.Cell(
          word(voter["register"]) + (isCurrent ? "" : " (other)"), isCurrent ? .plain : .yellow),
        TextTable.Cell(bound(voter)),
        TextTable.Cell(note(voter, isLed: leader["valid"]?.bool == true)),
      ])
    }
    return table
  }

  private static func bound(_ voter: Json) -> String {
    if let leader = voter["promised_to"]?.string {
      let left = Units.duration(milliseconds: voter["promise_ms"]?.integer ?? 0)
      return "to \(TextStyle.safe(leader)), \(left)"
    }
    // What a dead one last said of its promise tells nothing of it now.
    guard voter["state"]?.string == "alive" else { return "" }
    return voter["free"]?.bool == true ? "free" : "by a promise or quarantine"
  }

  private static func note(_ voter: Json, isLed: Bool) -> String {
    if voter["leader"]?.bool == true { return isLed ? "leads" : "led last" }
    if voter["resigned"]?.bool == true { return "has resigned" }
    return voter["priority"]?.integer == 0 ? "never leads" : ""
  }
}

/// `muster leader step-down`.
enum StepDownCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      var client = try context.client(invocation)
      // The successor answers: an election lies in between.
      client.silence = 60_000_000_000
      var body = Json.object([])
      if let successor = invocation.text("to") { body = ["to": .string(successor)] }
      let answer = try context.ask(client, "POST", "/leader/step-down", body)
      if invocation.wantsJson { return context.console.line(answer.text) }
      let leader = try context.ask(client, "GET", "/leader")
      let name = TextStyle.safe(leader["leader"]?.string ?? "nobody yet")
      context.console.line("\(name) leads in term \(leader["term"]?.integer ?? 0)")
    }
  }
}
