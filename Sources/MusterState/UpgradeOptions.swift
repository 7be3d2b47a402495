/// How an upgrade is to go: what an operator chooses when asking for it.
package struct UpgradeOptions: Hashable, Sendable {
  /// How many participants stop and start together.
  package enum Batch: Hashable, Sendable {
    /// Everyone at once: one short outage.
    case all
    case count(UInt32)
    /// Of the participants, rounded down, at least one.
    case percent(UInt8)
  }

  /// What becomes of a plan when a live participant stays mute.
  package enum Policy: UInt8, Hashable, Sendable, CaseIterable {
    /// It goes on without that one, which catches up by itself.
    case proceed = 0
    /// It is given up, and what had moved goes back.
    case abort = 1

    package var name: String {
      switch self {
      case .proceed: "proceed"
      case .abort: "abort"
      }
    }
  }

  package var batch: Batch
  package var policy: Policy
  /// Everyone stops before anything is fetched. Then all are one wave.
  package var stopsFirst: Bool

  package init(
    batch: Batch = .all, policy: Policy = .proceed, stopsFirst: Bool = false
  ) {
    self.batch = batch
    self.policy = policy
    self.stopsFirst = stopsFirst
  }
}

/// What an operator can tell a plan that is under way.
package enum PlanOrder: UInt8, Hashable, Sendable, CaseIterable {
  /// Nobody else is stopped; the present wave goes on to its end.
  case pause = 1
  case resume = 2
  /// What had moved goes back.
  case abort = 3

  package var name: String {
    switch self {
    case .pause: "pause"
    case .resume: "resume"
    case .abort: "abort"
    }
  }
}
