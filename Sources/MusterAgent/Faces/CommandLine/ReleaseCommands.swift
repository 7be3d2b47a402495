import MusterSystem

/// `muster release list`.
enum ReleaseListCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let status = try context.ask(try context.client(invocation), "GET", "/status")
      if invocation.wantsJson {
        return context.console.line((status["releases"] ?? .array([])).text)
      }
      var table = TextTable(["VERSION", "STANDING", "COPY", "RUNNING", "SOURCE"])
      for release in status["releases"]?.array ?? [] {
        let running = (release["running"]?.array ?? []).compactMap(\.string)
        table.add([
          TextTable.Cell(release["version"]?.string ?? ""),
          TextTable.Cell(release["standing"]?.string ?? ""),
          TextTable.Cell(release["directory"]?.string ?? ""),
          TextTable.Cell(running.joined(separator: " ")),
          TextTable.Cell(release["source"]?.string ?? ""),
        ])
      }
      context.console.print(table.text(context.console.style))
    }
  }
}

/// `muster release show`.
enum ReleaseShowCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let query = [HttpField("version", invocation.operands[0])]
      let release = try context.ask(
        try context.client(invocation), "GET", HttpClient.target("/release", query))
      if invocation.wantsJson { return context.console.line(release.text) }
      for (name, text) in lines(of: release) where !text.isEmpty {
        let padding = String(repeating: " ", count: 11 - name.count)
        context.console.print(
          context.console.style.apply(.bold, name) + padding + TextStyle.safe(text) + "\n")
      }
    }
  }

  private static func lines(of release: Json) -> [(String, String)] {
    func text(_ key: String) -> String { release[key]?.string ?? "" }
    func list(_ key: String) -> String {
      (release[key]?.array ?? []).compactMap(\.string).joined(separator: ", ")
    }
    var lines = [
      ("version", text("version")), ("standing", text("standing")), ("source", text("source")),
      ("mirrors", list("mirrors")), ("sha256", text("sha256")), ("minisign", text("minisign")),
      ("copy", text("directory")), ("digest", text("digest")), ("running", list("running")),
      ("corrupt on", list("corrupt")), ("manifest", text("manifest_error")),
    ]
    if let manifest = release["manifest"] {
      let size = Units.bytes(manifest["bytes"]?.integer ?? 0)
      let node = manifest["fetched_by"]?.string ?? ""
      let source = manifest["fetched_from"]?.string ?? ""
      lines += [
        ("content", "\(manifest["files"]?.integer ?? 0) files, \(size)"),
        ("fetched", "by \(node) in term \(manifest["term"]?.integer ?? 0) from \(source)"),
      ]
    }
    return lines
  }
}

/// `muster release verify`.
enum ReleaseVerifyCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      guard !invocation.has("all") else {
        return try ReleaseInspectionCommand.run(invocation, context)
      }
      guard !invocation.has("timeout") else {
        throw CommandFailure(
          .usage, "--timeout belongs to --all: one node has all the time it needs")
      }
      var client = try context.client(invocation)
      // Every byte of a large release, perhaps from a slow server.
      client.silence = 3_600_000_000_000
      var body: Json = [:]
      if let version = invocation.operand(0) { body = ["version": .string(version)] }
      let found = try context.ask(client, "POST", "/release/verify", body)
      let isGood = found["ok"]?.bool == true
      if invocation.wantsJson {
        context.console.line(found.text)
      } else {
        context.console.print(text(found))
      }
      guard isGood else {
        throw CommandFailure(
          .failed,
          "\(found["directory"]?.string ?? "") is corrupt; the leader orders another copy, see "
            + "muster status")
      }
    }
  }

  private static func text(_ found: Json) -> String {
    let problems = found["problems"]?.array ?? []
    var lines = problems.map { problem in
      TextStyle.safe(
        "\(problem["path"]?.string ?? "") \(problem["reason"]?.string ?? "")")
    }
    let count = found["problem_count"]?.integer ?? 0
    if count > problems.count { lines.append("and \(count - Int64(problems.count)) more") }
    if lines.isEmpty {
      let files = found["files"]?.integer ?? 0
      lines.append(
        "\(TextStyle.safe(found["directory"]?.string ?? "")): all of \(files) files and "
          + "\(Units.bytes(found["bytes"]?.integer ?? 0)) as the manifest says")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

/// `muster release remove` and `muster release gc`: ordered of the leader, then waited for.
enum ReleaseRemovalCommand {
  static func remove(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    run(invocation, context, "/release/remove", ["version": .string(invocation.operands[0])])
  }

  static func collect(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    run(invocation, context, "/release/gc", [:])
  }

  private static let patience: Int64 = 120_000_000_000

  private static func run(
    _ invocation: Invocation, _ context: CommandContext, _ path: String, _ body: Json
  ) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      var client = try context.client(invocation)
      client.silence = 60_000_000_000
      _ = try context.ask(client, "POST", path, body)
      let end = MonotonicClock.nanoseconds + patience
      while true {
        let collection = try context.ask(client, "GET", "/status")["collection"]
        if let outcome = collection?["outcome"]?.string {
          if outcome.hasPrefix("failed") { throw CommandFailure(.failed, TextStyle.safe(outcome)) }
          return context.console.line(
            invocation.wantsJson ? collection?.text ?? "" : TextStyle.safe(outcome))
        }
        guard MonotonicClock.nanoseconds < end else {
          throw CommandFailure(
            .timedOut, "the leader is still at it; `muster status --json` shows the outcome")
        }
        MonotonicClock.sleep(nanoseconds: 50_000_000)
      }
    }
  }
}
