import MusterDecisions
import MusterState
import Testing

@Suite struct WaveTests {
  /// Five nodes, the first leads; each wave is a list of their places.
  @Test(arguments: [
    (UpgradeOptions.Batch.all, [[0, 1, 2, 3, 4]]),
    (.count(1), [[1], [2], [3], [4], [0]]),
    (.count(2), [[1], [2, 3], [0, 4]]),
    (.count(9), [[1], [0, 2, 3, 4]]),
    (.percent(40), [[1], [2, 3], [0, 4]]),
    (.percent(1), [[1], [2], [3], [4], [0]]),
  ])
  func `one goes first, the leader last`(batch: UpgradeOptions.Batch, waves: [[Int]]) throws {
    var cluster = Cluster.upgrading()
    cluster.body.options = UpgradeOptions(batch: batch)
    let plan = try #require(cluster.next.plan)
    #expect(cluster.next.options == nil)
    for (number, wave) in waves.enumerated() {
      for place in wave {
        #expect(plan.wave(of: Cluster.nodes[place]) == UInt8(number), "node \(place)")
      }
    }
    #expect(plan.lastWave == UInt8(waves.count - 1))
  }

  @Test func `a first release needs no waves`() throws {
    var cluster = Cluster.upgrading()
    cluster.body.current = nil
    cluster.body.options = UpgradeOptions(batch: .count(1), stopsFirst: true)
    let plan = try #require(cluster.next.plan)
    #expect(plan.waves.isEmpty && !plan.stopsFirst && plan.phase == .downloading)
  }

  @Test func `fifteen hundred one by one are no more than the limit of waves`() throws {
    let many = (1...1_500).map { NodeID(Bytes16(high: UInt64($0), low: 0)) }
    var cluster = Cluster.upgrading()
    cluster.body.roster = many
    cluster.body.options = UpgradeOptions(batch: .count(1))
    cluster.sight.nodes = many.map {
      Observation.Node(
        id: $0, isAlive: true, isLeaving: false, sinceMilliseconds: 0, plan: nil,
        acknowledgement: nil, failure: "")
    }
    let plan = try #require(cluster.next.plan)
    #expect(plan.waves.count { $0 == 0 } == 1)
    #expect(plan.lastWave == 250 && Set(plan.waves).count == 251)
    #expect(plan.wave(of: Cluster.nodes[0]) == 250)
  }

  /// Waves [1], [2, 3], [0, 4] from the first `prepare` on.
  private static func waving(phase: Plan.Phase = .prepare, wave: UInt8 = 0) -> Cluster {
    var cluster = Cluster.upgrading(phase: phase)
    cluster.body.current = Cluster.reference("1.0")
    cluster.body.plan?.waves = [2, 0, 1, 1, 2]
    cluster.body.plan?.wave = wave
    return cluster
  }

  @Test func `only the present wave stops and starts, and all are on the new release at the end`() {
    var cluster = Self.waving()
    var trace: [String] = []
    for _ in 0..<20 {
      guard let plan = cluster.body.plan else { break }
      let runs = (0..<5).map { place in
        let duty = duty(
          of: Cluster.nodes[place], committed: cluster.body, term: 3, fetches: place == 0)
        return duty.run.map { String($0.version.prefix(1)) } ?? "-"
      }
      let line = "\(plan.phase.name) \(plan.wave) \(runs.joined())"
      if trace.last != line { trace.append(line) }
      for place in 0..<5 {
        let said: Acknowledgement =
          switch plan.part(of: Cluster.nodes[place]) {
          case .stops: .stopped
          case .moves: .running
          default: .verified
          }
        cluster.say(said, [place])
      }
      cluster.body = cluster.next
    }
    #expect(
      trace == [
        "prepare 0 1-111", "complete 0 12111", "prepare 1 12--1", "complete 1 12221",
        "prepare 2 -222-", "complete 2 22222",
      ])
    #expect(cluster.body.plan == nil && cluster.body.current == Cluster.reference("2.0"))
    #expect(cluster.body.failure.isEmpty)
  }

  @Test func `the next wave waits for all that have moved`() {
    var cluster = Self.waving(phase: .complete, wave: 1)
    cluster.say(.verified)
    cluster.say(.running, [2, 3])
    #expect(cluster.next == cluster.body, "the first is not ready any more")
    cluster.say(.running, [1])
    #expect(cluster.next.plan?.wave == 2 && cluster.next.plan?.phase == .prepare)
  }

  @Test(arguments: [(Plan.Phase.complete, UInt8(0)), (.prepare, 1), (.complete, 1), (.complete, 2)])
  func `a failure of any that moved brings all back, without a fetch`(
    phase: Plan.Phase, wave: UInt8
  ) {
    var cluster = Self.waving(phase: phase, wave: wave)
    if wave == 2 { cluster.body.current = Cluster.reference("2.0") }
    cluster.say(.failed, [1])
    cluster.each([1]) { $0.failure = "it ended three times in a row" }
    cluster.body = cluster.next
    #expect(cluster.body.plan?.phase == .rollingBack)
    #expect(cluster.body.current == Cluster.reference("1.0"))
    for place in 0..<5 {
      let duty = duty(
        of: Cluster.nodes[place], committed: cluster.body, term: 3, fetches: place == 0)
      #expect(duty.run == Cluster.reference("1.0") && duty.fetch == nil)
    }
    cluster.say(.running)
    cluster.run()
    #expect(cluster.body.plan == nil && cluster.body.failure.contains("three times"))
    #expect(cluster.body.setting("version") == "1.0")
  }

  @Test func `what the others say of a wave is no failure of it`() {
    var cluster = Self.waving(phase: .complete, wave: 0)
    cluster.say(.failed, [0, 2, 3, 4])
    cluster.say(.running, [1])
    #expect(cluster.next.plan?.phase == .prepare && cluster.next.plan?.wave == 1)
  }

  @Test func `not ready in time is a failure, mute is a matter of policy`() {
    var cluster = Self.waving(phase: .complete, wave: 0)
    cluster.say(.verified)
    cluster.sight.phaseMilliseconds = 119_999
    #expect(cluster.next == cluster.body)
    cluster.sight.phaseMilliseconds = 120_000
    #expect(cluster.next.plan?.phase == .rollingBack)
    #expect(cluster.next.failure.contains("not ready in time"))
    cluster.each([1]) { $0.holdsRegister = false }
    #expect(cluster.next.plan?.overtaken == [Cluster.nodes[1]])
    cluster.body.plan?.policy = .abort
    #expect(cluster.next.plan?.phase == .rollingBack)
  }

  @Test func `a stop may take as long as its node says, and five seconds more`() {
    var cluster = Self.waving()
    cluster.say(.verified)
    cluster.each([1]) { $0.stopMilliseconds = 90_000 }
    cluster.sight.phaseMilliseconds = 94_999
    #expect(cluster.next == cluster.body)
    cluster.sight.phaseMilliseconds = 95_000
    #expect(cluster.next.plan?.overtaken == [Cluster.nodes[1]])
    cluster.body.plan?.policy = .abort
    #expect(cluster.next.plan?.phase == .rollingBack)
    #expect(cluster.next.failure.contains("has not said stopped"))
  }

  @Test func `by the policy abort a mute node ends a plan before anybody stops`() {
    var cluster = Cluster.upgrading(phase: .downloading)
    cluster.body.plan?.policy = .abort
    cluster.say(.verified, [0, 1, 2, 3])
    cluster.sight.phaseMilliseconds = 120_000
    #expect(cluster.next.plan == nil && cluster.next.failure.contains("has not said verified"))
  }

  @Test func `paused: the present wave ends, and nobody else stops`() {
    var cluster = Self.waving(phase: .prepare)
    cluster.body.plan?.isPaused = true
    cluster.say(.stopped, [1])
    cluster.body = cluster.next
    #expect(cluster.body.plan?.phase == .complete)
    cluster.say(.running, [1])
    #expect(cluster.next == cluster.body)
    cluster.body.plan?.isPaused = false
    #expect(cluster.next.plan?.wave == 1)
    var young = Cluster.upgrading(phase: .downloading)
    young.body.plan?.isPaused = true
    young.say(.verified)
    #expect(young.next == young.body)
  }

  @Test func `stop first: all stop, then the fetch, then all start`() throws {
    var cluster = Cluster.upgrading()
    cluster.body.options = UpgradeOptions(stopsFirst: true)
    cluster.body = cluster.next
    var plan = try #require(cluster.body.plan)
    #expect(plan.phase == .prepare && plan.stopsFirst)
    cluster.say(.stopped)
    cluster.body = cluster.next
    plan = try #require(cluster.body.plan)
    #expect(plan.phase == .downloading)
    let duty = duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true)
    #expect(duty.run == nil && duty.fetch?.plan == plan.id)
    var failed = cluster
    cluster.sight.fetched = FetchOutcome(
      plan: plan.id, reference: Cluster.reference("2.0"), failure: "")
    cluster.body = cluster.next
    cluster.say(.verified)
    #expect(cluster.next.plan?.phase == .complete)
    #expect(cluster.next.current == Cluster.reference("2.0"))
    // What was stopped for nothing starts again.
    failed.sight.fetched = FetchOutcome(plan: plan.id, reference: nil, failure: "no answer")
    #expect(failed.next.plan?.phase == .rollingBack && failed.next.failure == "no answer")
  }
}
