/// What a node should be doing, as the committed register gives it. The agent compares it with
/// what it does at every turn, so that no change can be missed.
package struct Duty: Hashable, Sendable {
  /// The term of the register this follows from. A duty of a lower term than one already obeyed
  /// is refused.
  package var term: UInt64
  /// This node's job; `nil` outside the roster: run nothing.
  package var role: Role?
  /// The release whose services should run now; `nil`: run nothing.
  package var run: ReleaseReference?
  /// A published release to verify ahead of need.
  package var verify: ReleaseReference?
  /// What this node, as the effective leader, should fetch and publish.
  package var fetch: FetchOrder?
  /// The plan that `run`, `verify` and `fetch` belong to; acknowledgements name it.
  package var plan: PlanID?
  /// Published releases that must stay on the shared filesystem.
  package var keep: [ReleaseReference]
  /// What this node, as the effective leader, should remove from the shared filesystem.
  package var collect: CollectOrder?
  /// Where `run` and `verify` come from, for nodes that share no directory.
  package var sources: [ReleaseSource]
  /// What a node that keeps its own copies may free; `nil` while something moves, and of others.
  package var tidy: TidyOrder?
  /// A release to look at on an operator's order.
  package var inspect: InspectionOrder?
  /// Where this node, as the effective leader, should look for new versions.
  package var index: IndexOrder?

  package init(
    term: UInt64 = 0, role: Role? = nil, run: ReleaseReference? = nil,
    verify: ReleaseReference? = nil, fetch: FetchOrder? = nil, plan: PlanID? = nil,
    keep: [ReleaseReference] = [], collect: CollectOrder? = nil,
    sources: [ReleaseSource] = [], tidy: TidyOrder? = nil,
    inspect: InspectionOrder? = nil, index: IndexOrder? = nil
  ) {
    self.term = term
    self.role = role
    self.run = run
    self.verify = verify
    self.fetch = fetch
    self.plan = plan
    self.keep = keep
    self.collect = collect
    self.sources = sources
    self.tidy = tidy
    self.inspect = inspect
    self.index = index
  }
}

/// An order to fetch one release, fenced by the term of the leader that gives it.
package struct FetchOrder: Hashable, Sendable {
  package var plan: PlanID
  package var term: UInt64
  package var release: ReleaseSource
  package var repair: UInt32

  package init(plan: PlanID, term: UInt64, release: ReleaseSource, repair: UInt32) {
    self.plan = plan
    self.term = term
    self.release = release
    self.repair = repair
  }
}

/// What the agent does and has: the answer to `Duty`, reported whole whenever it changes.
package struct LocalStatus: Hashable, Sendable {
  /// Releases whose every byte was verified by this process on the mounted share.
  package var verified: [ReleaseReference]
  /// The outcome of the last fetch order.
  package var fetched: FetchOutcome?
  /// What came of the last order to remove releases.
  package var collected: CollectOutcome?
  /// A published copy that this node has found corrupt, and not right since.
  package var corrupt: ReleaseReference?
  /// Bytes of the download under way.
  package var progress: FetchProgress?
  /// The release and role of the services that have a process; `nil` when nothing runs.
  package var running: ReleaseReference?
  package var runningRole: Role?
  /// Whether every service of `running` passes its probe.
  package var ready: Bool
  /// What the process itself says its version is; empty when nothing runs.
  package var reportedVersion: String
  /// Why verification or a start failed; empty when nothing failed.
  package var failure: String
  /// One word for the shared directory (ready, read-only, full, lost …), and the next step.
  package var storage: String
  /// The filesystem behind the shared directory; `nil` while it cannot be asked.
  package var volume: StorageVolume?
  package var services: [ServiceStatus]
  /// How long these services may take to stop, drain included; 0 while nothing is known.
  package var stopMilliseconds: UInt32
  /// What this node hands on to others; `nil` with a shared directory, or where none can reach it.
  package var offer: ReleaseOffer?
  /// Whether its releases lie in a directory of its own, that no other node shares.
  package var keepsOwnCopies: Bool
  /// What came of the last order to look at a release.
  package var inspected: InspectionVerdict?
  /// What came of the last look for new versions; empty where none is due.
  package var index: String

  package init(
    verified: [ReleaseReference] = [], fetched: FetchOutcome? = nil,
    collected: CollectOutcome? = nil, corrupt: ReleaseReference? = nil,
    progress: FetchProgress? = nil, running: ReleaseReference? = nil, runningRole: Role? = nil,
    ready: Bool = false, reportedVersion: String = "", failure: String = "",
    storage: String = "", volume: StorageVolume? = nil, services: [ServiceStatus] = [],
    stopMilliseconds: UInt32 = 0, offer: ReleaseOffer? = nil, keepsOwnCopies: Bool = false,
    inspected: InspectionVerdict? = nil, index: String = ""
  ) {
    self.verified = verified
    self.fetched = fetched
    self.collected = collected
    self.corrupt = corrupt
    self.progress = progress
    self.running = running
    self.runningRole = runningRole
    self.ready = ready
    self.reportedVersion = reportedVersion
    self.failure = failure
    self.storage = storage
    self.volume = volume
    self.services = services
    self.stopMilliseconds = stopMilliseconds
    self.offer = offer
    self.keepsOwnCopies = keepsOwnCopies
    self.inspected = inspected
    self.index = index
  }
}

/// How a fetch order ended: with a published copy, or for good without one.
package struct FetchOutcome: Hashable, Sendable {
  package var plan: PlanID
  /// The published copy; `nil` when the fetch failed for good.
  package var reference: ReleaseReference?
  /// Why it failed; empty when it did not.
  package var failure: String
  package init(plan: PlanID, reference: ReleaseReference?, failure: String) {
    self.plan = plan
    self.reference = reference
    self.failure = failure
  }
}

/// Bytes of a download so far, for people who wait.
package struct FetchProgress: Hashable, Sendable {
  package var received: UInt64
  /// 0 while the length is unknown.
  package var total: UInt64
  /// Bytes a second of late; 0 while that is unknown.
  package var rate: UInt64

  package init(received: UInt64, total: UInt64, rate: UInt64 = 0) {
    self.received = received
    self.total = total
    self.rate = rate
  }

  /// Seconds until everything is there, at the present rate; `nil` while that is unknown.
  package var secondsLeft: UInt64? {
    guard total > received, rate > 0 else { return nil }
    return (total - received) / rate + 1
  }
}

/// One supervised service of this node.
package struct ServiceStatus: Hashable, Sendable {
  package enum State: UInt8, Hashable, Sendable, CaseIterable {
    case stopped = 0
    case starting = 1
    case ready = 2
    case stopping = 3
    case failed = 4

    package var name: String {
      switch self {
      case .stopped: "stopped"
      case .starting: "starting"
      case .ready: "ready"
      case .stopping: "stopping"
      case .failed: "failed"
      }
    }
  }

  package var name: String
  package var state: State
  /// Starts since the agent started.
  package var starts: UInt32
  package init(name: String, state: State, starts: UInt32) {
    self.name = name
    self.state = state
    self.starts = starts
  }
}
