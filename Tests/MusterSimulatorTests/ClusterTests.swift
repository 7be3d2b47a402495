import MusterProtocol
import MusterSimulator
import MusterState
import Testing

/// Four machines, switched on together, no addresses.
func fourNodes(seed: UInt64) -> Simulation {
  var simulation = Simulation(seed: seed, expect: 4)
  for _ in 0..<4 { simulation.add() }
  for index in 0..<4 { simulation.boot(index) }
  return simulation
}

extension Simulation {
  var views: [ClusterView] { nodes.indices.compactMap { view($0) } }

  /// Everyone sees `count` alive members.
  func allSee(_ count: Int) -> Bool {
    views.allSatisfy { view in view.members.filter { $0.state == .alive }.count == count }
  }

  var holders: [Int] { nodes.indices.filter { view($0)?.holdsLease ?? false } }

  /// One leader with a lease, and a role table that everyone has.
  var isOrdered: Bool {
    holders.count == 1
      && views.allSatisfy { view in
        view.isSealed && view.members.filter { $0.role == .web }.count == 1
          && view.members.allSatisfy { $0.state != .alive || $0.role != nil }
      }
  }
}

@Suite struct ClusterTests {
  @Test(arguments: 1...20)
  func `four nodes without addresses find each other and elect a leader`(seed: UInt64) throws {
    var simulation = fourNodes(seed: seed)
    let seen = try #require(simulation.run(within: .seconds(2)) { $0.allSee(4) })
    #expect(seen < .milliseconds(1_500))
    let ordered = simulation.run(within: .seconds(10)) { $0.isOrdered }
    #expect(ordered.map { seen + $0 < .seconds(6) } ?? false, "ordered after \(ordered as Any)")
    if ordered == nil { print(simulation.nodes.map(\.events)) }
  }
}

extension Simulation {
  /// A cluster that is founded, sealed and has its roles.
  static func ordered(seed: UInt64, count: Int = 4) throws -> Simulation {
    var simulation = Simulation(seed: seed, expect: UInt32(count))
    for _ in 0..<count { simulation.add() }
    for index in 0..<count { simulation.boot(index) }
    try #require(simulation.run(within: .seconds(15)) { $0.isOrdered } != nil)
    return simulation
  }

  /// Waits in steps, so that views are not made after each event.
  mutating func wait(
    upTo limit: TimeSpan, _ condition: (Simulation) -> Bool
  ) -> TimeSpan? {
    let start = now
    while now - start < limit {
      if condition(self) { return now - start }
      run(for: .milliseconds(10))
    }
    return condition(self) ? now - start : nil
  }

  func state(of index: Int, seenBy other: Int) -> MemberState? {
    view(other)?.members.first { $0.name == nodes[index].name }?.state
  }
}

@Suite struct MembershipTests {
  @Test(arguments: 1...5)
  func `a fifth node that knows one address joins and is admitted`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed)
    simulation.add()
    simulation.boot(4, join: [simulation.nodes[2].address], multicast: false)
    let joined = simulation.wait(upTo: .seconds(2)) {
      $0.allSee(5) && $0.view(4)?.members.allSatisfy { $0.role != nil } ?? false
    }
    #expect(joined ?? .seconds(9) < .seconds(1))
  }

  @Test(arguments: 1...5)
  func `a crashed member is dead to all in about three seconds`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 8)
    let leader = try #require(simulation.holders.first)
    let victim = (leader + 1) % 8
    simulation.crash(victim)
    let seen = simulation.wait(upTo: .seconds(10)) { simulation in
      (0..<8).allSatisfy { $0 == victim || simulation.state(of: victim, seenBy: $0) == .dead }
    }
    #expect(seen ?? .seconds(99) <= .seconds(4), "\(String(describing: seen))")
  }

  @Test(arguments: 1...5)
  func `a value set on one node is on all within a tenth of a second`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 8)
    simulation.command(3, .setOwn(key: "port", value: "8081"), ticket: 7)
    let visible = simulation.wait(upTo: .seconds(2)) { simulation in
      simulation.views.allSatisfy { view in
        view.members.contains { $0.data == [Setting(key: "port", value: "8081")] }
      }
    }
    #expect(visible ?? .seconds(9) <= .milliseconds(50))
    #expect(simulation.nodes[3].replies[7] == .done)
  }

  @Test(arguments: 1...5)
  func `a split of any length heals by itself`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 6)
    simulation.network.partition([0, 1], [2, 3, 4, 5])
    simulation.network.allowsMulticast = false
    simulation.run(for: .seconds(120))
    #expect(simulation.state(of: 0, seenBy: 5) == .dead)
    #expect(simulation.state(of: 5, seenBy: 0) == .dead)
    simulation.network.heal()
    let healed = simulation.wait(upTo: .seconds(30)) { $0.allSee(6) && $0.isOrdered }
    #expect(healed != nil)
    let converged = simulation.wait(upTo: .seconds(20)) {
      $0.views.allSatisfy { $0.convergedSince != nil && $0.agree == 6 }
    }
    #expect(converged != nil)
  }

  @Test(arguments: 1...4)
  func `thirty per cent loss for five minutes kills nobody`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 6)
    simulation.network.lossPerMille = 300
    simulation.run(for: .seconds(300))
    let deaths = simulation.nodes.flatMap(\.events).filter {
      if case .memberDead = $0.event { true } else { false }
    }
    #expect(deaths.isEmpty, "\(deaths.count) deaths")
  }

  @Test func `a second node with a live name is refused and changes nothing`() throws {
    var simulation = try Simulation.ordered(seed: 3)
    let twin = simulation.add(name: simulation.nodes[1].name)
    simulation.boot(twin, join: [simulation.nodes[0].address])
    simulation.run(for: .seconds(2))
    #expect(
      simulation.nodes[twin].stopped
        == .nameTaken(name: simulation.nodes[1].name, holder: try #require(simulation.id(1))))
    #expect(simulation.allSee(4))
  }

  @Test(arguments: 1...5)
  func `of two that start together under one name exactly one stops`(seed: UInt64) {
    var simulation = Simulation(seed: seed, expect: 3)
    for name in ["a", "b", "b", "c"] { simulation.add(name: name) }
    for index in 0..<4 { simulation.boot(index) }
    simulation.run(for: .seconds(12))
    let stopped = (0..<4).filter { simulation.nodes[$0].stopped != nil }
    #expect(stopped == [1] || stopped == [2], "\(stopped)")
    #expect(simulation.isOrdered)
  }

  @Test func `a node that leaves is gone at once and may come back`() throws {
    var simulation = try Simulation.ordered(seed: 4)
    let leader = try #require(simulation.holders.first)
    let leaver = (leader + 1) % 4
    simulation.command(leaver, .leave, ticket: 1)
    let gone = simulation.wait(upTo: .seconds(6)) { simulation in
      (0..<4).allSatisfy { $0 == leaver || simulation.state(of: leaver, seenBy: $0) == .left }
    }
    #expect(gone ?? .seconds(99) < .seconds(2))
    #expect(simulation.nodes[leaver].stopped == .left)
    simulation.boot(leaver)
    #expect(simulation.wait(upTo: .seconds(6)) { $0.allSee(4) && $0.isOrdered } != nil)
  }

  @Test func `a dead node is forgotten by the leader's commit`() throws {
    var simulation = try Simulation.ordered(seed: 5)
    let leader = try #require(simulation.holders.first)
    let victim = (leader + 1) % 4
    let asker = (leader + 2) % 4
    let id = try #require(simulation.id(victim))
    simulation.command(asker, .forget(id, authority: nil), ticket: 1)
    simulation.run(for: .seconds(1))
    guard case .refused = simulation.nodes[asker].replies[1] else {
      Issue.record("a live member was forgotten: \(simulation.nodes[asker].replies)")
      return
    }
    simulation.crash(victim)
    simulation.run(for: .seconds(5))
    simulation.command(asker, .forget(id, authority: nil), ticket: 2)
    simulation.run(for: .seconds(2))
    #expect(simulation.nodes[asker].replies[2] == .done)
    #expect(simulation.views.allSatisfy { view in !view.members.contains { $0.id == id } })
    simulation.boot(victim)
    simulation.run(for: .seconds(3))
    #expect(simulation.allSee(3) || simulation.nodes[victim].stopped == .forgotten)
  }

  @Test func `a copied disk is noticed`() throws {
    var simulation = try Simulation.ordered(seed: 6)
    let old = simulation.nodes[2].incarnation
    simulation.crash(2)
    simulation.boot(2)
    simulation.run(for: .seconds(2))
    simulation.crash(2)
    // The disk comes back from before the last start.
    simulation.nodes[2].incarnation = old - 1
    simulation.boot(2)
    simulation.run(for: .seconds(3))
    #expect(simulation.nodes[2].stopped == .cloned)
  }
}

@Suite struct LeaderTests {
  @Test(arguments: 1...10)
  func `a crashed leader is replaced and no two leases overlap`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let leader = try #require(simulation.holders.first)
    simulation.crash(leader)
    var overlap = false
    let replaced = simulation.wait(upTo: .seconds(12)) { simulation in
      if simulation.holders.count > 1 { overlap = true }
      return simulation.isOrdered
    }
    #expect(!overlap)
    #expect(replaced ?? .seconds(99) < .seconds(8), "\(String(describing: replaced))")
    simulation.boot(leader)
    #expect(simulation.wait(upTo: .seconds(10)) { $0.allSee(5) && $0.isOrdered } != nil)
  }

  @Test(arguments: 1...5)
  func `a minority never leads and the majority goes on`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    let leader = try #require(simulation.holders.first)
    let other = (leader + 1) % 5
    let rest = (0..<5).filter { $0 != leader && $0 != other }
    simulation.network.partition([leader, other], rest)
    for _ in 0..<200 {
      simulation.run(for: .milliseconds(50))
      #expect(simulation.holders.count <= 1)
    }
    #expect(rest.contains(try #require(simulation.holders.first)))
    simulation.network.heal()
    #expect(simulation.wait(upTo: .seconds(20)) { $0.allSee(5) && $0.isOrdered } != nil)
  }

  @Test(arguments: 1...5)
  func `all nodes restart at once and the register is still there`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 4)
    simulation.command(1, .setCluster(key: "colour", value: "blue"), ticket: 1)
    #expect(simulation.wait(upTo: .seconds(2)) { $0.nodes[1].replies[1] == .done } != nil)
    for index in 0..<4 { simulation.crash(index) }
    for index in 0..<4 { simulation.boot(index) }
    #expect(simulation.wait(upTo: .seconds(15)) { $0.isOrdered } != nil)
    #expect(simulation.views.allSatisfy { $0.body?.setting("colour") == "blue" })
  }

  @Test func `a paused leader wakes without a lease`() throws {
    var simulation = try Simulation.ordered(seed: 9, count: 5)
    let leader = try #require(simulation.holders.first)
    simulation.pause(leader)
    simulation.run(for: .seconds(12))
    #expect(simulation.holders.count == 1)
    #expect(simulation.holders.first != leader)
    simulation.resume(leader)
    simulation.run(for: .seconds(5))
    #expect(simulation.holders.count == 1)
    #expect(simulation.isOrdered)
  }

  @Test(arguments: 1...5)
  func `half of all datagrams lost: leadership stays or recovers`(seed: UInt64) throws {
    var simulation = try Simulation.ordered(seed: seed, count: 5)
    simulation.network.lossPerMille = 500
    for _ in 0..<600 {
      simulation.run(for: .milliseconds(200))
      #expect(simulation.holders.count <= 1)
    }
    simulation.network.lossPerMille = 0
    #expect(simulation.wait(upTo: .seconds(20)) { $0.isOrdered } != nil)
  }
}

@Suite struct DutyTests {
  @Test func `a commit during a download does not end the download`() throws {
    var simulation = try Simulation.ordered(seed: 12)
    let leader = try #require(simulation.holders.first)
    let release = ReleaseSource(
      version: "1.0", source: "file:///none", archive: Digest(Bytes32.zero))
    simulation.command(1, .addRelease(release), ticket: 1)
    simulation.command(1, .setCluster(key: "version", value: "1.0"), ticket: 2)
    let ordered = simulation.wait(upTo: .seconds(3)) { $0.nodes[leader].duty.fetch != nil }
    #expect(ordered != nil)
    simulation.command(2, .setCluster(key: "greeting", value: "hello"), ticket: 3)
    var interrupted = false
    let answered = simulation.run(within: .seconds(3)) { simulation in
      if simulation.nodes[leader].duty.fetch == nil { interrupted = true }
      return simulation.nodes[2].replies[3] == .done
    }
    #expect(answered != nil)
    #expect(!interrupted)
  }
}
