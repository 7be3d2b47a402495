import MusterProtocol
import MusterSimulator
import MusterState
import Testing

@Suite struct UpgradeHoldTests {
  private static func source(_ version: String) -> ReleaseSource {
    ReleaseSource(
      version: version, source: "file:///releases",
      archive: SimulatedCryptography(identity: 0, cluster: 1).digest(Array(version.utf8)))
  }

  private static func runs(_ version: String?, _ nodes: [Int], _ simulation: Simulation) -> Bool {
    nodes.allSatisfy { simulation.nodes[$0].agent.status.running?.version == version }
  }

  /// Five machines on release 1, of which the last is cut off when it has stopped for 2.
  private func heldOne() throws -> Simulation {
    var simulation = Simulation(seed: 3, expect: 5)
    simulation.runsAgents = true
    for _ in 0..<5 { simulation.add() }
    simulation.form(usesMulticast: true)
    simulation.run(for: .seconds(1))
    simulation.command(0, .addRelease(Self.source("1")), ticket: 1)
    simulation.command(0, .upgrade("1", UpgradeOptions()), ticket: 2)
    try #require(
      simulation.run(within: .seconds(30)) { Self.runs("1", [0, 1, 2, 3, 4], $0) } != nil)
    simulation.run(for: .seconds(5))
    simulation.command(1, .addRelease(Self.source("2")), ticket: 3)
    simulation.command(1, .upgrade("2", UpgradeOptions()), ticket: 4)
    try #require(
      simulation.run(within: .seconds(30)) {
        $0.nodes[4].running?.core.committedRegister?.plan?.phase == .prepare
      } != nil)
    simulation.network.partition([4], [0, 1, 2, 3])
    simulation.run(for: .seconds(20))
    #expect(Self.runs("2", [0, 1, 2, 3], simulation))
    #expect(Self.runs(nil, [4], simulation), "it hears nothing, and stays stopped")
    return simulation
  }

  @Test func `the authority lets a node that is cut off run on, until it hears`() throws {
    var simulation = try heldOne()
    let id = try #require(simulation.id(4))
    let message = holdMessage(cluster: simulation.cluster, node: id)
    let other = holdMessage(cluster: simulation.cluster, node: try #require(simulation.id(3)))
    let authority = SimulatedCryptography(identity: 999, cluster: 1)
    simulation.command(4, .releaseHold(authority: authority.sign(other)), ticket: 8)
    simulation.run(for: .seconds(3))
    #expect(Self.runs(nil, [4], simulation), "that was signed for another node")
    guard case .refused = simulation.nodes[4].replies[8] else {
      Issue.record("\(String(describing: simulation.nodes[4].replies[8]))")
      return
    }
    simulation.command(4, .releaseHold(authority: authority.sign(message)), ticket: 9)
    simulation.run(for: .seconds(5))
    #expect(simulation.nodes[4].replies[9] == .done)
    #expect(Self.runs("1", [4], simulation))
    #expect(simulation.nodes[4].running?.core.shownAcknowledgement?.said != .stopped)
    simulation.network.heal()
    #expect(
      simulation.run(within: .seconds(30)) { Self.runs("2", [0, 1, 2, 3, 4], $0) } != nil)
  }

  @Test func `nothing that is not held can be released`() throws {
    var simulation = try heldOne()
    let id = try #require(simulation.id(0))
    let authority = SimulatedCryptography(identity: 999, cluster: 1)
    let signature = authority.sign(holdMessage(cluster: simulation.cluster, node: id))
    simulation.command(0, .releaseHold(authority: signature), ticket: 9)
    guard case .refused(let reason) = simulation.nodes[0].replies[9] else {
      Issue.record("released")
      return
    }
    #expect(reason.contains("no plan holds this node"))
  }
}
