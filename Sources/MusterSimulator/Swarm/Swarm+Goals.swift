import MusterProtocol
import MusterState

/// Operators who change their minds: settings, versions back and forth, upgrades of every form,
/// plans that are paused, gone on with and called off, releases that are repaired and removed.
///
/// Most of it is refused, for another plan is under way or there is nothing of the kind: refusing
/// must break nothing either.
extension Swarm {
  mutating func drawGoals() {
    guard options.faults.contains(.goals) else { return }
    var dice = SimulatedDice(seed: scenario.seed ^ 0x5245_5649_5349_4f4e)
    guard dice.below(1_000) < 200 || options.certain.contains(.goals) else { return }
    if versions == 0 { announce(at: begins + .seconds(1), &dice) }
    for _ in 0..<3 + dice.below(12) {
      changeMind(at: begins + dice.within(ends - begins), &dice)
    }
  }

  /// A plan that stays paused would end never, and that is what was asked for.
  mutating func drawWayOut() {
    let isPaused = scenario.steps.contains { step in
      if case .operate(.steer(.pause), _) = step.action { true } else { false }
    }
    guard isPaused else { return }
    // Twice, for who asks while nobody can be elected is told so after half a minute.
    for delay in [TimeSpan.seconds(1), .seconds(35)] {
      add(ends + delay, .operate(.steer(.resume), on: .all))
    }
  }

  private mutating func announce(at time: TimeSpan, _ dice: inout SimulatedDice) {
    versions += 1
    let node = anyone(&dice)
    add(time, .operate(.release("\(versions)"), on: node))
    add(time + .milliseconds(200), .operate(.upgrade("\(versions)", way(&dice)), on: node))
  }

  private mutating func changeMind(at time: TimeSpan, _ dice: inout SimulatedDice) {
    let node = anyone(&dice)
    let version = "\(1 + dice.below(UInt64(versions)))"
    let operation: Scenario.Operation
    switch dice.below(12) {
    case 0..<2: operation = .set(key: "goal\(dice.below(4))", value: value(&dice))
    case 2..<4:
      announce(at: time, &dice)
      return
    case 4: operation = .version(version)
    case 5: operation = .upgrade(version, way(&dice))
    case 6..<8:
      add(time, .operate(.steer(.pause), on: node))
      add(time + dice.within(.seconds(20)), .operate(.steer(.resume), on: anyone(&dice)))
      return
    case 8: operation = .steer(.abort)
    case 9: operation = .repair(version)
    case 10: operation = .remove(version)
    default: operation = .collect
    }
    add(time, .operate(operation, on: node))
  }

  private func anyone(_ dice: inout SimulatedDice) -> Scenario.Target {
    .nodes([Int(dice.below(UInt64(scenario.nodes)))])
  }

  private func way(_ dice: inout SimulatedDice) -> UpgradeOptions {
    let batch: UpgradeOptions.Batch =
      switch dice.below(4) {
      case 0: .count(1 + UInt32(dice.below(3)))
      case 1: .percent(UInt8(1 + dice.below(100)))
      default: .all
      }
    // To stop first is to stop all at once; what contradicts itself is asked for seldom.
    let stopsFirst = dice.below(batch == .all ? 2 : 8) == 0
    return UpgradeOptions(
      batch: batch, policy: dice.below(3) == 0 ? .abort : .proceed, stopsFirst: stopsFirst)
  }

  /// None, which deletes the key, a word, or the longest there can be.
  private func value(_ dice: inout SimulatedDice) -> String {
    switch dice.below(4) {
    case 0: ""
    case 1: String(repeating: "x", count: Limits.valueBytes)
    default: "\(dice.below(1_000))"
    }
  }
}
