import MusterProtocol

extension Swarm {
  /// What no cluster is asked to bear, for planted mistakes and for people who want to see it.
  package struct Extras: Sendable {
    /// A restarted machine has its identity and not its state.
    package var restartsWithoutState = false
    /// Clocks stand while a machine is paused.
    package var clocksStand = false
    /// Bytes flip in published copies.
    package var corrupts = false
    /// An operator only ever asks the leader to step down, and then it hears nobody for a while.
    package var deafensWhoStepsDown = false

    package init(
      restartsWithoutState: Bool = false, clocksStand: Bool = false, corrupts: Bool = false,
      deafensWhoStepsDown: Bool = false
    ) {
      self.restartsWithoutState = restartsWithoutState
      self.clocksStand = clocksStand
      self.corrupts = corrupts
      self.deafensWhoStepsDown = deafensWhoStepsDown
    }
  }

  /// The leader has said that it resigns, and does not hear who follows.
  mutating func stepDownDeaf(at time: TimeSpan) {
    add(time, .operate(.stepDown, on: .leader))
    add(time + .milliseconds(20), .cut(from: .all, to: .leader))
    add(time + .seconds(8), .heal)
  }
}
