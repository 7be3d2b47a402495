import Foundation
import MusterProtocol
import MusterSimulator
import MusterState
import Testing

/// One random run of a minute whose every step of the rules is traced.
struct TracedRun {
  private var simulation: Simulation
  private var dice: UInt64
  private var founders: Set<Int> = []
  private var priorities: [UInt8] = []

  /// Five nodes, sometimes three or seven; sometimes more come than were planned, and sometimes
  /// one of them never leads.
  init(seed: UInt64) {
    let count = [5, 5, 5, 3, 5, 7, 5, 5, 5, 3][Int(seed % 10)]
    let extra = seed % 6 == 5 ? 2 : 0
    let expect = seed % 10 == 9 ? 1 : UInt32(count - extra)
    dice = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    simulation = Simulation(seed: seed, expect: expect)
    simulation.tracesRules = true
    // A minute has to show what takes minutes.
    simulation.timing.voterStable = .seconds(3)
    simulation.timing.voterDemotion = .seconds(8)
    for _ in 0..<count { simulation.add() }
    if expect == 1 { founders = [0] }
    priorities = (0..<count).map { index in
      guard seed % 4 == 1, index > 0 else { return LeaderPriority.standard }
      return [0, 50, 100, 100, 200][Int((seed / 4 + UInt64(index)) % 5)]
    }
    for index in 0..<count {
      boot(index)
      if below(3) == 0 { simulation.run(for: .milliseconds(Int64(below(1_500)))) }
    }
  }

  private mutating func below(_ bound: UInt64) -> UInt64 {
    dice ^= dice << 13
    dice ^= dice >> 7
    dice ^= dice << 17
    return (dice >> 11) % bound
  }

  private mutating func boot(_ index: Int) {
    simulation.boot(index, founds: founders.contains(index), priority: priorities[index])
  }

  /// Runs, and writes down what happened.
  mutating func lines() -> [String] {
    for second in 0..<120 {
      strike(UInt64(second))
      simulation.run(for: .milliseconds(500))
    }
    struct Told {
      var at: Instant
      var node: Int
      var id: NodeID
      var step: RuleStep
    }
    var told: [Told] = []
    for index in simulation.nodes.indices {
      let key = SimulatedCryptography(identity: simulation.nodes[index].identity, cluster: 1)
      let id = key.nodeID(of: key.publicKey)
      for case (let at, .ruleStep(let step)) in simulation.nodes[index].events {
        told.append(Told(at: at, node: index, id: id, step: step))
      }
    }
    // Sorting is stable by construction: a node's own steps keep their order.
    let order = told.indices.sorted {
      (told[$0].at, $0) < (told[$1].at, $1)
    }
    var trace = RuleTrace(expect: simulation.expect, timing: simulation.timing)
    for place in order {
      trace.add(told[place].step, of: told[place].id, founds: founders.contains(told[place].node))
    }
    return trace.lines
  }

  private mutating func strike(_ turn: UInt64) {
    for index in simulation.nodes.indices where simulation.nodes[index].peer == nil {
      if below(8) == 0 { boot(index) }
    }
    let running = simulation.nodes.indices.filter { simulation.nodes[$0].peer != nil }
    let leader = running.first {
      simulation.nodes[$0].peer?.view(at: simulation.now).holdsLease ?? false
    }
    guard let some = running.isEmpty ? nil : running[Int(below(UInt64(running.count)))] else {
      return
    }
    let target = below(2) == 0 ? leader ?? some : some
    switch below(40) {
    case 0:
      simulation.crash(target)
    case 1, 2: cut()
    case 3, 4:
      simulation.network.heal()
      simulation.network.lossPerMille = 0
    case 5: simulation.network.lossPerMille = [50, 200, 400][Int(below(3))]
    case 6: simulation.pause(target)
    case 7 where below(3) == 0: simulation.command(target, .leave, ticket: turn)
    case 8, 9, 10:
      simulation.command(
        some, .setCluster(key: "colour", value: "\(turn)"), ticket: 1_000 + turn)
    case 11 where below(4) == 0:
      for index in running { simulation.crash(index) }
    case 12: simulation.pause(target, clockStands: true)
    case 13, 14: handOver(from: some, ticket: 2_000 + turn)
    default: break
    }
    for index in running where simulation.nodes[index].isPaused {
      if below(6) == 0 { simulation.resume(index) }
    }
  }

  /// Asked of anybody; to a voter or not, or to whoever stands first.
  private mutating func handOver(from asked: Int, ticket: UInt64) {
    let named = Int(below(UInt64(simulation.nodes.count + 2)))
    let successor = named < simulation.nodes.count ? simulation.id(named) : nil
    simulation.command(asked, .stepDown(to: successor), ticket: ticket)
  }

  private mutating func cut() {
    simulation.network.heal()
    let all = Array(simulation.nodes.indices)
    let side = all.filter { _ in below(2) == 0 }
    switch below(3) {
    case 0: simulation.network.partition(side, all.filter { !side.contains($0) })
    case 1:
      for a in all {
        for b in all where a != b && below(5) < 2 { simulation.network.cut.insert([a, b]) }
      }
    default:
      let one = Int(below(UInt64(all.count)))
      for other in all where other != one { simulation.network.cut.insert([one, other]) }
    }
  }
}

@Suite struct RuleTraceTests {
  /// Writes traces for `scripts/conformance`, or a few that are only looked at here.
  @Test func `traces hold elections and restarts`() async throws {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["MUSTER_TRACES"].flatMap { UInt64($0) } ?? 4
    let first = environment["MUSTER_TRACE_FIRST"].flatMap { UInt64($0) } ?? 0
    let directory = environment["MUSTER_TRACE_DIRECTORY"]
    var led: UInt64 = 0
    var boots = 0
    try await withThrowingTaskGroup(of: (Bool, Int).self) { group in
      for seed in first..<first + count {
        group.addTask {
          var run = TracedRun(seed: seed)
          let lines = run.lines()
          if let directory {
            try (lines.joined(separator: "\n") + "\n").write(
              toFile: "\(directory)/\(seed).jsonl", atomically: false, encoding: .utf8)
          }
          return (
            lines.contains { $0.contains("\"role\":2") },
            lines.filter { $0.contains("\"boot\"") }.count
          )
        }
      }
      for try await (isLed, begun) in group {
        led += isLed ? 1 : 0
        boots += begun
      }
    }
    #expect(led > count * 3 / 4)
    #expect(boots > Int(count) * 5)
  }

  @Test func `a peer that is not asked to trace tells no steps`() throws {
    let simulation = try Simulation.ordered(seed: 1)
    for node in simulation.nodes {
      let steps = node.events.filter {
        if case .ruleStep = $0.event { true } else { false }
      }
      #expect(steps.isEmpty)
    }
  }
}
