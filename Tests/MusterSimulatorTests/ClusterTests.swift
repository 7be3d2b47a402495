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
  func view(_ index: Int) -> ClusterView? { nodes[index].peer?.view(at: now) }

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
