import MusterState
import MusterSystem

/// `muster upgrade VERSION`.
enum UpgradeCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let version = invocation.operands[0]
      let batch = invocation.text("batch")
      let policy = invocation.text("policy")
      let stopsFirst = invocation.has("stop-first")
      try Orders.check { () throws(OperatorRequest.Refusal) in
        let options = try OperatorRequest.options(
          batch: batch, policy: policy, stopsFirst: stopsFirst)
        _ = try OperatorRequest.upgrade(to: version, options)
      }
      guard !invocation.has("dry-run") else {
        var query = [HttpField("version", version)]
        if let batch { query.append(HttpField("batch", batch)) }
        if let policy { query.append(HttpField("policy", policy)) }
        if stopsFirst { query.append(HttpField("stop-first", "")) }
        return try preview(invocation, context, query)
      }
      var body: [JsonMember] = [JsonMember("version", .string(version))]
      if let batch { body.append(JsonMember("batch", .string(batch))) }
      if let policy { body.append(JsonMember("policy", .string(policy))) }
      if stopsFirst { body.append(JsonMember("stop_first", true)) }
      try Orders.send(
        invocation, context, "/upgrade", .object(body),
        done: "upgrading to \(version): `muster upgrade status --watch` shows how far it is")
    }
  }

  private static func preview(
    _ invocation: Invocation, _ context: CommandContext, _ query: [HttpField]
  ) throws(CommandFailure) {
    let preview = try context.ask(
      try context.client(invocation), "GET", HttpClient.target("/upgrade/preview", query))
    context.console.print(
      invocation.wantsJson ? preview.text + "\n" : text(preview, context.console.style))
    guard preview["ok"]?.bool == true else {
      throw CommandFailure(.refused, "the upgrade would be refused")
    }
  }

  static func text(_ preview: Json, _ style: TextStyle) -> String {
    var lines = (preview["checks"]?.array ?? []).map { check in
      let isGood = check["ok"]?.bool == true
      let text = isGood ? "yes" : check["text"]?.string ?? "no"
      let name = check["name"]?.string ?? ""
      return style.apply(.bold, name) + String(repeating: " ", count: max(1, 15 - name.count))
        + style.apply(isGood ? .plain : .red, TextStyle.safe(text))
    }
    let order = preview["stop_first"]?.bool == true ? "stop, fetch, start" : "fetch, stop, start"
    let fetch = preview["fetch"]?.bool == true ? order : "stop, start; nothing is fetched"
    lines.append(
      TextStyle.safe(
        "from \(preview["from"]?.string ?? "nothing") to \(preview["version"]?.string ?? ""): "
          + "\(fetch); a mute node: \(preview["policy"]?.string ?? "")"))
    for (number, wave) in (preview["waves"]?.array ?? []).enumerated() {
      let names = (wave.array ?? []).compactMap(\.string).joined(separator: ", ")
      lines.append(TextStyle.safe("wave \(number + 1): \(names)"))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// `muster upgrade pause`, `resume` and `abort`.
enum UpgradeSteering {
  static func pause(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    send("pause", "nobody else is stopped until `muster upgrade resume`", invocation, context)
  }

  static func resume(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    send("resume", "the upgrade goes on", invocation, context)
  }

  static func abort(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    send("abort", "the upgrade is given up: what has moved goes back", invocation, context)
  }

  private static func send(
    _ order: String, _ done: String, _ invocation: Invocation, _ context: CommandContext
  ) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      try Orders.send(invocation, context, "/upgrade/\(order)", [:], done: done)
    }
  }
}
