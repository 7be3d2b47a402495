import MusterState

/// `muster init`.
enum InitCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    guard let name = invocation.text("name"), let expect = invocation.count("expect"),
      let directory = invocation.text("out")
    else { preconditionFailure("the parser saw to it") }
    return context.run(invocation) { () throws(CommandFailure) in
      let creation: ClusterCreation
      do throws(ClusterFileError) {
        creation = try ClusterCreation.write(
          name: name, expect: UInt32(expect), directory: directory)
      } catch {
        if case .refused(let reason) = error { throw CommandFailure(.usage, reason) }
        throw CommandFailure(.failed, error.description)
      }
      report(creation, invocation, context.console)
    }
  }

  private static func report(
    _ creation: ClusterCreation, _ invocation: Invocation, _ console: Console
  ) {
    if invocation.wantsJson {
      let json: Json = [
        "cluster": .string(creation.cluster.name),
        "cluster_id": .string(creation.cluster.id.description),
        "expect": .count(creation.cluster.expect),
        "cluster_file": .string(creation.clusterPath),
        "authority_key": .string(creation.authorityPath),
      ]
      return console.line(json.text)
    }
    let first = creation.cluster.expect == 1 ? " --found" : ""
    console.print(
      """
      \(creation.clusterPath)  the cluster file: copy it to every machine, mode 0600
      \(creation.authorityPath)  the operator's key: keep it safe, and off those machines
      next: run `muster agent\(first) --cluster \(creation.clusterPath) …` on \
      \(creation.cluster.expect) \(creation.cluster.expect == 1 ? "machine" : "machines")

      """)
  }
}
