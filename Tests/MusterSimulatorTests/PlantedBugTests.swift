#if MUSTER_PLANTED_BUGS
  import Foundation
  import MusterProtocol
  import MusterSimulator
  import Testing

  /// A checker that never fails proves nothing: each planted mistake has to be caught.
  @Suite struct PlantedBugTests {
    /// With `MUSTER_PLANTED_TABLE=1` the search begins at seed 1 and the table says how many seeds
    /// each mistake needs; otherwise it begins at a seed that is known to catch it.
    private static let isTable = ProcessInfo.processInfo.environment["MUSTER_PLANTED_TABLE"] == "1"

    @Test(.timeLimit(.minutes(30)), arguments: PlantedCase.all)
    func `is caught`(planted: PlantedCase) throws {
      let first = Self.isTable ? 1 : planted.knownSeed
      let found = planted.firstSeed(from: first, limit: 2_000)
      let (seed, violation) = try #require(found, "\(planted.name) is not caught")
      #expect(planted.caughtBy.contains(violation.checker), "\(planted.name): \(violation)")
      print("planted: \(planted.name) | \(violation.checker) | seed \(seed)")
    }

    @Test func `without any rule about time the register is still whole`() {
      var options = Swarm.Options()
      options.planted = .noTime
      options.nodes = 3
      for seed in UInt64(1)...15 {
        var run = ScenarioRun(Swarm.scenario(seed: seed, options: options))
        #expect(run.run().violation == nil)
      }
    }

    @Test(arguments: [
      PlantedBugs.insiderForgesRecords, .insiderClaimsLeadership, .insiderInflatesTerm,
    ])
    func `one member that lies moves nobody`(insider: PlantedBugs) {
      var options = Swarm.Options()
      options.insider = insider
      options.nodes = 9
      for seed in UInt64(1)...8 {
        var run = ScenarioRun(Swarm.scenario(seed: seed, options: options))
        #expect(run.run().violation == nil, "seed \(seed)")
      }
    }
  }

  extension PlantedCase: CustomTestStringConvertible {
    package var testDescription: String { name }
  }
#endif
