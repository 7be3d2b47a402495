import MusterSystem

/// `muster wait`.
enum WaitCommand {
  /// How long an agent that is just starting is waited for.
  private static let patience: Int64 = 5_000_000_000
  private static let defaultLimit: Int64 = 60_000_000_000

  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let conditions = conditions(invocation)
      guard !conditions.isEmpty else {
        throw CommandFailure(
          .usage,
          "there is nothing to wait for: give --members N, --converged, --leader, --role ROLE=N "
            + "or --version V; see muster wait --help")
      }
      let began = MonotonicClock.nanoseconds
      let limit = invocation.duration("timeout") ?? defaultLimit
      let answer = try ask(conditions, until: began + limit, invocation, context)
      let waited = (MonotonicClock.nanoseconds - began) / 1_000_000
      if invocation.wantsJson { context.console.line(answer.text) }
      if answer["met"]?.bool == true {
        if !invocation.wantsJson {
          context.console.line("done after \(Units.duration(milliseconds: waited))")
        }
        return
      }
      let missing = (answer["missing"]?.array ?? []).compactMap(\.string).map(TextStyle.safe)
      throw CommandFailure(
        .timedOut,
        "timed out after \(Units.duration(milliseconds: waited)); still missing: "
          + missing.joined(separator: "; "))
    }
  }

  private static func conditions(_ invocation: Invocation) -> [HttpField] {
    var query: [HttpField] = []
    for name in ["members", "version"] {
      if let text = invocation.text(name) { query.append(HttpField(name, text)) }
    }
    for name in ["converged", "leader"] where invocation.has(name) {
      query.append(HttpField(name, "true"))
    }
    return query + invocation.texts("role").map { HttpField("role", $0) }
  }

  /// Asks in slices: on a terminal each shows what is still missing.
  private static func ask(
    _ conditions: [HttpField], until end: Int64, _ invocation: Invocation,
    _ context: CommandContext
  ) throws(CommandFailure) -> Json {
    let console = context.console
    let showsProgress = console.isTerminal && !invocation.wantsJson
    let longest: Int64 = showsProgress ? 500 : ControlFace.longestWait
    var client = try context.client(invocation)
    try awaitAgent(client, until: end)
    defer { if showsProgress { console.print("\r\u{1b}[K") } }
    while true {
      let left = max(0, (end - MonotonicClock.nanoseconds) / 1_000_000)
      let slice = min(left, longest)
      client.silence = (slice + 10_000) * 1_000_000
      let query = conditions + [HttpField("timeout_ms", String(slice))]
      let reply = try context.send(client, "GET", HttpClient.target("/wait", query))
      let answer = try CommandContext.json(reply)
      if reply.status == 200 || (reply.status == 408 && slice == left) { return answer }
      guard reply.status == 408 else { throw CommandFailure(status: reply.status, answer) }
      if showsProgress, let missing = answer["missing"]?.array?.first?.string {
        console.print("\r\u{1b}[K\(TextStyle.safe(missing))")
      }
    }
  }

  /// An agent that was started a moment ago has no socket yet.
  private static func awaitAgent(_ client: HttpClient, until end: Int64) throws(CommandFailure) {
    let patient = min(end, MonotonicClock.nanoseconds + patience)
    while true {
      do throws(HttpError) {
        return try client.probe()
      } catch {
        guard case .nobodyListens = error, MonotonicClock.nanoseconds < patient else {
          throw CommandFailure(.failed, error.description)
        }
      }
      MonotonicClock.sleep(nanoseconds: 20_000_000)
    }
  }
}
