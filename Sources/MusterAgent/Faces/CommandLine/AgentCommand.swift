import MusterProtocol
import MusterState

/// `muster agent`: flags and the configuration file become one `AgentOptions`.
enum AgentCommand {
  static var options: [OptionRule] {
    [
      OptionRule("found", .none, "found a cluster of one alone"),
      OptionRule("config", .path("FILE"), "muster.yaml: these options, and the services"),
      OptionRule("cluster", .path("FILE"), "the cluster file that `muster init` wrote"),
      OptionRule("name", .text("NAME"), "this node's name, such as ci/0"),
      OptionRule("state", .path("DIR"), "this node's own directory, on its own disk"),
      OptionRule(
        "shared", .path("DIR"),
        "the directory that all nodes share, or none: each fetches for itself"),
      OptionRule("bind", .address, "the address and port of its datagrams"),
      OptionRule("advertise", .address, "where others reach it; default: where it is bound"),
      OptionRule("multicast", .addressOr("off"), "the group for beacons"),
      OptionRule("interface", .text("NAME"), "the interface for multicast"),
      OptionRule("join", .address, "a member to contact first", isRepeated: true),
      OptionRule("control", .path("SOCKET"), "the socket for the command line"),
      OptionRule("http", .address, "where to serve /health, /status, /metrics and /events"),
      OptionRule("log-format", .choice(LogFormat.allCases.map(\.rawValue)), "default: text"),
      OptionRule("log-level", .choice(LogLevel.allCases.map(\.name)), "default: info"),
      OptionRule("journal", .path("FILE"), "record for muster replay; one before is kept as .old"),
      OptionRule(
        "journal-limit", .count(1...4_096), "recording ends at so many MiB; default: 256"),
    ]
  }

  static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    var code: Int32 = 0
    let result = context.run(invocation) { () throws(CommandFailure) in
      let configuration = try configuration(invocation)
      let options = try merge(invocation, configuration?.options ?? ConfiguredOptions())
      code = context.joints.runAgent(options, configuration?.services ?? [])
    }
    return result == .done ? ExitCode(rawValue: code) ?? .failed : result
  }

  private static func configuration(
    _ invocation: Invocation
  ) throws(CommandFailure) -> Configuration? {
    guard let path = invocation.text("config") else { return nil }
    do throws(ConfigurationError) { return try Configuration(path: path) } catch {
      throw CommandFailure(.failed, error.description)
    }
  }

  /// A flag wins over the file; what is needed must be in one of them.
  static func merge(
    _ invocation: Invocation, _ file: ConfiguredOptions
  ) throws(CommandFailure) -> AgentOptions {
    func needed<Value>(_ value: Value?, _ name: String) throws(CommandFailure) -> Value {
      if let value { return value }
      throw CommandFailure(
        .usage,
        "--\(name) is missing: give it, or \"\(name):\" in the file of --config; "
          + "see muster agent --help")
    }
    let name = try needed(invocation.text("name") ?? file.name, "name")
    try check(name: name)
    let multicast = try multicast(invocation, file)
    let join = invocation.texts("join").compactMap { Address($0) }
    return AgentOptions(
      founds: invocation.has("found"),
      clusterFile: try needed(invocation.text("cluster") ?? file.clusterFile, "cluster"),
      name: name,
      stateDirectory: try needed(invocation.text("state") ?? file.stateDirectory, "state"),
      sharedDirectory: try needed(invocation.text("shared") ?? file.sharedDirectory, "shared"),
      bind: try needed(invocation.address("bind") ?? file.bind, "bind"),
      advertise: invocation.address("advertise") ?? file.advertise, multicast: multicast,
      interface: invocation.text("interface") ?? file.interface,
      join: join.isEmpty ? file.join : join,
      controlSocket: try needed(invocation.text("control") ?? file.controlSocket, "control"),
      http: invocation.address("http") ?? file.http,
      configurationFile: invocation.text("config"),
      logFormat: invocation.text("log-format").flatMap(LogFormat.init) ?? file.logFormat ?? .text,
      logLevel: invocation.text("log-level").flatMap(LogLevel.init) ?? file.logLevel ?? .info,
      leaderPriority: file.leaderPriority ?? LeaderPriority.standard,
      journal: invocation.text("journal") ?? file.journal,
      journalLimit: invocation.count("journal-limit") ?? file.journalLimit
        ?? AgentOptions.defaultJournalLimit)
  }

  private static func check(name: String) throws(CommandFailure) {
    guard name.utf8.count <= Limits.nodeNameBytes,
      !name.unicodeScalars.contains(where: { $0.value <= 32 || $0.value == 127 })
    else {
      throw CommandFailure(
        .usage,
        "--name \"\(TextStyle.safe(name))\" is no node's name: use at most "
          + "\(Limits.nodeNameBytes) bytes without spaces, such as ci/0")
    }
  }

  private static func multicast(
    _ invocation: Invocation, _ file: ConfiguredOptions
  ) throws(CommandFailure) -> Address? {
    if let text = invocation.text("multicast") {
      guard text != "off" else { return nil }
      guard let group = Address(text), group.isMulticast else {
        throw CommandFailure(
          .usage,
          "--multicast \(text) is no multicast group: give off, or a group such as "
            + "\(AgentOptions.defaultMulticast)")
      }
      return group
    }
    switch file.multicast {
    case .off: return nil
    case .group(let address): return address
    case nil: return AgentOptions.defaultMulticast
    }
  }
}
