import MusterProtocol
import MusterState
import Testing

@testable import MusterSimulator

/// What waited for a machine is read as the daemon reads it: see `Input.datagrams`.
@Suite struct WaitingTests {
  private static let source = Address(v4: 0x7f4d_0001, port: 7_946)

  private func datagram(_ count: Int, _ mark: UInt8 = 0) -> Simulation.Occurrence {
    .datagram(Array(repeating: mark, count: count), from: Self.source, to: 3)
  }

  /// Each turn as text: how long its datagrams are, and whether more wait.
  private func reads(_ pending: [Simulation.Occurrence]) -> [String] {
    Simulation.together(pending, on: 3).map { event in
      switch event {
      case .waiting(let waiting, let isMore, let node):
        #expect(node == 3)
        return waiting.map { String($0.bytes.count) }.joined(separator: " ")
          + (isMore ? " and more" : "")
      case .timer: return "timer"
      case .persisted: return "written"
      default: return "other"
      }
    }
  }

  @Test func `short ones come first, long ones by the share, and the last turn says so`() {
    let long = Array(repeating: datagram(900), count: 17)
    let timer = Simulation.Occurrence.timer(node: 3, life: 1)
    let written = Simulation.Occurrence.persisted([], ticket: 1, node: 3, life: 1)
    let found = reads([written, datagram(40)] + long + [timer, datagram(320), datagram(321)])
    let share = Array(repeating: "900", count: 16).joined(separator: " ")
    #expect(found == ["written", "40 320 and more", share + " and more", "900 321", "timer"])
    #expect(reads([datagram(40), datagram(50)]) == ["40 50"])
    #expect(reads([timer]) == ["timer"])
    let again = Simulation.Occurrence.waiting(
      [Datagram([1], from: Self.source)], isMore: true, to: 3)
    #expect(reads([again, datagram(40)]) == ["1 40"])
  }

  @Test(arguments: [true, false])
  func `who was paused reads in few turns, or in one for each`(isTogether: Bool) throws {
    var simulation = Simulation(seed: 4, expect: 16)
    for _ in 0..<16 { simulation.add() }
    simulation.form(usesMulticast: false)
    simulation.run(for: .seconds(2))
    let node = try #require(
      simulation.nodes.indices.first { simulation.nodes[$0].readsTogether == isTogether })
    simulation.pause(node)
    for other in simulation.nodes.indices where other != node {
      simulation.command(other, .setOwn(key: "k", value: "\(other)"), ticket: 1)
    }
    simulation.run(for: .milliseconds(800))
    let before = simulation.nodes[node].received.datagrams
    simulation.resume(node)
    let resumed = simulation.now
    var turns = 0
    while simulation.step(upTo: resumed) { turns += simulation.turn.node == node ? 1 : 0 }
    let read = simulation.nodes[node].received.datagrams - before
    #expect(read > 20)
    #expect(isTogether ? turns < read / 2 : turns >= read)
    // Nobody took it for dead, and it takes nobody for dead.
    simulation.run(for: .seconds(5))
    let isWhole = simulation.nodes.allSatisfy { $0.running?.core.liveCount == 16 }
    #expect(isWhole)
  }

  @Test func `what arrives at one instant is one turn`() throws {
    var simulation = Simulation(seed: 4, expect: 4)
    for _ in 0..<4 { simulation.add() }
    simulation.form(usesMulticast: false)
    simulation.run(for: .seconds(1))
    let node = try #require(
      simulation.nodes.indices.first { simulation.nodes[$0].readsTogether })
    let before = simulation.nodes[node].received.datagrams
    let at = simulation.now + .milliseconds(1)
    for mark in UInt8(0)..<10 {
      simulation.queue.schedule(
        .datagram([mark], from: Self.source, to: node), at: at)
    }
    while simulation.now < at, simulation.step(upTo: at) {}
    // The first step at that instant has found them all; the next one reads them.
    while simulation.nodes[node].received.datagrams < before + 10 {
      let known = simulation.nodes[node].received.datagrams
      let went = simulation.step(upTo: at)
      try #require(went)
      let read = simulation.nodes[node].received.datagrams - known
      #expect(read == 0 || read == 10)
    }
  }
}
