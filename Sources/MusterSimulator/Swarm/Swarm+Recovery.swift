import MusterProtocol
import MusterState

/// The majority of the voters is gone for good, in the middle of everything else; an operator
/// recovers the cluster from a survivor, and later one of the lost may come back after all.
///
/// Who is lost and who survives is seen when it happens, so that a majority is lost indeed: an
/// operator who declares a majority lost that only cannot be reached gets two clusters for a time,
/// as was said, and nothing of that is to be checked.
extension Swarm {
  /// - Returns: until when the cluster should be whole; `nil` when nobody is lost.
  mutating func drawLostMajority() -> TimeSpan? {
    // Who lies has no vote; with few left it would get one, and voters are believed.
    guard options.faults.contains(.recovery), scenario.nodes > 2, options.insider.isEmpty,
      !options.planted.contains(.noTime)
    else { return nil }
    var dice = SimulatedDice(seed: scenario.seed ^ 0x5749_444f_5745_4421)
    guard dice.below(1_000) < 100 || options.certain.contains(.recovery) else { return nil }
    // Who was told the address of a machine that is lost would look for it for ever.
    let hasNewcomers = scenario.steps.contains { step in
      if case .join = step.action { true } else { false }
    }
    guard !hasNewcomers else { return nil }
    let founded = TimeSpan.seconds(12)
    let time = begins + founded + dice.within(max(TimeSpan.seconds(1), ends - begins - founded))
    // Whoever went by itself has gone by then, and few are left for anybody else to go.
    scenario.steps.removeAll { $0.isDeparture && $0.time > time - .seconds(8) }
    add(time, .lose(.majority))
    var tries = [TimeSpan.seconds(5), .seconds(12), .seconds(25)].map { time + $0 }
    tries += [TimeSpan.seconds(6), .seconds(14), .seconds(24)].map { ends + $0 }
    for attempt in tries { add(attempt, .operate(.recover, on: .survivor)) }
    if dice.below(2) == 0 {
      add(time + .seconds(6) + dice.within(.seconds(40)), .comeBack(.lost))
      add(ends + .seconds(30), .comeBack(.lost))
    }
    // A claim to continue what was lost is looked at again after a minute.
    let again = TimeSpan.seconds(90)
    // Who is left alone waits for participants that it cannot take for dead.
    let mute = TimeSpan.seconds(scenario.nodes <= 4 ? 150 : 0)
    return ends + again + mute + Self.patience(nodes: scenario.nodes)
  }
}

extension Scenario.Step {
  /// Whether a machine, or what was on its disk, goes away for good.
  fileprivate var isDeparture: Bool {
    switch action {
    case .operate(.leave, _), .operate(.forget, _), .restart(_, .withoutDisk): true
    default: false
    }
  }
}
