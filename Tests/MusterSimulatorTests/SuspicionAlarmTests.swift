#if MUSTER_PLANTED_BUGS
  import MusterSimulator
  import MusterState
  import Testing

  @testable import MusterProtocol

  /// When the next verdict is due is worked out once and kept. Whatever a verdict rests on has to
  /// end that: after every event what is kept is compared with what is worked out anew.
  @Suite struct SuspicionAlarmTests {
    /// Two minutes of loss, crashes, blocks and starved machines.
    ///
    /// - Returns: how often suspects were looked at, and how often what was kept was wrong.
    private func run(seed: UInt64, planting bugs: PlantedBugs) -> (looks: Int, stale: Int) {
      var simulation = Simulation(seed: seed, expect: 12)
      simulation.keepsEvents = false
      for index in 0..<12 {
        simulation.add()
        simulation.plant(bugs, on: index)
      }
      for index in 0..<12 { simulation.boot(index) }
      var dice = SimulatedDice(seed: seed)
      var (looks, stale) = (0, 0)
      for _ in 0..<60 {
        strike(&simulation, &dice)
        let end = simulation.now + .seconds(2)
        while simulation.step(upTo: end) {
          guard let running = simulation.nodes[simulation.turn.node].running,
            !running.core.suspects.isEmpty, let kept = running.core.suspicionAlarm
          else { continue }
          var fresh = running.core
          fresh.suspicionAlarm = nil
          looks += 1
          if fresh.suspicionsDue() != kept.due { stale += 1 }
        }
      }
      return (looks, stale)
    }

    private func strike(_ simulation: inout Simulation, _ dice: inout SimulatedDice) {
      let node = Int(dice.below(12))
      switch dice.below(8) {
      case 0:
        if simulation.nodes[node].isRunning { simulation.crash(node) }
      case 1:
        for index in simulation.nodes.indices where !simulation.nodes[index].isRunning {
          simulation.boot(index)
        }
      case 2: simulation.nodes[node].starvation = .milliseconds(Int64(dice.below(900)))
      case 3: simulation.nodes[node].starvation = .zero
      case 4: simulation.network.lossPerMille = [0, 100, 300, 500][Int(dice.below(4))]
      case 5: simulation.pause(node)
      case 6: simulation.resume(node)
      default:
        for index in simulation.nodes.indices { simulation.resume(index) }
      }
    }

    @Test(arguments: UInt64(1)...6)
    func `what is kept is what is true`(seed: UInt64) {
      let (looks, stale) = run(seed: seed, planting: [])
      #expect(looks > 500)
      #expect(stale == 0)
    }

    @Test func `what is kept too long is found`() {
      #expect(run(seed: 1, planting: .staleAlarm).stale > 0)
    }
  }
#endif
