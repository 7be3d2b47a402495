import MusterProtocol
import MusterState

/// Everything that `muster agent` is told, by flags or by `muster.yaml`, already checked for
/// form. Whether it fits this machine (ports, directories, addresses) is found at the start.
package struct AgentOptions: Hashable, Sendable {
  /// `--found`: founds a cluster of one alone.
  package var founds: Bool
  /// `--cluster`: the cluster file that `muster init` wrote.
  package var clusterFile: String
  /// `--name`, such as `ci/0`; at most `Limits.nodeNameBytes`.
  package var name: String
  /// `--state`: this node's own directory, on its own disk; made when absent.
  package var stateDirectory: String
  /// `--shared`: the directory that all nodes share; holds releases and nothing else. `none`: there
  /// is none, and each node fetches for itself.
  package var sharedDirectory: String
  package var isLocal: Bool { sharedDirectory == Self.noShare }
  package static let noShare = "none"
  /// `--bind`: the address and port of the node's one unicast socket.
  package var bind: Address
  /// `--advertise`: where others reach this node; `nil`: where it is bound.
  package var advertise: Address?
  /// `--multicast`: where beacons go; `nil` is `off`.
  package var multicast: Address?
  /// `--interface`: the interface for multicast by its name; `nil`: the one of `bind`.
  package var interface: String?
  /// `--join`, any number of times: members to contact first.
  package var join: [Address]
  /// `--control`: the path of the socket that the command line speaks to.
  package var controlSocket: String
  /// `--http`: the address of the read-only pages; `nil`: none.
  package var http: Address?
  /// `--config`: the `muster.yaml` that these options and the services came from.
  package var configurationFile: String?
  /// `--log-format`.
  package var logFormat: LogFormat
  /// `--log-level`: the least severe line that is written.
  package var logLevel: LogLevel
  /// `--journal`: where what the peer is given is recorded for `muster replay`; `nil`: nowhere.
  package var journal: String?
  /// `--journal-limit`: recording ends at this size, in MiB.
  package var journalLimit: Int
  package static let defaultJournalLimit = 256
  /// `leader: {priority: …}` of `muster.yaml`: who leads first; 0 never leads, and still votes.
  package var leaderPriority: UInt8

  /// 239.77.83.84:7946, administratively scoped: it never leaves the site.
  package static let defaultMulticast = Address(v4: 0xef4d_5354, port: 7_946)

  package init(
    founds: Bool = false, clusterFile: String, name: String, stateDirectory: String,
    sharedDirectory: String, bind: Address, advertise: Address? = nil,
    multicast: Address? = AgentOptions.defaultMulticast, interface: String? = nil,
    join: [Address] = [], controlSocket: String, http: Address? = nil,
    configurationFile: String? = nil, logFormat: LogFormat = .text, logLevel: LogLevel = .info,
    leaderPriority: UInt8 = LeaderPriority.standard, journal: String? = nil,
    journalLimit: Int = AgentOptions.defaultJournalLimit
  ) {
    self.founds = founds
    self.clusterFile = clusterFile
    self.name = name
    self.stateDirectory = stateDirectory
    self.sharedDirectory = sharedDirectory
    self.bind = bind
    self.advertise = advertise
    self.multicast = multicast
    self.interface = interface
    self.join = join
    self.controlSocket = controlSocket
    self.http = http
    self.configurationFile = configurationFile
    self.logFormat = logFormat
    self.logLevel = logLevel
    self.leaderPriority = leaderPriority
    self.journal = journal
    self.journalLimit = journalLimit
  }
}

package enum LogFormat: String, Hashable, Sendable, CaseIterable {
  case text, json
}

/// How severe a log line is, least first.
package enum LogLevel: Int, Hashable, Comparable, Sendable, CaseIterable {
  case debug, info, warning, error

  /// The word in log lines and in `--log-level`.
  package var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  /// Reads what `name` prints.
  package init?(name: String) {
    guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = level
  }

  package static func < (left: LogLevel, right: LogLevel) -> Bool {
    left.rawValue < right.rawValue
  }
}
