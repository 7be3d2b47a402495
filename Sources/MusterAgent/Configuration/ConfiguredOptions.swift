import MusterState
import MusterSystem

/// The agent's options as far as `muster.yaml` gives them; a flag of the command line wins over
/// the same option here. What each means is said at `AgentOptions`.
package struct ConfiguredOptions: Hashable, Sendable {
  /// `multicast: off` is a choice, too.
  package enum Multicast: Hashable, Sendable {
    case off
    case group(Address)
  }

  package var clusterFile: String?
  package var name: String?
  package var stateDirectory: String?
  package var sharedDirectory: String?
  package var bind: Address?
  package var advertise: Address?
  package var multicast: Multicast?
  package var interface: String?
  /// Empty when not given.
  package var join: [Address] = []
  package var controlSocket: String?
  package var http: Address?
  package var logFormat: LogFormat?
  package var logLevel: LogLevel?
  /// `leader: {priority: …}`; 0 to 255.
  package var leaderPriority: UInt8?
  package var journal: String?
  package var journalLimit: Int?

  package init() {}
}

extension ConfigurationReader {
  static let optionKeys = [
    "cluster", "name", "state", "shared", "bind", "advertise", "multicast", "interface", "join",
    "control", "http", "log-format", "log-level", "leader", "journal", "journal-limit",
  ]

  /// Paths are as they would be on the command line: relative to where the agent starts.
  mutating func options(_ fields: [String: YamlNode]) -> ConfiguredOptions {
    var options = ConfiguredOptions()
    options.clusterFile = fields["cluster"].flatMap { text($0, "the cluster file's path") }
    options.name = fields["name"].flatMap { text($0, "name", limit: Limits.nodeNameBytes) }
    options.stateDirectory = fields["state"].flatMap { text($0, "the state directory's path") }
    options.sharedDirectory = fields["shared"].flatMap { text($0, "the shared directory's path") }
    options.bind = fields["bind"].flatMap { address($0, "bind address") }
    options.advertise = fields["advertise"].flatMap { address($0, "advertised address") }
    options.multicast = fields["multicast"].flatMap { multicast($0) }
    options.interface = fields["interface"].flatMap { text($0, "interface", limit: 15) }
    options.join = fields["join"].map { join($0) } ?? []
    options.controlSocket = fields["control"].flatMap {
      // sun_path holds 108 bytes with the NUL.
      text($0, "the control socket's path", limit: 107)
    }
    options.http = fields["http"].flatMap { address($0, "http address") }
    options.logFormat = fields["log-format"]
      .flatMap { choice($0, "log format", LogFormat.allCases.map { $0.rawValue }) }
      .flatMap { LogFormat(rawValue: $0) }
    options.logLevel = fields["log-level"]
      .flatMap { choice($0, "log level", LogLevel.allCases.map { $0.name }) }
      .flatMap { LogLevel(name: $0) }
    options.journal = fields["journal"].flatMap { text($0, "the journal's path") }
    options.journalLimit = fields["journal-limit"].flatMap {
      number($0, "size in MiB", in: 1...4_096)
    }
    .map { Int($0) }
    options.leaderPriority = fields["leader"].flatMap { leaderPriority($0) }
    return options
  }

  private mutating func leaderPriority(_ node: YamlNode) -> UInt8? {
    let fields = fields(node, "leader", allowed: ["priority"])
    return fields["priority"].flatMap { number($0, "priority", in: 0...255) }
      .map { UInt8($0) }
  }

  private mutating func multicast(_ node: YamlNode) -> ConfiguredOptions.Multicast? {
    if case .scalar("off", _) = node.content { return .off }
    guard let text = text(node, "multicast group") else { return nil }
    if let address = Address(text), address.isMulticast { return .group(address) }
    note(
      node.place,
      "'\(text)' is no multicast group; write off, or GROUP:PORT such as "
        + "\(AgentOptions.defaultMulticast)")
    return nil
  }

  private mutating func join(_ node: YamlNode) -> [Address] {
    let items = items(node, "join")
    if items.count > 64 { note(node.place, "join has \(items.count) addresses; at most 64") }
    return items.prefix(64).compactMap { address($0, "join address") }
  }
}
