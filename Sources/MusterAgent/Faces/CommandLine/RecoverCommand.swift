import MusterState
import MusterSystem

/// `muster cluster recover`: a lost majority, by the operator's decision.
enum RecoverCommand {
  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    context.run(invocation) { () throws(CommandFailure) in
      var client = try context.client(invocation)
      client.silence = 60_000_000_000
      let status = try context.ask(client, "GET", "/status")
      let leader = try context.ask(client, "GET", "/leader")
      try refuseUnderLeader(invocation, leader)
      let recovery = try signed(invocation, status, leader)
      if !invocation.wantsJson {
        context.console.print(
          warning(status, leader, recovery.absorbed, context.console.style))
      }
      try confirm(invocation, context, name: status["cluster"]?.string ?? "")
      let answer = try context.ask(
        client, "POST", "/cluster/recover",
        RecoverRequest.json(recovery, force: invocation.has("force")))
      context.console.line(
        invocation.wantsJson
          ? answer.text
          : "recovered: founding \(recovery.to) continues \(recovery.from); "
            + "`muster status` shows who follows")
    }
  }

  private static func refuseUnderLeader(
    _ invocation: Invocation, _ leader: Json
  ) throws(CommandFailure) {
    guard leader["valid"]?.bool == true, !invocation.has("force") else { return }
    throw CommandFailure(
      .refused,
      "\(TextStyle.safe(leader["leader"]?.string ?? "somebody")) leads and was heard of just now: "
        + "no majority is lost. If that leader is to be given up all the same, add --force")
  }

  private static func signed(
    _ invocation: Invocation, _ status: Json, _ leader: Json
  ) throws(CommandFailure) -> Recovery {
    let register = leader["register"]
    guard let founding = identifier(status["founding"]?.string) else {
      throw CommandFailure(
        .refused, "the cluster is not founded yet: there is nothing to recover")
    }
    guard let cluster = identifier(status["cluster_id"]?.string),
      let node = identifier(status["node_id"]?.string), let term = register?["term"]?.integer,
      let count = register?["count"]?.integer,
      let digest = (register?["digest"]?.string).flatMap({ Digest($0) }),
      let fresh = Bytes16(Sodium.randomBytes(16))
    else { throw CommandFailure(.failed, "the agent does not say what it holds; update it") }
    var absorbed: [FoundingID] = []
    for text in invocation.texts("absorb") {
      guard let other = identifier(text) else {
        throw CommandFailure(
          .usage,
          "--absorb \"\(TextStyle.safe(text))\" is no founding: give 32 hexadecimal digits, "
            + "as `muster events` prints with cluster-conflict")
      }
      absorbed.append(FoundingID(other))
    }
    var recovery = Recovery(
      from: FoundingID(founding),
      version: RegisterVersion(term: UInt64(clamping: term), count: UInt64(clamping: count)),
      digest: digest, to: FoundingID(fresh), voter: NodeID(node),
      absorbed: Set(absorbed).sorted())
    let message = recovery.message(cluster: ClusterID(cluster))
    let signature: [UInt8]
    do throws(ClusterFileError) {
      signature = try AuthorityKey.read(
        invocation.text("authority") ?? "", of: ClusterID(cluster)
      ).sign(message)
    } catch {
      throw CommandFailure(.failed, error.description)
    }
    guard let value = Signature(signature) else { preconditionFailure("a signature has 64 bytes") }
    recovery.signature = value
    return recovery
  }

  private static func identifier(_ text: String?) -> Bytes16? {
    text.flatMap { bytes(hexadecimal: $0) }.flatMap { Bytes16($0) }
  }

  private static func confirm(
    _ invocation: Invocation, _ context: CommandContext, name: String
  ) throws(CommandFailure) {
    if invocation.has("yes") { return }
    guard let ask = context.console.ask else {
      throw CommandFailure(.refused, "nobody can be asked here: add --yes to go on")
    }
    guard ask("Type the cluster's name, \(TextStyle.safe(name)), to go on: ") == name else {
      throw CommandFailure(.refused, "that is not the cluster's name; nothing was changed")
    }
  }

  // MARK: - What it means

  static func warning(
    _ status: Json, _ leader: Json, _ absorbed: [FoundingID], _ style: TextStyle
  ) -> String {
    func word(_ json: Json?) -> String { TextStyle.safe(json?.string ?? "none") }
    let node = word(status["node"])
    let voters = leader["voters"]?.array ?? []
    let lost = voters.filter { $0["state"]?.string != "alive" }.map { word($0["name"]) }
    let register = word(leader["register"]?["known"])
    var lines = [
      style.apply(.bold, "Recovery of \(word(status["cluster"])) from \(node)"), "",
      "  voters now   \(voters.map { word($0["name"]) }.joined(separator: ", "))",
      "  not alive    \(lost.isEmpty ? "none of them" : lost.joined(separator: ", "))",
      "  voter then   \(node) alone; others become voters after ten seconds, one at a time",
      "  kept         register \(register): roster, settings, releases; current release "
        + word(status["release"]?["version"]),
      "  lost         whatever other voters have committed after register \(register)",
    ]
    if let plan = status["plan"], plan["to"]?.string != nil {
      lines.append(
        "  ended        the plan to \(word(plan["to"])), which is \(word(plan["phase"]))")
    }
    if !absorbed.isEmpty {
      lines.append(
        "  absorbed     every node of \(absorbed.map(\.description).joined(separator: ", "))")
    }
    lines += [
      "",
      style.apply(
        .red,
        "Every other node gives up its vote in the present founding for good as soon as it meets "
          + "this one,"),
      style.apply(
        .red,
        "also a majority that is alive on the other side of a split. There is no way back."), "",
    ]
    return lines.map { $0 + "\n" }.joined()
  }
}
