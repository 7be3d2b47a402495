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
  /// For each of `participants`, in order, the wave in which it stops and starts; who is behind
  /// the end is in the first. Drawn up once, so that a successor goes on with the same.
  package var waves: [UInt8]
  /// The wave that stops in `prepare` and starts in `complete`.
  package var wave: UInt8
  package var policy: UpgradeOptions.Policy
  /// The services stop before anything is fetched.
  package var stopsFirst: Bool
  /// Nobody else is to stop until an operator says so.
  package var isPaused: Bool

  package init(
    id: PlanID, term: UInt64, phase: Phase, from: ReleaseReference?, to: ReleaseSource,
    reference: ReleaseReference?, participants: [NodeID], overtaken: [NodeID],
    waves: [UInt8] = [], wave: UInt8 = 0, policy: UpgradeOptions.Policy = .proceed,
    stopsFirst: Bool = false, isPaused: Bool = false
  ) {
    self.id = id
    self.term = term
    self.phase = phase
    self.from = from
    self.to = to
    self.reference = reference
    self.participants = participants
    self.overtaken = overtaken
    self.waves = waves
    self.wave = wave
    self.policy = policy
    self.stopsFirst = stopsFirst
    self.isPaused = isPaused
  }

  /// What a plan asks of one node at this moment.
  package enum Part: Hashable, Sendable {
    /// It takes no part.
    case none
    /// Its wave is still to come: it runs what it ran.
    case waits
    /// It is to be stopped.
    case stops
    /// Its wave has been told to start the new release.
    case moves
    /// Everyone goes back.
    case returns
  }

  package func part(of node: NodeID) -> Part {
    guard let own = wave(of: node) else { return .none }
    switch phase {
    case .rollingBack: return .returns
    case .downloading: return stopsFirst && from != nil ? .stops : .waits
    case .prepare: return own < wave ? .moves : own == wave ? .stops : .waits
    case .complete: return own <= wave ? .moves : .waits
    }
  }

  /// The wave of a participant; `nil` of anybody else.
  package func wave(of node: NodeID) -> UInt8? {
    let place = participants.place(of: node)
    guard place < participants.count, participants[place] == node else { return nil }
    return place < waves.count ? waves[place] : 0
  }

  package var lastWave: UInt8 { max(waves.max() ?? 0, wave) }

  /// Whether the present wave is the last: then the new release is everyone's.
  package var isLastWave: Bool { wave == lastWave }

  /// `, wave 2 of 5`; empty where all move together.
  package var waveText: String {
    lastWave == 0 ? "" : ", wave \(Int(wave) + 1) of \(Int(lastWave) + 1)"
  }

  /// Whether the plan waits for this participant, which has said so much.
  package func isAwaited(_ node: NodeID, saying said: Acknowledgement?) -> Bool {
    guard !overtaken.contains(node) else { return false }
    switch (phase, part(of: node)) {
    case (_, .none): return false
    case (.downloading, _): return reference != nil && said != .verified
    case (.prepare, .stops): return said != .stopped
    case (.complete, .moves), (.rollingBack, _): return said != .running
    case (.prepare, _), (.complete, _): return false
    }
  }

  /// A plan that no longer counts `node`.
  package func without(_ node: NodeID) -> Plan {
    var plan = self
    plan.overtaken.removeAll { $0 == node }
    let place = participants.place(of: node)
    guard place < participants.count, participants[place] == node else { return plan }
    plan.participants.remove(at: place)
    if place < waves.count { plan.waves.remove(at: place) }
    return plan
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
