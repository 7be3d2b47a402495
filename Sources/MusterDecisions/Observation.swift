import MusterState

/// What the leader sees when it deliberates: values only, so that the same sight always leads to
/// the same decision.
package struct Observation: Hashable, Sendable {
  /// One member, as the leader believes it to be.
  package struct Node: Hashable, Sendable {
    package var id: NodeID
    package var isAlive: Bool
    package var isLeaving: Bool
    /// How long `isAlive` has been so.
    package var sinceMilliseconds: Int64
    /// What the node says of a plan, and which one.
    package var plan: PlanID?
    package var acknowledgement: Acknowledgement?
    package var failure: String
    /// How much it is wanted as leader; 0: never.
    package var priority: UInt8
    /// Whether it shows the committed register of this term.
    package var holdsRegister: Bool
    /// The release whose services it runs.
    package var running: ReleaseReference?
    /// A published copy that it has found corrupt.
    package var corrupt: ReleaseReference?
    /// How long its services may take to stop, as it says itself; 0: it does not say.
    package var stopMilliseconds: Int64
    /// What it says of the shared directory, and how much of it is free.
    package var storage: String
    package var freeBytes: UInt64?
    /// Whether its daemon follows a plan of several waves.
    package var knowsWaves: Bool
    /// Whether its releases lie in a directory of its own, that no other node shares.
    package var keepsOwnCopies: Bool
    /// The last order to look at a release that it has answered.
    package var inspected: PlanID?

    package init(
      id: NodeID, isAlive: Bool, isLeaving: Bool, sinceMilliseconds: Int64, plan: PlanID?,
      acknowledgement: Acknowledgement?, failure: String, priority: UInt8 = 100,
      holdsRegister: Bool = true, running: ReleaseReference? = nil,
      corrupt: ReleaseReference? = nil, stopMilliseconds: Int64 = 0, storage: String = "",
      freeBytes: UInt64? = nil, knowsWaves: Bool = true, keepsOwnCopies: Bool = false,
      inspected: PlanID? = nil
    ) {
      self.id = id
      self.isAlive = isAlive
      self.isLeaving = isLeaving
      self.sinceMilliseconds = sinceMilliseconds
      self.plan = plan
      self.acknowledgement = acknowledgement
      self.failure = failure
      self.priority = priority
      self.holdsRegister = holdsRegister
      self.running = running
      self.corrupt = corrupt
      self.stopMilliseconds = stopMilliseconds
      self.storage = storage
      self.freeBytes = freeBytes
      self.knowsWaves = knowsWaves
      self.keepsOwnCopies = keepsOwnCopies
      self.inspected = inspected
    }
  }

  package var leader: NodeID
  package var term: UInt64
  /// Sorted by identity; the leader itself included.
  package var nodes: [Node]
  /// Whether the founding has been quiet and complete for the seal delay.
  package var maySeal: Bool
  /// Whether newcomers are admitted now, or a moment later together with others.
  package var mayAdmit: Bool
  /// Operators' requests that are not answered yet, by node and nonce.
  package var requests: [Request]
  /// What became of this node's own fetch order.
  package var fetched: FetchOutcome?
  /// What became of this node's own order to remove releases.
  package var collected: CollectOutcome?
  /// The identifier to give to a new plan.
  package var freshPlan: PlanID
  /// How long the committed phase has lasted under this leader.
  package var phaseMilliseconds: Int64
  package var limits: DeliberationLimits

  package init(
    leader: NodeID, term: UInt64, nodes: [Node], maySeal: Bool, mayAdmit: Bool = true,
    requests: [Request],
    fetched: FetchOutcome?, collected: CollectOutcome? = nil, freshPlan: PlanID,
    phaseMilliseconds: Int64, limits: DeliberationLimits
  ) {
    self.leader = leader
    self.term = term
    self.nodes = nodes.sorted { $0.id < $1.id }
    self.maySeal = maySeal
    self.mayAdmit = mayAdmit
    self.requests = requests
    self.fetched = fetched
    self.collected = collected
    self.freshPlan = freshPlan
    self.phaseMilliseconds = phaseMilliseconds
    self.limits = limits
  }

  package func node(_ id: NodeID) -> Node? {
    var low = 0
    var high = nodes.count
    while low < high {
      let middle = (low + high) / 2
      if nodes[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < nodes.count && nodes[low].id == id ? nodes[low] : nil
  }
}

/// The time limits of decisions, in milliseconds.
package struct DeliberationLimits: Hashable, Sendable {
  package var acknowledgement: Int64
  /// For a stop, of a node that does not say how long its services may take …
  package var stop: Int64
  /// … and what is added where it does.
  package var stopMargin: Int64
  package var voterStable: Int64
  package var voterDemotion: Int64

  package init(
    acknowledgement: Int64, stop: Int64, stopMargin: Int64 = 5_000, voterStable: Int64,
    voterDemotion: Int64
  ) {
    self.acknowledgement = acknowledgement
    self.stop = stop
    self.stopMargin = stopMargin
    self.voterStable = voterStable
    self.voterDemotion = voterDemotion
  }

  /// How long a live node may say nothing: what operators have set, or the usual.
  package func acknowledging(_ body: RegisterBody) -> Int64 {
    let seconds = body.setting(Self.acknowledgementKey).flatMap { Int64($0) }
    guard let seconds, Limits.acknowledgementSeconds.contains(seconds) else {
      return acknowledgement
    }
    return seconds * 1_000
  }

  /// The cluster's setting that says so, in seconds.
  package static let acknowledgementKey = "upgrade.ack-timeout"

  /// How long a node may take to stop whose services say that they need `own`; 0: they say nothing.
  package func stopping(_ own: Int64) -> Int64 { own > 0 ? own + stopMargin : stop }
}

/// An operator's request, as the leader reads it from the requester's record.
package struct Request: Hashable, Sendable {
  package enum Action: Hashable, Sendable {
    case set(Setting)
    /// Like setting `version`, and says how.
    case upgrade(String, UpgradeOptions)
    /// What the plan under way is to do; `nil`: whichever it is.
    case steer(PlanOrder, PlanID?)
    case addRelease(ReleaseSource)
    case removeRelease(String)
    /// Publish this version again, whoever has found it corrupt.
    case repairRelease(String)
    /// Remove what nobody needs any more.
    case collect
    /// Add this release and install it, unless its version is known.
    case follow(ReleaseSource)
    /// Have this version looked at by every node.
    case inspect(String)
    /// `isAuthorised`: signed by the authority, so that even a live member may be forgotten.
    case forget(NodeID, isAuthorised: Bool)
    /// The leader of `term` is to hand over, to this node or to anybody.
    case stepDown(term: UInt64, to: NodeID?)
  }

  package var node: NodeID
  package var nonce: UInt64
  package var action: Action

  package init(node: NodeID, nonce: UInt64, action: Action) {
    self.node = node
    self.nonce = nonce
    self.action = action
  }
}
