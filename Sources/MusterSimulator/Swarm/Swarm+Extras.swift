extension Swarm {
  /// What no cluster is asked to bear, for planted mistakes and for people who want to see it.
  package struct Extras: Sendable {
    /// A restarted machine has its identity and not its state.
    package var restartsWithoutState = false
    /// Clocks stand while a machine is paused.
    package var clocksStand = false
    /// Bytes flip in published copies.
    package var corrupts = false
    /// An operator only ever asks the leader to step down.
    package var onlyStepsDown = false

    package init(
      restartsWithoutState: Bool = false, clocksStand: Bool = false, corrupts: Bool = false,
      onlyStepsDown: Bool = false
    ) {
      self.restartsWithoutState = restartsWithoutState
      self.clocksStand = clocksStand
      self.corrupts = corrupts
      self.onlyStepsDown = onlyStepsDown
    }
  }
}
