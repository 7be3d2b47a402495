import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct TardinessTests {
  /// Somebody's first card once counted as its return from the dead, and in the first half minute
  /// of a cluster every crash was seen a second later.
  @Test func `who is met for the first time has not been slow`() throws {
    var simulation = Simulation(seed: 5, expect: 5)
    for _ in 0..<5 { simulation.add() }
    for index in 0..<5 { simulation.boot(index) }
    simulation.run(for: .seconds(3))
    let peer = try #require(simulation.nodes[0].peer)
    #expect(peer.members.count == 5)
    for (_, member) in peer.members {
      #expect(member.tardiness.left(at: simulation.now) == .zero)
    }
  }
}
