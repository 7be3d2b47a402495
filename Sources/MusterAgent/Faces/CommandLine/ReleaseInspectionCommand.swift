import MusterSystem

/// `muster release verify --all`: ordered of the leader, then everyone's word is waited for.
enum ReleaseInspectionCommand {
  /// How long is waited for who lives and says nothing.
  static let patience: Int64 = 600_000_000_000
  private static let pause: Int64 = 100_000_000

  static func run(
    _ invocation: Invocation, _ context: CommandContext
  ) throws(CommandFailure) {
    var client = try context.client(invocation)
    client.silence = 60_000_000_000
    var body: Json = [:]
    if let version = invocation.operand(0) { body = ["version": .string(version)] }
    let order = try context.ask(client, "POST", "/release/inspection", body)["id"]?.string
    let end = MonotonicClock.nanoseconds + (invocation.duration("timeout") ?? patience)
    while true {
      let found = try context.ask(client, "GET", "/release/inspection")
      guard found["id"]?.string == order else {
        throw CommandFailure(.failed, "somebody has asked for another look meanwhile; ask again")
      }
      let mute = (found["nodes"]?.array ?? []).filter { isAwaited($0) }
      guard mute.isEmpty || MonotonicClock.nanoseconds >= end else {
        MonotonicClock.sleep(nanoseconds: pause)
        continue
      }
      context.console.print(
        invocation.wantsJson ? found.text + "\n" : text(found, context.console.style))
      return try judge(found, mute: mute)
    }
  }

  private static func isAwaited(_ node: Json) -> Bool {
    node["ok"]?.bool == nil && node["state"]?.string != "dead"
  }

  private static func judge(_ found: Json, mute: [Json]) throws(CommandFailure) {
    func names(_ nodes: [Json]) -> String {
      TextStyle.safe(nodes.compactMap { $0["node"]?.string }.joined(separator: ", "))
    }
    let directory = TextStyle.safe(found["directory"]?.string ?? "")
    let bad = (found["nodes"]?.array ?? []).filter { $0["ok"]?.bool == false }
    guard bad.isEmpty else {
      throw CommandFailure(.failed, "\(directory) is not right on \(names(bad))")
    }
    guard mute.isEmpty else {
      throw CommandFailure(.timedOut, "\(names(mute)) has not said what it finds; see its log")
    }
  }

  static func text(_ found: Json, _ style: TextStyle) -> String {
    var table = TextTable(["NODE", "VERDICT", "FOUND"])
    for node in found["nodes"]?.array ?? [] {
      let isGood = node["ok"]?.bool
      let verdict =
        isGood.map { $0 ? "right" : "wrong" } ?? (isAwaited(node) ? "mute" : "not asked")
      table.add([
        TextTable.Cell(node["node"]?.string ?? ""),
        TextTable.Cell(verdict, isGood == true ? .plain : isGood == false ? .red : .yellow),
        TextTable.Cell(node["text"]?.string ?? (isAwaited(node) ? "" : "it is dead")),
      ])
    }
    return table.text(style)
  }
}
