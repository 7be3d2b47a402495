import MusterState
import MusterSystem

/// `muster set`.
enum SetCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let key = invocation.operands[0]
      let value = invocation.operands[1]
      let forCluster = invocation.has("cluster")
      try Orders.check { () throws(OperatorRequest.Refusal) in
        _ = try OperatorRequest.set(key: key, value: value, forCluster: forCluster)
      }
      try Orders.send(
        invocation, context, "/set",
        ["key": .string(key), "value": .string(value), "cluster": .bool(forCluster)],
        done: value.isEmpty ? "deleted \(key)" : "\(key)=\(value)")
    }
  }
}

/// `muster release add`.
enum ReleaseCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let version = invocation.operands[0]
      let sources = invocation.values["source"] ?? []
      let announcement = OperatorRequest.Announcement(
        version: version, source: sources.first ?? "", sha256: invocation.text("sha256") ?? "",
        mirrors: Array(sources.dropFirst()), signer: invocation.text("minisign") ?? "",
        unpackedBytes: invocation.text("unpacked").flatMap { Int64($0) } ?? 0)
      try Orders.check { () throws(OperatorRequest.Refusal) in
        _ = try OperatorRequest.release(announcement)
      }
      try Orders.send(
        invocation, context, "/release", announcement.json,
        done: "release \(version) is known: `muster set --cluster version \(version)` installs it")
    }
  }
}

/// `muster release repair`.
enum ReleaseRepairCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let version = invocation.operands[0]
      try Orders.send(
        invocation, context, "/release/repair", ["version": .string(version)],
        done: "release \(version) is published again; `muster status` shows when it is done")
    }
  }
}

/// `muster leave`.
enum LeaveCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      try Orders.send(invocation, context, "/leave", nil, done: "this node has left the cluster")
    }
  }
}

/// `muster forget`.
enum ForgetCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let client = try context.client(invocation)
      let name = invocation.operands[0]
      let node = try find(name, try context.ask(client, "GET", "/members"))
      var body: Json = ["node": .string(node.description)]
      if let path = invocation.text("authority") {
        let status = try context.ask(client, "GET", "/status")
        let signature = try AuthorityKey.sign(status, keyPath: path) {
          forgetMessage(cluster: $0, node: node)
        }
        body = ["node": .string(node.description), "signature": .string(hexadecimal(signature))]
      }
      try Orders.send(
        invocation, context, "/forget", body, done: "\(name) (\(node.short)) is forgotten")
    }
  }

  static func find(_ name: String, _ members: Json) throws(CommandFailure) -> NodeID {
    let known = (members.array ?? []).compactMap { member -> (name: String, id: String)? in
      guard let name = member["name"]?.string, let id = member["id"]?.string else { return nil }
      return (name, id)
    }
    let id: String
    do throws(OperatorRequest.Refusal) { id = try OperatorRequest.match(name, known) } catch {
      throw CommandFailure(.failed, error.description)
    }
    guard let node = NodeID(id) else { throw CommandFailure(.failed, "\(id) is no identity") }
    return node
  }
}

/// What orders have in common.
enum Orders {
  /// Refuses here what the agent would refuse, with the same words.
  static func check(
    _ body: () throws(OperatorRequest.Refusal) -> Void
  ) throws(CommandFailure) {
    do throws(OperatorRequest.Refusal) { try body() } catch {
      throw CommandFailure(.usage, error.description)
    }
  }

  static func send(
    _ invocation: Invocation, _ context: CommandContext, _ path: String, _ body: Json?,
    done: String
  ) throws(CommandFailure) {
    var client = try context.client(invocation)
    // A leader may have to be elected first, and a node that leaves waits to be let go.
    client.silence = 60_000_000_000
    let answer = try context.ask(client, "POST", path, body)
    context.console.line(invocation.wantsJson ? answer.text : TextStyle.safe(done))
  }
}
