import MusterState

/// When the leader admits newcomers to the roster. Each admission is a register that all have to
/// take: the first few come in at once, and where more keep coming, they do together.
struct Admissions: Sendable {
  private(set) var next = Instant.zero

  /// What is left of the pace is kept, for so many as come in at once and no more.
  mutating func note(at now: Instant, _ timing: Timing) {
    let pause = timing.admissionPause
    next = max(next, now - pause * (Limits.admissionsAtOnce - 1)) + pause
  }
}
