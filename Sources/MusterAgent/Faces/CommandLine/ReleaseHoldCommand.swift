import MusterState
import MusterSystem

/// `muster upgrade release-hold`.
enum ReleaseHoldCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      let client = try context.client(invocation)
      let name = invocation.operands[0]
      let node = try ForgetCommand.find(name, try context.ask(client, "GET", "/members"))
      let status = try context.ask(client, "GET", "/status")
      let signature = try AuthorityKey.sign(
        status, keyPath: invocation.text("authority") ?? ""
      ) { holdMessage(cluster: $0, node: node) }
      try Orders.send(
        invocation, context, "/upgrade/release-hold",
        ["node": .string(node.description), "signature": .string(hexadecimal(signature))],
        done: "\(name) runs what it ran before, until it hears of the plan again")
    }
  }
}

extension AuthorityKey {
  /// Signs with the key in a file, which must be of the cluster that `status` is of.
  static func sign(
    _ status: Json, keyPath: String, _ message: (ClusterID) -> [UInt8]
  ) throws(CommandFailure) -> [UInt8] {
    guard let text = status["cluster_id"]?.string, let raw = bytes(hexadecimal: text),
      let id = Bytes16(raw)
    else { throw CommandFailure(.failed, "the agent does not say which cluster it is of") }
    do throws(ClusterFileError) {
      return try read(keyPath, of: ClusterID(id)).sign(message(ClusterID(id)))
    } catch {
      throw CommandFailure(.failed, error.description)
    }
  }
}
