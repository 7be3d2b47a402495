import MusterProtocol
import MusterSimulator
import MusterState
import Testing

@Suite struct `A cluster that was founded alone` {
  @Test(arguments: 1...4)
  func `gets three voters when three are there, and loses no lease`(seed: UInt64) throws {
    var simulation = Simulation(seed: seed, expect: 1)
    simulation.add()
    simulation.boot(0, founds: true)
    try #require(simulation.run(within: .seconds(5)) { $0.isOrdered } != nil)
    for index in 1...2 {
      simulation.add()
      simulation.boot(index, join: [simulation.nodes[0].address])
    }
    var isHeld = true
    let grown = simulation.wait(upTo: .seconds(30)) { simulation in
      if simulation.holders != [0] { isHeld = false }
      return simulation.views.allSatisfy { $0.body?.voters.count == 3 }
    }
    #expect(grown ?? .seconds(99) < .seconds(15), "\(String(describing: grown))")
    #expect(isHeld)
    simulation.crash(0)
    let replaced = simulation.wait(upTo: .seconds(10)) { $0.holders.count == 1 }
    #expect(replaced != nil)
  }
}
