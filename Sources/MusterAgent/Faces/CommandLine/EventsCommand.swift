import MusterSystem

/// `muster events`.
enum EventsCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      var query: [HttpField] = []
      if invocation.has("follow") { query.append(HttpField("follow", "true")) }
      if invocation.has("replay") { query.append(HttpField("replay", "true")) }
      let wanted = Set(invocation.texts("include"))
      var client = try context.client(invocation)
      // Quiet hours are no fault; if the agent ends, the connection does.
      if invocation.has("follow") { client.silence = nil }
      let style = context.console.style
      let reply: HttpClient.Reply
      do throws(HttpError) {
        reply = try client.follow(HttpClient.target("/events", query)) { line in
          guard let event = try? Json(reading: line) else { return true }
          if !wanted.isEmpty, !wanted.contains(event["node"]?.string ?? "") { return true }
          if invocation.wantsJson {
            context.console.line(String(decoding: line, as: UTF8.self))
          } else {
            context.console.line(text(event, style))
          }
          return true
        }
      } catch {
        throw CommandFailure(.failed, error.description)
      }
      guard reply.status == 200 else {
        throw CommandFailure(status: reply.status, try CommandContext.json(reply))
      }
    }
  }

  private static let common: Set<String> = ["seq", "at", "kind", "node", "id"]

  /// `12:00:00.000Z  member-alive  ci/1  via=multicast`.
  static func text(_ event: Json, _ style: TextStyle) -> String {
    guard case .object(let members) = event else { return "" }
    let time = (event["at"]?.string ?? "").drop { $0 != "T" }.dropFirst()
    let kind = event["kind"]?.string ?? "?"
    let node = event["node"]?.string ?? ""
    let details = members.filter { !common.contains($0.key) && !$0.value.isNull }.map { member in
      "\(member.key)=\(member.value.string ?? member.value.text)"
    }
    let padded = kind + String(repeating: " ", count: max(0, 18 - kind.count))
    let rest = [node] + details
    return String(time) + "  " + style.apply(colour(kind), TextStyle.safe(padded)) + "  "
      + TextStyle.safe(rest.joined(separator: "  "))
  }

  private static func colour(_ kind: String) -> TextStyle.Colour {
    switch kind {
    case "member-dead", "member-unfit", "service-failed", "release-failed", "equivocation",
      "cluster-conflict", "name-conflict", "plan-rolling-back":
      .red
    case "member-suspect": .yellow
    case "leader-changed", "founded", "sealed": .bold
    default: .plain
    }
  }
}
