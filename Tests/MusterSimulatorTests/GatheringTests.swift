import MusterProtocol
import MusterSimulator
import MusterState
import Testing

/// Machines that start together and know one address: a founding begins with all of them, and each
/// of them should have to send little for it.
@Suite struct GatheringTests {
  private static let count = 80

  /// Started over half a second through the first of them.
  private static func gathering(loss: UInt64 = 0, seed: UInt64 = 3) -> Simulation {
    var simulation = Simulation(seed: seed, expect: UInt32(count))
    simulation.keepsEvents = false
    simulation.network.lossPerMille = loss
    for _ in 0..<count { simulation.add() }
    for index in 0..<count {
      simulation.run(for: .milliseconds(6))
      let seed = simulation.nodes[0].address
      simulation.boot(index, join: index == 0 ? [] : [seed], multicast: false)
    }
    return simulation
  }

  private static func isWhole(_ simulation: Simulation) -> Bool {
    simulation.nodes.allSatisfy { $0.running?.core.liveCount == count }
  }

  @Test func `eighty through one address see each other, cheaply`() {
    var simulation = Self.gathering()
    let took = simulation.run(within: .seconds(5), until: Self.isWhole)
    #expect(took.map { $0 <= .seconds(2) } ?? false)
    // Greeting by greeting and record by record it was ten times as many.
    #expect(simulation.datagrams / Self.count < 60)
    #expect(simulation.bytes / Self.count < 45_000)
    // A node without a founding has nothing to say beside its card.
    let held = simulation.nodes[1].running?.core.records ?? []
    #expect(held.count { $0.name == .coordination } == 0)
    #expect(held.count { $0.name == .member } == Self.count)
  }

  @Test(arguments: [UInt64(0), 200])
  func `they found one cluster, also where a fifth of all is lost`(loss: UInt64) {
    var simulation = Self.gathering(loss: loss)
    let took = simulation.run(within: .seconds(40)) { simulation in
      simulation.nodes.allSatisfy { node in
        guard let core = node.running?.core, core.liveCount == Self.count else { return false }
        return core.committedRegister?.sealed ?? false
      }
    }
    #expect(took != nil)
    let foundings = Set(
      simulation.nodes.compactMap { $0.running?.core.committedRegister?.founding })
    #expect(foundings.count == 1)
  }
}
