import MusterProtocol
import MusterSimulator
import MusterState
import Testing

extension Simulation {
  /// Cuts one direction between two machines.
  mutating func cut(from: Int, to: Int) { network.cut.insert([from, to]) }

  mutating func cutBothWays(_ left: Int, _ right: Int) {
    cut(from: left, to: right)
    cut(from: right, to: left)
  }

  /// The machines that have led since `since`, as those in `by` have seen it, in order.
  func leaders(since: Instant, by witnesses: [Int]) -> [NodeID] {
    witnesses.flatMap { nodes[$0].events }.compactMap { at, event in
      if case .leaderChanged(let leader?, _) = event, at > since { leader } else { nil }
    }
  }

  var elections: UInt64 { views.reduce(0) { $0 + $1.counters.elections } }

  func counted(_ reason: DropReason) -> UInt64 {
    views.reduce(0) { $0 + $1.counters.count(of: reason) }
  }

  /// Runs in steps and says whether there ever were two leases.
  mutating func runWatchingLeases(for span: TimeSpan) -> Bool {
    let end = now + span
    var isExclusive = true
    while now < end {
      run(for: .milliseconds(100))
      if holders.count > 1 { isExclusive = false }
    }
    return isExclusive
  }

  /// Voters of the register that the leader holds, as machines, the leader excepted.
  func otherVoters(than leader: Int) -> [Int] {
    let voters = view(leader)?.body?.voters ?? []
    return nodes.indices.filter { $0 != leader && id($0).map(voters.contains) ?? false }
  }
}

@Suite struct `A leader that is only half reachable` {
  /// Five voters; the leader keeps a direct path to one of them only.
  private func halved(
    seed: UInt64, _ cut: (inout Simulation, Int, Int) -> Void
  ) throws -> (Simulation, leader: Int) {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let settled = simulation.wait(upTo: .seconds(60)) { simulation in
      simulation.holders.count == 1
        && simulation.views.allSatisfy { $0.body?.voters.count == 5 }
    }
    try #require(settled != nil)
    simulation.run(for: .seconds(5))
    let leader = try #require(simulation.holders.first)
    for voter in simulation.otherVoters(than: leader).dropFirst() {
      cut(&simulation, leader, voter)
    }
    return (simulation, leader)
  }

  private func expectSteady(_ simulation: inout Simulation, leader: Int) throws {
    let (since, elections) = (simulation.now, simulation.elections)
    let isExclusive = simulation.runWatchingLeases(for: .seconds(600))
    #expect(isExclusive)
    #expect(simulation.holders == [leader])
    #expect(simulation.leaders(since: since, by: Array(0..<5)) == [])
    #expect(simulation.elections == elections)
    let deaths = simulation.nodes.flatMap(\.events).filter { at, event in
      if case .memberDead = event { at > since } else { false }
    }
    #expect(deaths.isEmpty, "\(deaths.count) deaths")
    #expect(simulation.views.reduce(0) { $0 + $1.counters.relayed } > 1_000)
    #expect(simulation.counted(.badSignature) + simulation.counted(.misrouted) == 0)
    #expect(simulation.counted(.rateLimited) == 0)
    // It can still commit.
    simulation.command(leader, .setCluster(key: "colour", value: "blue"), ticket: 1)
    let done = simulation.wait(upTo: .seconds(3)) { $0.nodes[leader].replies[1] == .done }
    #expect(done != nil)
  }

  @Test(arguments: 1...3)
  func `by no path but one, for ten minutes, goes on leading`(seed: UInt64) throws {
    var (simulation, leader) = try halved(seed: seed) { $0.cutBothWays($1, $2) }
    try expectSteady(&simulation, leader: leader)
  }

  @Test(arguments: 1...3)
  func `whose heartbeats reach one voter only goes on leading`(seed: UInt64) throws {
    var (simulation, leader) = try halved(seed: seed) { $0.cut(from: $1, to: $2) }
    try expectSteady(&simulation, leader: leader)
  }

  @Test(arguments: 1...3)
  func `that hears one voter only goes on leading`(seed: UInt64) throws {
    var (simulation, leader) = try halved(seed: seed) { $0.cut(from: $2, to: $1) }
    try expectSteady(&simulation, leader: leader)
  }

  @Test func `gets its direct answers back when the network heals`() throws {
    var (simulation, leader) = try halved(seed: 4) { $0.cutBothWays($1, $2) }
    simulation.run(for: .seconds(20))
    simulation.network.heal()
    simulation.run(for: .seconds(5))
    let asked = try #require(simulation.view(leader)).counters.relaysAsked
    simulation.run(for: .seconds(30))
    #expect(simulation.view(leader)?.counters.relaysAsked == asked)
  }

  @Test(arguments: 1...3)
  func `mute to all is replaced once, and nobody stands in vain`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let leader = try #require(simulation.holders.first)
    for other in 0..<5 where other != leader { simulation.cut(from: leader, to: other) }
    try expectOneSuccessor(&simulation, of: leader)
  }

  @Test(arguments: 1...3)
  func `deaf to all is replaced once, and nobody stands in vain`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let leader = try #require(simulation.holders.first)
    for other in 0..<5 where other != leader { simulation.cut(from: other, to: leader) }
    try expectOneSuccessor(&simulation, of: leader)
  }

  private func expectOneSuccessor(_ simulation: inout Simulation, of leader: Int) throws {
    let (since, elections) = (simulation.now, simulation.elections)
    let isExclusive = simulation.runWatchingLeases(for: .seconds(120))
    #expect(isExclusive)
    let others = (0..<5).filter { $0 != leader }
    #expect(simulation.holders.count == 1 && simulation.holders != [leader])
    #expect(Set(simulation.leaders(since: since, by: others)).count == 1)
    // The first to stand is mostly alone; a tie costs one more.
    #expect(simulation.elections - elections <= 3)
  }
}
