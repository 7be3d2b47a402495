import MusterProtocol
import MusterSimulator
import MusterState
import Testing

@Suite struct FetchOnceTests {
  private static func source(_ version: String) -> ReleaseSource {
    ReleaseSource(
      version: version, source: "file:///releases",
      archive: SimulatedCryptography(identity: 0, cluster: 1).digest(Array(version.utf8)))
  }

  @Test func `of fifty nodes one fetches a release, once`() throws {
    let count = 50
    var simulation = Simulation(seed: 5, expect: UInt32(count))
    simulation.runsAgents = true
    for _ in 0..<count { simulation.add() }
    simulation.form(usesMulticast: true)
    simulation.run(for: .seconds(1))
    var fetched: [String] = []
    for (ticket, version) in ["1", "2"].enumerated() {
      simulation.command(7, .addRelease(Self.source(version)), ticket: UInt64(2 * ticket))
      // Two nodes are asked, and nothing says whose wish the leader hears first.
      simulation.run(for: .milliseconds(200))
      let options = UpgradeOptions(batch: .count(10))
      simulation.command(9, .upgrade(version, options), ticket: UInt64(2 * ticket + 1))
      let end = simulation.now + .seconds(90)
      var steps = 0
      while simulation.step(upTo: end) {
        for case .fetchStarted(let order) in simulation.turn.deeds {
          fetched.append(order.release.version)
        }
        steps += 1
        guard steps.isMultiple(of: 1_000) else { continue }
        if simulation.nodes.allSatisfy({ $0.agent.status.running?.version == version }) { break }
      }
      #expect(
        simulation.nodes.allSatisfy { $0.agent.status.running?.version == version },
        "\(simulation.nodes.count { $0.agent.status.running?.version == version }) run \(version)")
      simulation.run(for: .seconds(10))
    }
    #expect(fetched == ["1", "2"])
  }
}
