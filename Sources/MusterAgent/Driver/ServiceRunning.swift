import MusterState

/// What the executor needs of the service supervisor.
///
/// Level-triggered: the executor says what should run, the supervisor works towards it for as
/// long as it takes (stops what does not belong to the goal first, restarts what fell over) and
/// reports whole what it does.
package protocol ServiceRunning: AnyObject {
  /// Makes `goal` what should run; `nil` stops everything. The same goal again does nothing; one
  /// that differs in its context only renders files anew and restarts what they changed for.
  func apply(_ goal: ServiceGoal?)

  var report: ServiceReport { get }

  /// Called whenever `report` has changed, never from within `apply`.
  var onChange: (() -> Void)? { get set }

  /// Asked before a service that ended by itself is started again: it is when the closure that is
  /// handed over has been called. `nil`: it is at once.
  var beforeRestart: ((@escaping () -> Void) -> Void)? { get set }
}

/// What should run on this node.
package struct ServiceGoal: Hashable, Sendable {
  package var release: ReleaseReference
  /// Where the files of `release` are, every byte of them verified a moment ago.
  package var directory: String
  package var role: Role
  package var context: ServiceContext

  package init(
    release: ReleaseReference, directory: String, role: Role, context: ServiceContext
  ) {
    self.release = release
    self.directory = directory
    self.role = role
    self.context = context
  }
}

/// What the supervisor does, whole.
package struct ServiceReport: Hashable, Sendable {
  /// The release and role of the services that have a process; `nil` when none has.
  package var running: ReleaseReference?
  package var role: Role?
  /// Whether every service of `running` passes its probe.
  package var ready: Bool
  /// What the process itself says its version is; empty when nothing runs.
  package var version: String
  /// Why a start failed; empty when nothing failed.
  package var failure: String
  package var services: [ServiceStatus]
  /// How long what runs may take to stop, drain included; 0 while nothing runs.
  package var stopMilliseconds: UInt32

  package init(
    running: ReleaseReference? = nil, role: Role? = nil, ready: Bool = false,
    version: String = "", failure: String = "", services: [ServiceStatus] = [],
    stopMilliseconds: UInt32 = 0
  ) {
    self.running = running
    self.role = role
    self.ready = ready
    self.version = version
    self.failure = failure
    self.services = services
    self.stopMilliseconds = stopMilliseconds
  }
}

/// What templates and commands of services can say about the cluster.
package struct ServiceContext: Hashable, Sendable {
  package struct Member: Hashable, Sendable {
    package var name: String
    /// Where the node's agent is reached; services are on the same host, on ports of their own.
    package var address: Address
    package var state: MemberState
    /// The committed job; `nil` outside the roster.
    package var role: Role?
    /// What the member says of its services.
    package var isReady: Bool
    /// The version that it runs; empty when none.
    package var version: String
    /// Relation data, sorted by key.
    package var data: [Setting]

    package init(
      name: String, address: Address, state: MemberState, role: Role?, isReady: Bool = false,
      version: String = "", data: [Setting]
    ) {
      self.name = name
      self.address = address
      self.state = state
      self.role = role
      self.isReady = isReady
      self.version = version
      self.data = data
    }

    package init(
      name: String, address: Address, isAlive: Bool, role: Role?, data: [Setting]
    ) {
      self.init(
        name: name, address: address, state: isAlive ? .alive : .dead, role: role, data: data)
    }
  }

  package var cluster: String
  /// This node's name.
  package var node: String
  /// The leader's name; `nil` while nobody is known to lead.
  package var leader: String?
  /// Sorted by name; this node is among them.
  package var members: [Member]
  /// Cluster-wide values, sorted by key.
  package var settings: [Setting]

  package init(
    cluster: String, node: String, leader: String? = nil, members: [Member] = [],
    settings: [Setting] = []
  ) {
    self.cluster = cluster
    self.node = node
    self.leader = leader
    self.members = members
    self.settings = settings
  }
}
