import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct `An accusation by who does not observe` {
  /// A founded cluster that is larger than what passes for observers.
  private func large(seed: UInt64) throws -> Simulation {
    // Looked at now and then: twenty-four views after each event would be most of the work.
    var simulation = Simulation(seed: seed, expect: 24)
    for _ in 0..<24 { simulation.add() }
    for index in 0..<24 { simulation.boot(index) }
    simulation.run(for: .seconds(10))
    try #require(simulation.isOrdered && simulation.allSee(24))
    return simulation
  }

  @Test func `is counted, and alone waits for the observers`() throws {
    var simulation = try large(seed: 3)
    simulation.run(for: .seconds(5))
    var judge = try #require(simulation.nodes[0].peer)
    let subject = try #require(judge.ring.first { $0 != judge.id })
    let near = judge.observers(of: subject, wide: true)
    let strangers = judge.ring.filter { $0 != subject && $0 != judge.id && !near.contains($0) }
    let stranger = try #require(strangers.first)
    let observer = try #require(near.first { $0 != judge.id })
    let stamp = try #require(judge.members[subject]).stamp
    judge.now = simulation.now
    // Nothing that happened while they started is to lengthen the windows.
    judge.prober.stalls = Patience()
    judge.prober.loss = LossEstimate()
    judge.members[subject]?.tardiness = Patience()
    let counted = judge.counters.count(of: .notObserver)
    judge.accuse(Suspicion(subject: subject, stamp: stamp), by: stranger)
    #expect(judge.counters.count(of: .notObserver) == counted + 1)
    #expect(judge.members[subject]?.state == .suspect)
    // Others are heard all the time; the subject is not.
    func state(after span: TimeSpan) -> MemberState? {
      var peer = judge
      peer.now = judge.now + span
      for other in near.prefix(2) { peer.prober.hear(other, at: peer.now) }
      peer.judgeSuspects()
      return peer.members[subject]?.state
    }
    #expect(state(after: .milliseconds(11_900)) == .suspect)
    #expect(state(after: .milliseconds(12_000)) == .dead)
    judge.accuse(Suspicion(subject: subject, stamp: stamp), by: observer)
    #expect(judge.counters.count(of: .notObserver) == counted + 1)
    #expect(state(after: .milliseconds(2_900)) == .suspect)
    #expect(state(after: .milliseconds(3_000)) == .dead)
  }

  @Test(arguments: 1...3)
  func `does not slow down the detection of many deaths at once`(seed: UInt64) throws {
    var simulation = try large(seed: seed)
    simulation.run(for: .seconds(5))
    let dead = Array(0..<24).filter { $0 % 3 == 0 }
    for index in dead { simulation.crash(index) }
    let living = (0..<24).filter { $0 % 3 != 0 }
    let crashed = simulation.now
    func isSeen(_ simulation: Simulation) -> Bool {
      living.allSatisfy { witness in
        (simulation.view(witness)?.members ?? []).count { $0.state == .dead } == dead.count
      }
    }
    while !isSeen(simulation), simulation.now - crashed < .seconds(30) {
      simulation.run(for: .milliseconds(200))
    }
    // That so many are silent is a reason to give them longer: see "Crowding" in the protocol.
    #expect(simulation.now - crashed <= .seconds(8), "\(simulation.now - crashed)")
  }
}
