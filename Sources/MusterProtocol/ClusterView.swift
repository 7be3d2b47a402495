import MusterState

/// One node's picture of the cluster, for its operator: a snapshot of values, safe to keep.
package struct ClusterView: Sendable {
  package var node: NodeID
  package var name: String
  package var cluster: ClusterID
  package var clusterName: String
  package var founding: FoundingID?
  package var isSealed: Bool
  /// Names of members that the founding gate still lacks, or a sentence; empty once founded.
  package var waitingFor: String
  package var term: UInt64
  /// Who leads as far as this node knows: a hint, it authorises nothing.
  package var leader: NodeID?
  /// Whether the hint is fresh: heard within the promise.
  package var leaderIsFresh: Bool
  /// Whether this node holds a valid lease and may act.
  package var holdsLease: Bool
  /// Time left on this node's own lease.
  package var leaseRemaining: TimeSpan?
  package var register: RegisterVersion
  package var committed: RegisterVersion
  /// The committed body, as far as this node knows it.
  package var body: RegisterBody?
  package var members: [MemberView]
  /// How many live members are known to share this node's state exactly.
  package var agree: Int
  package var live: Int
  /// Since when all live members agree; `nil` while they do not.
  package var convergedSince: Instant?
  package var duty: Duty
  package var counters: Counters
  /// Who leads and why, who votes, and what an election waits for.
  package var leadership: LeaderView
  /// How long the plan still waits in its present phase, as this node has seen it begin.
  package var phaseRemaining: TimeSpan?

  package init(
    node: NodeID, name: String, cluster: ClusterID, clusterName: String, founding: FoundingID?,
    isSealed: Bool, waitingFor: String, term: UInt64, leader: NodeID?, leaderIsFresh: Bool,
    holdsLease: Bool, leaseRemaining: TimeSpan?, register: RegisterVersion,
    committed: RegisterVersion, body: RegisterBody?, members: [MemberView], agree: Int, live: Int,
    convergedSince: Instant?, duty: Duty, counters: Counters,
    leadership: LeaderView = LeaderView(), phaseRemaining: TimeSpan? = nil
  ) {
    self.node = node
    self.name = name
    self.cluster = cluster
    self.clusterName = clusterName
    self.founding = founding
    self.isSealed = isSealed
    self.waitingFor = waitingFor
    self.term = term
    self.leader = leader
    self.leaderIsFresh = leaderIsFresh
    self.holdsLease = holdsLease
    self.leaseRemaining = leaseRemaining
    self.register = register
    self.committed = committed
    self.body = body
    self.members = members
    self.agree = agree
    self.live = live
    self.convergedSince = convergedSince
    self.duty = duty
    self.counters = counters
    self.leadership = leadership
    self.phaseRemaining = phaseRemaining
  }
}

/// One member as this node sees it now.
package struct MemberView: Sendable {
  package var id: NodeID
  package var name: String
  package var address: Address
  package var state: MemberState
  package var incarnation: Incarnation
  package var software: String
  /// Since when this node believes `state`.
  package var since: Instant
  /// The committed job; `nil` outside the roster.
  package var role: Role?
  package var isLeader: Bool
  package var isVoter: Bool
  /// What the node says of its work; empty and false until heard.
  package var runningVersion: String
  /// The published copy whose services it runs.
  package var running: ReleaseReference?
  /// A published copy that it has found corrupt.
  package var corrupt: ReleaseReference?
  package var isReady: Bool
  package var acknowledgement: Acknowledgement?
  package var progress: FetchProgress?
  package var storage: String
  package var volume: StorageVolume?
  package var failure: String
  package var services: [ServiceStatus]
  /// Relation data, sorted by key.
  package var data: [Setting]
  /// Whether its daemon follows a plan of several waves.
  package var knowsWaves: Bool
  /// What it hands on to nodes that share no directory.
  package var offer: ReleaseOffer?
  /// Whether its releases lie in a directory of its own, that no other node shares.
  package var keepsOwnCopies: Bool
  /// What it has found on the last order to look at a release.
  package var inspected: InspectionVerdict?
  /// What came of its last look for new versions.
  package var index: String

  package init(
    id: NodeID, name: String, address: Address, state: MemberState, incarnation: Incarnation,
    software: String, since: Instant, role: Role?, isLeader: Bool, isVoter: Bool,
    runningVersion: String, running: ReleaseReference? = nil, corrupt: ReleaseReference? = nil,
    isReady: Bool, acknowledgement: Acknowledgement?,
    progress: FetchProgress?, storage: String, volume: StorageVolume? = nil, failure: String,
    services: [ServiceStatus], data: [Setting],
    knowsWaves: Bool = true, offer: ReleaseOffer? = nil,
    keepsOwnCopies: Bool = false, inspected: InspectionVerdict? = nil,
    index: String = ""
  ) {
    self.id = id
    self.name = name
    self.address = address
    self.state = state
    self.incarnation = incarnation
    self.software = software
    self.since = since
    self.role = role
    self.isLeader = isLeader
    self.isVoter = isVoter
    self.runningVersion = runningVersion
    self.running = running
    self.corrupt = corrupt
    self.isReady = isReady
    self.acknowledgement = acknowledgement
    self.progress = progress
    self.storage = storage
    self.volume = volume
    self.failure = failure
    self.services = services
    self.data = data
    self.knowsWaves = knowsWaves
    self.offer = offer
    self.keepsOwnCopies = keepsOwnCopies
    self.inspected = inspected
    self.index = index
  }
}
