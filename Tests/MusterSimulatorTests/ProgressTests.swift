import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// That one has come further with the register interests nobody at once.
@Suite struct ProgressTests {
  private func formed() -> Simulation {
    var simulation = Simulation(seed: 8, expect: 12)
    for _ in 0..<12 { simulation.add() }
    simulation.form(usesMulticast: false)
    simulation.run(for: .seconds(15))
    return simulation
  }

  /// A live node that does not vote.
  private func bystander(_ simulation: Simulation) throws -> Int {
    try #require(
      simulation.nodes.indices.first { index in
        simulation.nodes[index].peer.map { !$0.isVoter } ?? false
      })
  }

  private func shown(_ simulation: Simulation, _ index: Int) -> UInt64? {
    simulation.nodes[index].peer?.ownVersions[.coordination]
  }

  @Test func `a value that changes moves only the voters' cards, for minutes`() throws {
    var simulation = formed()
    let quiet = try bystander(simulation)
    let before = shown(simulation, quiet)
    let committed = try #require(simulation.nodes[quiet].peer).durable.committed
    simulation.command(0, .setCluster(key: "k", value: "1"), ticket: 1)
    simulation.run(for: .seconds(240))
    let now = try #require(simulation.nodes[quiet].peer).durable.committed
    #expect(now > committed)
    #expect(shown(simulation, quiet) == before)
    simulation.run(for: .seconds(90))
    #expect(shown(simulation, quiet) == before.map { $0 + 1 })
  }

  @Test func `another voter is shown soon`() throws {
    var simulation = formed()
    let quiet = try bystander(simulation)
    let before = try #require(shown(simulation, quiet))
    let voter = try #require(
      simulation.nodes.indices.first { index in
        simulation.nodes[index].peer.map { $0.isVoter && $0.coordination.role != .leader } ?? false
      })
    let voters = simulation.nodes[quiet].peer?.voters
    simulation.command(voter, .leave, ticket: 1)
    let changed = simulation.run(within: .seconds(60)) { $0.nodes[quiet].peer?.voters != voters }
    try #require(changed != nil)
    simulation.run(for: .seconds(15))
    let after = try #require(shown(simulation, quiet))
    #expect(after > before)
  }
}
