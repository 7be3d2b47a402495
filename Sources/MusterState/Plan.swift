/// A coordinated change that the leader commits phase by phase: an upgrade or a first install.
///
/// The fetch comes before the stop, so that an outage is a restart and not a download.
package struct Plan: Hashable, Sendable {
  /// The names that operators know. A register without a plan is `idle`.
  package enum Phase: UInt8, Hashable, Sendable, CaseIterable {
    /// The leader fetches; every participant verifies the published copy.
    case downloading = 1
    /// Every participant stops its services and acknowledges.
    case prepare = 2
    /// Every participant starts the new release.
    case complete = 3
    /// What had moved goes back to `from`.
    case rollingBack = 4

    package var name: String {
      switch self {
      case .downloading: "downloading"
      case .prepare: "prepare"
      case .complete: "complete"
      case .rollingBack: "rolling-back"
      }
    }
  }

  package var id: PlanID
  /// The term in which the plan was first committed.
  package var term: UInt64
  package var phase: Phase
  package var from: ReleaseReference?
  package var to: ReleaseSource
  /// Known once the leader has published the release.
  package var reference: ReleaseReference?
  /// Who takes part, sorted.
  package var participants: [NodeID]
  /// Participants that were mute past the time limit, sorted: they catch up by themselves.
  package var overtaken: [NodeID]

  package init(
    id: PlanID, term: UInt64, phase: Phase, from: ReleaseReference?, to: ReleaseSource,
    reference: ReleaseReference?, participants: [NodeID], overtaken: [NodeID]
  ) {
    self.id = id
    self.term = term
    self.phase = phase
    self.from = from
    self.to = to
    self.reference = reference
    self.participants = participants
    self.overtaken = overtaken
  }
}

/// What a participant says of a plan. Later cases include the earlier ones.
package enum Acknowledgement: UInt8, Hashable, Sendable, CaseIterable {
  /// The published copy is verified.
  case verified = 1
  /// Every service is stopped, and the hold is on disk.
  case stopped = 2
  /// The new release runs and its probes pass.
  case running = 3
  /// The release could not be verified or started.
  case failed = 4

  package var name: String {
    switch self {
    case .verified: "verified"
    case .stopped: "stopped"
    case .running: "running"
    case .failed: "failed"
    }
  }
}
