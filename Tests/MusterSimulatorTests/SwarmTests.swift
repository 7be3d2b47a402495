import MusterProtocol
import MusterSimulator
import MusterState
import Testing

@Suite struct SwarmTests {
  @Test(arguments: 0..<4)
  func `no promise is broken, and the cluster becomes whole again`(part: UInt64) {
    for seed in part * 15 + 1...part * 15 + 15 {
      var run = ScenarioRun(Swarm.scenario(seed: seed))
      let violation = run.run().violation
      #expect(violation == nil, "muster simulate --seed \(seed)")
    }
  }

  /// Each of these seeds found a mistake once, and fails without its cure.
  @Test(arguments: Self.found)
  func `what the swarm has found stays cured`(seed: UInt64) {
    var run = ScenarioRun(Swarm.scenario(seed: seed))
    let violation = run.run().violation
    #expect(violation == nil, "muster simulate --seed \(seed)")
  }

  private static let found: [UInt64] = [
    2, 14, 32, 33, 96, 131, 1_222, 2_179, 2_283, 6_179, 7_162, 8_302, 8_458, 9_049, 9_475, 9_672,
  ]

  @Test func `a run is the same run each time`() {
    let scenario = Swarm.scenario(seed: 77)
    var first = ScenarioRun(scenario, traced: true)
    var second = ScenarioRun(scenario, traced: true)
    _ = first.run()
    _ = second.run()
    #expect(first.trace?.lines.isEmpty == false)
    #expect(first.trace?.lines == second.trace?.lines)
  }

  @Test func `each fault is drawn, and small clusters most`() {
    var kinds: [String: Int] = [:]
    var small = 0
    for seed in UInt64(1)...400 {
      let scenario = Swarm.scenario(seed: seed)
      if scenario.nodes <= 5 { small += 1 }
      #expect((1...53).contains(scenario.nodes))
      for step in scenario.steps { kinds[step.action.kind, default: 0] += 1 }
    }
    #expect(small > 200)
    for kind in [
      "start", "crash", "restart", "pause", "resume", "starve", "clock", "partition", "cut", "clog",
      "loss", "duplicate", "late", "delay", "bandwidth", "multicast", "heal", "calm", "share",
      "join", "leave", "forget", "set", "data", "release", "version", "step-down", "hand-over",
      "upgrade", "plan", "repair", "remove", "collect", "lose", "recover", "return",
    ] {
      #expect(kinds[kind] ?? 0 > 0, "\(kind) was never drawn")
    }
  }

  @Test func `a failing scenario becomes small and fails in the same way`() throws {
    var options = Swarm.Options()
    options.nodes = 5
    var scenario = Swarm.scenario(seed: 3, options: options)
    // An expectation that fails in every run.
    scenario.expectations = [Scenario.Expectation(.at(.seconds(5)), .running("never"))]
    var run = ScenarioRun(scenario)
    let violation = try #require(run.run().violation)
    var shrinking = Shrinking(violation, limit: 120)
    let small = shrinking.shrink(scenario)
    #expect(small.steps.count < scenario.steps.count)
    var again = ScenarioRun(small)
    #expect(again.run().violation?.kind == violation.kind)
  }
}
