import MusterSystem

/// `muster upgrade status`.
enum UpgradeStatusCommand {
  private static let pace: Int64 = 250_000_000

  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let client = try context.client(invocation)
      var shown = ""
      var hasBegun = false
      while true {
        let plan = try context.ask(client, "GET", "/upgrade")
        let text = invocation.wantsJson ? plan.text + "\n" : Self.text(plan, context.console.style)
        // The time left alone is no news.
        let news = Self.text(plan, context.console.style, withTime: false)
        if news != shown { context.console.print(text) }
        shown = news
        let isIdle = plan["phase"]?.string == "idle"
        guard invocation.has("watch"), !isIdle else {
          if hasBegun, let failure = plan["failure"]?.string {
            throw CommandFailure(.failed, "the upgrade was given up: \(TextStyle.safe(failure))")
          }
          return
        }
        hasBegun = true
        MonotonicClock.sleep(nanoseconds: pace)
      }
    }
  }

  /// One line for the plan, and one a node.
  static func text(_ plan: Json, _ style: TextStyle, withTime: Bool = true) -> String {
    let phase = plan["phase"]?.string ?? "idle"
    let failure = plan["failure"]?.string
    guard phase != "idle" else {
      return TextStyle.safe(failure.map { "idle; the last one was given up: \($0)" } ?? "idle")
        + "\n"
    }
    let participants = plan["participants"]?.array ?? []
    var head = "\(plan["from"]?.string ?? "nothing") to \(plan["to"]?.string ?? ""): \(phase)"
    let waves = plan["waves"]?.integer ?? 1
    if waves > 1 { head += ", wave \(plan["wave"]?.integer ?? 1) of \(waves)" }
    if plan["paused"]?.bool == true { head += ", paused" }
    let awaited = participants.filter { $0["awaited"]?.bool == true }
      .compactMap { $0["node"]?.string }
    if !awaited.isEmpty { head += "; waiting for \(awaited.joined(separator: ", "))" }
    if withTime, !awaited.isEmpty, let left = plan["remaining_ms"]?.integer {
      head += ", \(Units.duration(milliseconds: max(0, left))) left"
    }
    if let failure { head += "; because \(failure)" }
    var table = TextTable(["NODE", "WAVE", "VERSION", "SAYS", "NOTE"])
    for participant in participants {
      let isOvertaken = participant["overtaken"]?.bool == true
      let isAwaited = participant["awaited"]?.bool == true
      let note = isOvertaken ? "overtaken" : isAwaited ? "awaited" : "-"
      table.add([
        TextTable.Cell(participant["node"]?.string ?? ""),
        TextTable.Cell("\(participant["wave"]?.integer ?? 1)"),
        TextTable.Cell(participant["version"]?.string ?? "-"),
        TextTable.Cell(participant["acknowledgement"]?.string ?? "nothing"),
        TextTable.Cell(note),
      ])
    }
    return style.apply(.bold, TextStyle.safe(head)) + "\n" + table.text(style)
  }
}
