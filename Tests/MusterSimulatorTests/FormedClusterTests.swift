import MusterProtocol
import MusterSimulator
import MusterState
import Testing

extension Simulation {
  /// Machines whose daemons are in the middle of their first life, in a cluster that stands.
  fileprivate static func formed(seed: UInt64, count: Int) -> Simulation {
    var simulation = Simulation(seed: seed, expect: UInt32(count))
    for _ in 0..<count { simulation.add() }
    simulation.form(usesMulticast: false)
    return simulation
  }

  fileprivate var counters: [Counters] { nodes.compactMap { $0.peer?.counters } }
}

@Suite struct FormedClusterTests {
  @Test(arguments: [2, 3, 8, 40])
  func `a formed cluster stands still, and its leader keeps leading`(count: Int) throws {
    var simulation = Simulation.formed(seed: 3, count: count)
    let before = simulation.nodes.map { $0.peer?.holdings }
    #expect(simulation.isOrdered)
    let leader = try #require(simulation.holders.first)
    for _ in 0..<120 {
      simulation.run(for: .milliseconds(500))
      #expect(simulation.holders == [leader])
    }
    #expect(simulation.nodes.map { $0.peer?.holdings } == before)
    #expect(Set(before).count == 1)
    #expect(simulation.nodes.allSatisfy { $0.events.isEmpty && $0.stopped == nil })
    for counters in simulation.counters {
      #expect(counters.recordsApplied == 0 && counters.repairs == 0)
      #expect(counters.probesFailed == 0 && counters.probesSent >= 50)
      #expect(counters.elections == 0 && counters.commits == 0)
      #expect(counters.dropped.allSatisfy { $0 == 0 })
    }
    #expect(simulation.views.allSatisfy { $0.agree == count && $0.convergedSince != nil })
  }

  /// What everyone believes, without the founding's number and what only clocks and chance decide.
  private func beliefs(_ simulation: Simulation) -> [[String]] {
    simulation.views.map { view in
      var body = view.body
      body?.founding = FoundingID(.zero)
      let members = view.members.map { member in
        let role = member.role?.name ?? "-"
        return "\(member.id) \(member.name) \(member.address) \(member.state) \(role) "
          + "\(member.isLeader) \(member.isVoter) \(member.incarnation) \(member.isReady)"
      }
      return members + [
        "\(body as Any)", "\(view.isSealed) \(view.term) \(view.leader as Any)",
        "\(view.leaderIsFresh) \(view.holdsLease) \(view.register) \(view.committed)",
        "\(view.agree) \(view.live) \(view.duty)",
      ]
    }
  }

  @Test(arguments: [2, 8])
  func `forming for real leads to the same beliefs`(count: Int) throws {
    // The founder is the smallest identity, but any voter may have won the first election.
    for seed in 1...40 {
      var real = try Simulation.ordered(seed: UInt64(seed), count: count)
      real.run(for: .seconds(30))
      let view = try #require(real.views.first)
      guard view.leader == view.body?.voters.first, view.term == 1, view.committed.count == 2
      else { continue }
      let formed = Simulation.formed(seed: UInt64(seed), count: count)
      #expect(beliefs(real) == beliefs(formed))
      return
    }
    Issue.record("no seed elected the smallest voter at once")
  }

  @Test(arguments: 1...3)
  func `a formed cluster lives on: a death, a return from disk, a newcomer`(seed: UInt64) throws {
    var simulation = Simulation.formed(seed: seed, count: 8)
    let leader = try #require(simulation.holders.first)
    simulation.crash(leader)
    let replaced = simulation.wait(upTo: .seconds(12)) { simulation in
      simulation.holders.count == 1 && simulation.isOrdered
        && simulation.state(of: leader, seenBy: (leader + 1) % 8) == .dead
    }
    #expect(replaced ?? .seconds(99) < .seconds(8), "\(String(describing: replaced))")
    let neighbour = simulation.nodes[(leader + 1) % 8].address
    simulation.boot(leader, join: [neighbour], multicast: false)
    simulation.add()
    simulation.boot(8, join: [neighbour], multicast: false)
    let whole = simulation.wait(upTo: .seconds(20)) { simulation in
      simulation.allSee(9) && simulation.isOrdered && simulation.views.allSatisfy { $0.agree == 9 }
    }
    #expect(whole != nil)
    #expect(simulation.nodes.allSatisfy { $0.stopped == nil })
  }

  @Test func `a set value reaches all of two hundred`() throws {
    var simulation = Simulation.formed(seed: 9, count: 200)
    simulation.run(for: .seconds(1))
    simulation.command(3, .setOwn(key: "port", value: "8081"), ticket: 7)
    simulation.run(for: .seconds(4))
    let views = simulation.views
    #expect(
      views.allSatisfy { view in
        view.members.contains { $0.data == [Setting(key: "port", value: "8081")] }
      })
    #expect(views.allSatisfy { $0.agree == 200 })
  }
}
