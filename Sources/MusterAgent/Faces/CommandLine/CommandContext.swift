import MusterState
import MusterSystem

/// What a command works with.
package struct CommandContext {
  package var console: Console
  package var joints: CommandJoints
  /// Every command that there is, for completion.
  var rules: [CommandRule] = []

  /// The client for the agent that the command line or the environment names.
  func client(_ invocation: Invocation) throws(CommandFailure) -> HttpClient {
    guard let path = invocation.text("control") ?? console.environment("MUSTER_CONTROL") else {
      throw CommandFailure(
        .usage, "no control socket is named: give --control SOCKET or set MUSTER_CONTROL")
    }
    return HttpClient(path: path)
  }

  /// Asks the agent and reads its JSON.
  func ask(
    _ client: HttpClient, _ method: String, _ target: String, _ body: Json? = nil
  ) throws(CommandFailure) -> Json {
    let reply = try send(client, method, target, body)
    let json = try Self.json(reply)
    guard reply.status < 300 else { throw CommandFailure(status: reply.status, json) }
    return json
  }

  func send(
    _ client: HttpClient, _ method: String, _ target: String, _ body: Json? = nil
  ) throws(CommandFailure) -> HttpClient.Reply {
    do throws(HttpError) {
      return try client.send(method, target, body: body?.bytes ?? [])
    } catch {
      throw CommandFailure(.failed, error.description)
    }
  }

  static func json(_ reply: HttpClient.Reply) throws(CommandFailure) -> Json {
    do throws(JsonError) {
      return try Json(reading: reply.body)
    } catch {
      throw CommandFailure(
        .failed,
        "the answer is not from a Muster agent (\(error)): check the path of the control socket")
    }
  }

  /// Runs a command's work, and prints why it did not succeed.
  package func run(
    _ invocation: Invocation, _ work: () throws(CommandFailure) -> Void
  ) -> ExitCode {
    do throws(CommandFailure) {
      try work()
      return .done
    } catch {
      console.fail(invocation.verb, error.text)
      return error.code
    }
  }
}

/// Why a command did not succeed, and the exit code that says so.
package struct CommandFailure: Error {
  package var code: ExitCode
  package var text: String

  package init(_ code: ExitCode, _ text: String) {
    self.code = code
    self.text = text
  }

  /// What the agent answered instead of success.
  init(status: Int, _ answer: Json) {
    let error = TextStyle.safe(answer["error"]?.string ?? "the agent answered \(status)")
    let advice = TextStyle.safe(answer["advice"]?.string ?? "")
    text = advice.isEmpty ? error : "\(error); \(advice)"
    code =
      switch status {
      case 400: .usage
      case 408, 504: .timedOut
      case 409: .refused
      default: .failed
      }
  }
}

/// Where the command line meets the rest of the agent.
package struct CommandJoints {
  /// Runs the daemon until it ends; its exit code. The options are checked for form, and `services`
  /// are those of `--config`.
  package var runAgent: (AgentOptions, [ServiceDefinition]) -> Int32

  package init(runAgent: @escaping (AgentOptions, [ServiceDefinition]) -> Int32) {
    self.runAgent = runAgent
  }
}
