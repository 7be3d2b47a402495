import MusterState

/// When the leader admits newcomers to the roster. Each admission is a register that all have to
/// take: the first few come in at once, and where more keep coming, they do together.
struct Admissions: Sendable {
  private(set) var next = Instant.zero
  /// Until when the pace is used up by those that were admitted.
  private var usedUp = Instant.zero

  mutating func note(at now: Instant, _ timing: Timing) {
    usedUp = max(usedUp, now) + timing.admissionPause
    next = usedUp - timing.admissionPause * (Limits.admissionsAtOnce - 1)
  }
}
