import MusterProtocol
import MusterSimulator
import MusterState
import Testing

@Suite struct `A planned change of leader` {
  @Test(arguments: 1...8)
  func `takes less than two seconds, and no two leases overlap`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let leader = try #require(simulation.holders.first)
    simulation.run(for: .seconds(1))
    simulation.command((leader + 1) % 5, .stepDown(to: nil), ticket: 1)
    var isExclusive = true
    let took = simulation.run(within: .seconds(5)) { simulation in
      if simulation.holders.count > 1 { isExclusive = false }
      return simulation.holders.count == 1 && simulation.holders != [leader]
    }
    #expect(isExclusive)
    #expect(took ?? .seconds(9) < .seconds(2), "\(String(describing: took))")
    let answered = simulation.wait(upTo: .seconds(2)) { simulation in
      simulation.nodes[(leader + 1) % 5].replies[1] == .done
    }
    #expect(answered != nil)
    #expect(simulation.wait(upTo: .seconds(2)) { $0.isOrdered } != nil)
  }

  @Test(arguments: 1...6)
  func `happens under loss too, and never leaves two leases`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    simulation.network.lossPerMille = 300
    for round in UInt64(1)...5 {
      guard let leader = simulation.holders.first else { continue }
      simulation.command((leader + 2) % 5, .stepDown(to: nil), ticket: round)
      let isExclusive = simulation.runWatchingLeases(for: .seconds(20))
      #expect(isExclusive)
      #expect(simulation.nodes[(leader + 2) % 5].replies[round] == .done)
      #expect(simulation.holders.count == 1)
    }
  }
}
