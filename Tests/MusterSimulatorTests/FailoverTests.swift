import MusterProtocol
import MusterSimulator
import MusterState
import Testing

/// Virtual time, so that the figures are the same on every machine.
@Suite struct FailoverTests {
  @Test func `a crashed leader of five is replaced in 5 s at the median and 8 s at most`() throws {
    var times: [Int64] = []
    for seed in UInt64(1)...200 {
      var simulation = Simulation(seed: seed, expect: 5)
      for _ in 0..<5 { simulation.add() }
      simulation.form(usesMulticast: false)
      // Anywhere between two heartbeats.
      simulation.run(for: .milliseconds(3_000 + Int64(seed) * 37 % 1_000))
      let leader = try #require(simulation.holders.first)
      simulation.crash(leader)
      let replaced = simulation.wait(upTo: .seconds(20)) { $0.holders.count == 1 }
      times.append(try #require(replaced).milliseconds)
    }
    times.sort()
    print("failover: median \(times[100]) ms, p99 \(times[197]) ms, most \(times[199]) ms")
    #expect(times[100] <= 5_000)
    #expect(times[197] <= 8_000)
  }

  @Test func `an isolated leader has no lease after 3.64 s`() throws {
    for seed in UInt64(1)...50 {
      var simulation = Simulation(seed: seed, expect: 5)
      for _ in 0..<5 { simulation.add() }
      simulation.form(usesMulticast: false)
      simulation.run(for: .milliseconds(2_000 + Int64(seed) * 53 % 1_000))
      let leader = try #require(simulation.holders.first)
      simulation.network.partition([leader], (0..<5).filter { $0 != leader })
      simulation.run(for: .milliseconds(3_640))
      #expect(!simulation.holders.contains(leader), "seed \(seed)")
    }
  }
}
