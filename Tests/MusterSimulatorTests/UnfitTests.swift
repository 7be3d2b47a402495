import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct `A member that is neither well nor dead` {
  private func formed(_ count: Int, seed: UInt64) -> Simulation {
    var simulation = Simulation(seed: seed, expect: UInt32(count))
    for _ in 0..<count { simulation.add() }
    simulation.form(usesMulticast: false)
    simulation.run(for: .seconds(5))
    return simulation
  }

  /// What share of what goes from the sick one to the others, and back, is lost.
  private func weaken(_ simulation: inout Simulation, _ sick: Int, out: UInt64, back: UInt64) {
    for other in simulation.nodes.indices where other != sick {
      simulation.network.linkLoss[SimulatedNetwork.Link(sick, other)] = out
      simulation.network.linkLoss[SimulatedNetwork.Link(other, sick)] = back
    }
  }

  /// How many of the others believe it alive or suspect.
  private func believers(in simulation: Simulation, _ sick: Int) -> Int {
    let id = simulation.id(sick)
    return simulation.nodes.indices.count { index in
      guard index != sick, let id else { return false }
      return simulation.nodes[index].peer?.members[id]?.isLive ?? false
    }
  }

  @Test(arguments: [(800, 0), (0, 800)] as [(UInt64, UInt64)])
  func `is left out, stays out, and is back when it has been well for long enough`(
    out: UInt64, back: UInt64
  ) {
    var simulation = formed(20, seed: 7)
    weaken(&simulation, 3, out: out, back: back)
    simulation.run(for: .seconds(40))
    #expect(believers(in: simulation, 3) == 0)
    for _ in 0..<60 {
      simulation.run(for: .seconds(1))
      #expect(believers(in: simulation, 3) == 0)
    }
    simulation.network.heal()
    simulation.network.linkLoss = [:]
    simulation.run(for: .seconds(20))
    #expect(believers(in: simulation, 3) == 0)
    simulation.run(for: .seconds(15))
    #expect(believers(in: simulation, 3) == 19)
    #expect(simulation.allSee(20))
  }

  @Test func `that hears nothing and is heard is left out`() {
    var simulation = formed(12, seed: 2)
    weaken(&simulation, 3, out: 0, back: 1_000)
    simulation.run(for: .seconds(15))
    #expect(simulation.nodes[0].peer?.unfitness.leftOut == [simulation.id(3)].compactMap(\.self))
  }

  @Test func `that comes and goes is left out at the second time`() {
    var simulation = formed(12, seed: 4)
    for _ in 0..<2 {
      weaken(&simulation, 3, out: 1_000, back: 1_000)
      simulation.run(for: .seconds(20))
      #expect(believers(in: simulation, 3) == 0)
      simulation.network.linkLoss = [:]
      simulation.run(for: .seconds(10))
    }
    #expect(believers(in: simulation, 3) == 0)
    simulation.run(for: .seconds(30))
    #expect(believers(in: simulation, 3) == 11)
  }

  @Test func `that three observers cannot reach, and others can, is not`() throws {
    var simulation = formed(20, seed: 9)
    let id = try #require(simulation.id(3))
    let observers = try #require(simulation.nodes[0].peer).observers(of: id, wide: false)
    for observer in observers.prefix(3) {
      let index = try #require(simulation.nodes.indices.first { simulation.id($0) == observer })
      simulation.network.linkLoss[SimulatedNetwork.Link(index, 3)] = 1_000
    }
    simulation.run(for: .seconds(60))
    #expect(believers(in: simulation, 3) == 19)
  }

  @Test func `nobody is where all datagrams are lost as often`() {
    var simulation = formed(12, seed: 6)
    simulation.network.lossPerMille = 500
    simulation.run(for: .seconds(120))
    #expect(simulation.nodes.allSatisfy { $0.peer?.unfitness.leftOut.isEmpty ?? false })
  }

  @Test func `is not put out by two members, however they lie`() throws {
    let simulation = formed(12, seed: 1)
    var judge = try #require(simulation.nodes[0].peer)
    let subject = try #require(simulation.id(5))
    let life = try #require(judge.members[subject]).incarnation.counter
    judge.now = simulation.now
    let observers = judge.observers(of: subject, wide: true).filter { $0 != judge.id }
    for (count, accuser) in observers.prefix(3).enumerated() {
      #expect(judge.members[subject]?.state == .alive, "\(count) accusers")
      judge.take(Finding(subject: subject, life: life, stands: true), by: accuser)
    }
    #expect(judge.members[subject]?.state == .dead)
    judge.take(Finding(subject: subject, life: life, stands: false), by: observers[0])
    #expect(judge.members[subject]?.state == .alive)
  }
}
