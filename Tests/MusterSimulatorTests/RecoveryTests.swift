import MusterProtocol
import MusterSimulator
import MusterState
import Testing

extension Simulation {
  /// What `muster cluster recover` on this machine would sign.
  func recovery(
    on index: Int, to number: UInt64, absorbing absorbed: [FoundingID] = []
  ) throws -> Recovery {
    let view = try #require(self.view(index))
    var recovery = Recovery(
      from: try #require(view.founding), version: view.register,
      digest: try #require(view.leadership.registerDigest),
      to: FoundingID(Bytes16(high: .max, low: number)), voter: view.node, absorbed: absorbed)
    recovery.signature = SimulatedCryptography.authority.sign(
      recovery.message(cluster: ClusterID(Bytes16(high: 0x6d75_7374, low: 1))))
    return recovery
  }

  /// Holders of leases, by founding: never two in one.
  var hasTwoLeasesInAFounding: Bool {
    let foundings = holders.compactMap { view($0)?.founding }
    return Set(foundings).count != foundings.count
  }

  mutating func runWatchingFoundings(for span: TimeSpan) -> Bool {
    let end = now + span
    var isExclusive = true
    while now < end {
      run(for: .milliseconds(100))
      if hasTwoLeasesInAFounding { isExclusive = false }
    }
    return isExclusive
  }

  func foundings(of indices: [Int]) -> Set<FoundingID?> { Set(indices.map { view($0)?.founding }) }

  func count(_ index: Int, _ isMeant: (Event) -> Bool) -> Int {
    nodes[index].events.count { isMeant($0.event) }
  }
}

@Suite struct `A lost majority` {
  /// Five voters, a value set and committed, then three of them gone for ever.
  private func bereft(seed: UInt64) throws -> (Simulation, survivors: [Int], lost: [Int]) {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let settled = simulation.wait(upTo: .seconds(60)) { simulation in
      simulation.views.allSatisfy { $0.body?.voters.count == 5 }
    }
    try #require(settled != nil)
    simulation.command(1, .setCluster(key: "colour", value: "blue"), ticket: 1)
    simulation.run(for: .seconds(2))
    let leader = try #require(simulation.holders.first)
    let lost = [leader, (leader + 1) % 5, (leader + 2) % 5]
    for index in lost { simulation.crash(index) }
    simulation.run(for: .seconds(30))
    #expect(simulation.holders == [])
    return (simulation, [(leader + 3) % 5, (leader + 4) % 5], lost)
  }

  @Test(arguments: 1...4)
  func `goes on from one survivor, the other follows, and so does who returns`(
    seed: UInt64
  ) throws {
    var (simulation, survivors, lost) = try bereft(seed: seed)
    let (here, other) = (survivors[0], survivors[1])
    let old = try #require(simulation.view(here)?.founding)
    let term = try #require(simulation.view(here)).committed.term
    let recovery = try simulation.recovery(on: here, to: seed)
    simulation.command(here, .recover(recovery, force: false), ticket: 2)
    let led = simulation.wait(upTo: .seconds(5)) { simulation in
      simulation.holders == [here] && simulation.isOrdered
        && survivors.allSatisfy { simulation.view($0).map { $0.committed.term > term } ?? false }
    }
    #expect(simulation.nodes[here].replies[2] == .done)
    #expect(led ?? .seconds(99) < .seconds(2), "\(String(describing: led))")
    #expect(simulation.foundings(of: survivors) == [recovery.to])
    for index in survivors {
      let view = try #require(simulation.view(index))
      #expect(view.body?.setting("colour") == "blue" && view.isSealed)
      #expect(view.committed.term > term)
      #expect(
        simulation.count(index) { $0 == .recovered(from: old, to: recovery.to, by: recovery.voter) }
          == 1)
    }
    simulation.command(other, .setCluster(key: "colour", value: "red"), ticket: 3)
    simulation.run(for: .seconds(2))
    #expect(simulation.nodes[other].replies[3] == .done)

    // An old voter returns, with its disk.
    simulation.boot(lost[1])
    let followed = simulation.wait(upTo: .seconds(20)) { simulation in
      simulation.view(lost[1])?.body?.setting("colour") == "red" && simulation.isOrdered
    }
    #expect(followed != nil)
    #expect(simulation.view(lost[1])?.founding == recovery.to)
    let voting = simulation.wait(upTo: .seconds(60)) { $0.view(here)?.body?.voters.count == 3 }
    #expect(voting != nil)
    let conflicts = simulation.nodes.flatMap(\.events).filter {
      if case .clusterConflict = $0.event { true } else { false }
    }
    #expect(conflicts.isEmpty)
  }

  @Test(arguments: 1...3)
  func `that was only out of reach moves as well, and says so`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let settled = simulation.wait(upTo: .seconds(60)) { simulation in
      simulation.views.allSatisfy { $0.body?.voters.count == 5 }
    }
    try #require(settled != nil)
    let leader = try #require(simulation.holders.first)
    let minority = [(leader + 1) % 5, (leader + 2) % 5]
    let majority = (0..<5).filter { !minority.contains($0) }
    simulation.network.partition(minority, majority)
    simulation.run(for: .seconds(30))
    let recovery = try simulation.recovery(on: minority[0], to: seed)
    simulation.command(minority[0], .recover(recovery, force: false), ticket: 1)
    var isExclusive = simulation.runWatchingFoundings(for: .seconds(20))
    #expect(simulation.nodes[minority[0]].replies[1] == .done)
    // Two foundings, each with its leader: that is what the operator was told.
    #expect(Set(simulation.holders) == [leader, minority[0]])
    simulation.network.heal()
    isExclusive = simulation.runWatchingFoundings(for: .seconds(30)) && isExclusive
    #expect(isExclusive)
    #expect(simulation.foundings(of: Array(0..<5)) == [recovery.to])
    #expect(simulation.holders.count == 1 && simulation.isOrdered)
    for index in majority {
      let told = simulation.count(index) {
        if case .recovered(_, recovery.to, _) = $0 { true } else { false }
      }
      #expect(told == 1)
    }
  }

  @Test func `is not declared under a leader that was heard of just now, unless forced`() throws {
    var simulation = try Simulation.ordered(seed: 5, count: 5)
    let leader = try #require(simulation.holders.first)
    let other = (leader + 1) % 5
    let recovery = try simulation.recovery(on: other, to: 1)
    simulation.command(other, .recover(recovery, force: false), ticket: 1)
    simulation.run(for: .milliseconds(20))
    guard case .refused(let reason) = simulation.nodes[other].replies[1] else {
      Issue.record("\(simulation.nodes[other].replies)")
      return
    }
    #expect(reason.contains("no majority is lost"))
    simulation.command(other, .recover(recovery, force: true), ticket: 2)
    let isExclusive = simulation.runWatchingFoundings(for: .seconds(15))
    #expect(isExclusive)
    #expect(simulation.nodes[other].replies[2] == .done)
    #expect(simulation.foundings(of: Array(0..<5)) == [recovery.to])
    #expect(simulation.isOrdered)
  }

  @Test func `twice in a row: who missed the first recovery follows the second`() throws {
    var (simulation, survivors, lost) = try bereft(seed: 6)
    let first = try simulation.recovery(on: survivors[0], to: 1)
    simulation.command(survivors[0], .recover(first, force: false), ticket: 1)
    simulation.run(for: .seconds(10))
    simulation.crash(survivors[0])
    simulation.run(for: .seconds(10))
    let second = try simulation.recovery(on: survivors[1], to: 2)
    simulation.command(survivors[1], .recover(second, force: true), ticket: 2)
    simulation.run(for: .seconds(5))
    #expect(simulation.nodes[survivors[1]].replies[2] == .done)
    for index in lost + [survivors[0]] { simulation.boot(index) }
    let isExclusive = simulation.runWatchingFoundings(for: .seconds(30))
    #expect(isExclusive)
    #expect(simulation.foundings(of: Array(0..<5)) == [second.to])
    #expect(simulation.isOrdered)
  }

  @Test func `replayed, on any node, is refused`() throws {
    var (simulation, survivors, lost) = try bereft(seed: 7)
    let recovery = try simulation.recovery(on: survivors[0], to: 1)
    // Signed for one node, tried on another.
    simulation.command(survivors[1], .recover(recovery, force: true), ticket: 1)
    simulation.command(survivors[0], .recover(recovery, force: false), ticket: 2)
    simulation.run(for: .seconds(10))
    simulation.command(survivors[0], .recover(recovery, force: true), ticket: 3)
    simulation.boot(lost[0])
    simulation.run(for: .seconds(10))
    simulation.command(lost[0], .recover(recovery, force: true), ticket: 4)
    simulation.run(for: .seconds(5))
    #expect(simulation.nodes[survivors[0]].replies[2] == .done)
    for reply in [
      simulation.nodes[survivors[1]].replies[1], simulation.nodes[survivors[0]].replies[3],
      simulation.nodes[lost[0]].replies[4],
    ] {
      guard case .refused(let reason) = reply else {
        Issue.record("\(String(describing: reply))")
        continue
      }
      #expect(reason.contains("another node or another founding"))
    }
    #expect(simulation.foundings(of: survivors + [lost[0]]) == [recovery.to])
  }

  @Test func `two recoveries apart are a conflict, and absorbing one ends it`() throws {
    var (simulation, survivors, lost) = try bereft(seed: 8)
    simulation.network.partition([survivors[0]], [survivors[1]])
    simulation.network.allowsMulticast = false
    for (number, index) in survivors.enumerated() {
      let recovery = try simulation.recovery(on: index, to: UInt64(number) + 1)
      simulation.command(index, .recover(recovery, force: false), ticket: 1)
    }
    simulation.run(for: .seconds(10))
    #expect(simulation.holders.sorted() == survivors.sorted())
    simulation.network.heal()
    simulation.run(for: .seconds(30))
    #expect(simulation.foundings(of: survivors).count == 2)
    for index in survivors {
      let conflicts = simulation.count(index) {
        if case .clusterConflict = $0 { true } else { false }
      }
      #expect(conflicts == 1)
    }
    let other = try #require(simulation.view(survivors[1])?.founding)
    let end = try simulation.recovery(on: survivors[0], to: 9, absorbing: [other])
    simulation.command(survivors[0], .recover(end, force: true), ticket: 2)
    // What was refused a while ago is looked at again.
    let isExclusive = simulation.runWatchingFoundings(for: .seconds(90))
    #expect(isExclusive)
    #expect(simulation.foundings(of: survivors) == [end.to])
    #expect(simulation.holders.count == 1)
    _ = lost
  }
}
