import MusterProtocol
import MusterSimulator
import MusterState
import Testing

/// Hundreds of machines that are switched on at one moment: what it costs each of them is what
/// decides whether a real machine that they share comes through.
@Suite struct BurstTests {
  @Test func `two hundred at once see each other, and greet few`() throws {
    let count = 200
    var simulation = Simulation(seed: 7, expect: UInt32(count))
    simulation.keepsEvents = false
    for _ in 0..<count { simulation.add() }
    for index in 0..<count { simulation.boot(index) }
    var full: Set<Int> = []
    var deaths = 0
    while full.count < count, simulation.step(upTo: .zero + .seconds(5)) {
      let index = simulation.turn.node
      deaths += simulation.turn.events.count { if case .memberDead = $0 { true } else { false } }
      if simulation.nodes[index].running?.core.liveCount == count { full.insert(index) }
    }
    #expect(full.count == count)
    #expect(deaths == 0)
    #expect(simulation.now <= .zero + .milliseconds(500))
    // All greeting all takes four times as many; each record sent by itself, three times.
    #expect(simulation.datagrams / count < 1_200)
    let verified = simulation.nodes.reduce(0) {
      $0 + ($1.running?.core.counters.signaturesVerified ?? 0)
    }
    #expect(verified / UInt64(count) < 500)
  }
}
