import MusterSystem

/// `muster members`.
enum MembersCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let members = try context.ask(try context.client(invocation), "GET", "/members")
      if invocation.wantsJson { return context.console.line(members.text) }
      context.console.print(table(members).text(context.console.style))
    }
  }

  static func table(_ members: Json) -> TextTable {
    var table = TextTable([
      "NAME", "STATE", "ROLE", "LEADER", "VERSION", "READY", "ADDRESS", "INCARNATION", "NOTE",
    ])
    for member in members.array ?? [] {
      func text(_ key: String) -> String { member[key]?.string ?? "" }
      let state = text("state")
      let isReady = member["ready"]?.bool == true
      table.add([
        TextTable.Cell(text("name")), TextTable.Cell(state, colour(state)),
        TextTable.Cell(text("role")),
        TextTable.Cell(member["leader"]?.bool == true ? "leader" : ""),
        TextTable.Cell(text("version")), TextTable.Cell(isReady ? "ready" : ""),
        TextTable.Cell(text("address")),
        TextTable.Cell(member["incarnation"]?.integer.map { String($0) } ?? ""),
        TextTable.Cell(note(member), text("failure").isEmpty ? .plain : .red),
      ])
    }
    return table
  }

  private static func colour(_ state: String) -> TextStyle.Colour {
    switch state {
    case "alive": .green
    case "suspect": .yellow
    case "dead": .red
    default: .plain
    }
  }

  /// The one thing about a member that its operator should know first.
  private static func note(_ member: Json) -> String {
    if let failure = member["failure"]?.string { return failure }
    if let received = member["progress"]?["received"]?.integer {
      let total = member["progress"]?["total"]?.integer
      var note =
        "fetching \(Units.bytes(received))" + (total.map { " of \(Units.bytes($0))" } ?? "")
      if let rate = member["progress"]?["rate"]?.integer { note += ", \(Units.bytes(rate))/s" }
      if let left = member["progress"]?["seconds_left"]?.integer {
        note += ", \(Units.duration(milliseconds: left * 1_000)) left"
      }
      return note
    }
    if let storage = member["storage"]?.string, storage != "ready" { return "shared: \(storage)" }
    return ""
  }
}

/// `muster get`.
enum GetCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      var query = [HttpField("node", invocation.operands[0])]
      if let key = invocation.operand(1) { query.append(HttpField("key", key)) }
      let client = try context.client(invocation)
      let answer = try context.ask(client, "GET", HttpClient.target("/get", query))
      if invocation.wantsJson { return context.console.line(answer.text) }
      if let value = answer["value"]?.string {
        return context.console.line(TextStyle.safe(value))
      }
      guard case .object(let values) = answer["values"] else { return }
      for member in values {
        context.console.line(TextStyle.safe("\(member.key)=\(member.value.string ?? "")"))
      }
    }
  }
}

/// Figures for people.
enum Units {
  static func bytes(_ count: Int64) -> String {
    if count < 10_000 { return "\(count) B" }
    if count < 10_000_000 { return "\(count / 1_000) kB" }
    return "\(count / 1_000_000) MB"
  }

  /// `0.35 s`, `12.3 s`, `5 min`, `3 h`.
  static func duration(milliseconds: Int64) -> String {
    switch milliseconds {
    case ..<10_000:
      let hundredths = milliseconds / 10
      let rest = hundredths % 100
      return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) s"
    case ..<120_000: return "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
    case ..<7_200_000: return "\(milliseconds / 60_000) min"
    case ..<172_800_000: return "\(milliseconds / 3_600_000) h"
    default: return "\(milliseconds / 86_400_000) days"
    }
  }
}
