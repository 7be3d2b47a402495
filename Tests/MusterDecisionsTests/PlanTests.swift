import MusterDecisions
import MusterState
import Testing

@Suite struct PlanTests {
  @Test func `a version that is wanted and does not run begins a plan`() throws {
    var cluster = Cluster.upgrading()
    cluster.die([4])
    let plan = try #require(cluster.next.plan)
    #expect(plan.phase == .downloading && plan.reference == nil && plan.term == 3)
    #expect(plan.participants == Array(Cluster.nodes.prefix(4)))
    cluster.body.failure = "the last one failed"
    #expect(cluster.next.plan == nil)
  }

  @Test func `a version that was published before is not fetched again`() {
    var cluster = Cluster.upgrading()
    cluster.body.published.append(Cluster.reference("2.0"))
    #expect(cluster.next.plan?.reference == Cluster.reference("2.0"))
  }

  @Test func `the fetch is the leader's, for this plan`() {
    var cluster = Cluster.upgrading(phase: .downloading, hasReference: false)
    #expect(cluster.next == cluster.body)
    let other = PlanID(.zero)
    cluster.sight.fetched = FetchOutcome(
      plan: other, reference: Cluster.reference("2.0"), failure: "")
    #expect(cluster.next == cluster.body)
    cluster.sight.fetched = FetchOutcome(
      plan: Cluster.plan, reference: Cluster.reference("2.0"), failure: "")
    #expect(cluster.next.plan?.reference == Cluster.reference("2.0"))
    #expect(cluster.next.plan?.phase == .downloading)
  }

  @Test func `a fetch that fails gives the plan up, and nothing was stopped`() {
    var cluster = Cluster.upgrading(phase: .downloading, hasReference: false)
    cluster.sight.fetched = FetchOutcome(
      plan: Cluster.plan, reference: nil, failure: "the archive does not match")
    cluster.run()
    #expect(cluster.body.plan == nil)
    #expect(cluster.body.failure == "the archive does not match")
    #expect(cluster.body.current == Cluster.reference("1.0"))
    #expect(cluster.body.setting("version") == "1.0")
  }

  @Test(arguments: [
    (Plan.Phase.downloading, Acknowledgement.verified, Plan.Phase?.some(.prepare)),
    (.prepare, .stopped, .complete), (.complete, .running, nil), (.rollingBack, .running, nil),
  ])
  func `a phase ends when all have said so, and not before`(
    phase: Plan.Phase, said: Acknowledgement, next: Plan.Phase?
  ) {
    var cluster = Cluster.upgrading(phase: phase)
    #expect(cluster.next == cluster.body)
    cluster.say(said, [0, 1, 2, 3])
    #expect(cluster.next == cluster.body)
    cluster.say(said)
    #expect(cluster.next.plan?.phase == next)
    // What they say of another plan, or a word too many or too few, does not count.
    cluster.each([2]) { $0.plan = PlanID(.zero) }
    #expect(cluster.next == cluster.body)
    for wrong in Acknowledgement.allCases where wrong != said && wrong != .failed {
      cluster.say(wrong, [2])
      #expect(cluster.next == cluster.body)
    }
  }

  @Test func `what runs changes with complete, and the last release stays`() {
    var cluster = Cluster.upgrading(phase: .prepare)
    cluster.say(.stopped)
    #expect(cluster.next.current == Cluster.reference("2.0"))
    #expect(cluster.next.published == [Cluster.reference("2.0"), Cluster.reference("1.0")])
  }

  @Test func `a first release has nothing to stop`() {
    var cluster = Cluster.upgrading(phase: .downloading)
    cluster.body.current = nil
    cluster.body.published = []
    cluster.body.plan?.from = nil
    cluster.say(.verified)
    #expect(cluster.next.plan?.phase == .complete)
    #expect(cluster.next.current == Cluster.reference("2.0"))
  }

  @Test(arguments: Plan.Phase.allCases)
  func `a participant that dies is not waited for`(phase: Plan.Phase) {
    var cluster = Cluster.upgrading(phase: phase)
    cluster.die([2])
    #expect(cluster.next.plan?.overtaken == [Cluster.nodes[2]])
    let said: Acknowledgement =
      phase == .downloading ? .verified : phase == .prepare ? .stopped : .running
    cluster.say(said, [0, 1, 3, 4])
    #expect(cluster.next.plan?.phase != phase)
  }

  @Test(arguments: [
    (Plan.Phase.downloading, Int64(120_000)), (.prepare, 45_000), (.complete, 120_000),
    (.rollingBack, 120_000),
  ])
  func `a mute participant is overtaken at the limit, by name`(phase: Plan.Phase, limit: Int64) {
    var cluster = Cluster.upgrading(phase: phase)
    let said: Acknowledgement =
      phase == .downloading ? .verified : phase == .prepare ? .stopped : .running
    cluster.say(said, [0, 1, 2, 3])
    cluster.each([4]) { $0.holdsRegister = false }
    cluster.sight.phaseMilliseconds = limit - 1
    #expect(cluster.next == cluster.body)
    cluster.sight.phaseMilliseconds = limit
    #expect(cluster.next.plan?.overtaken == [Cluster.nodes[4]])
    #expect(cluster.next.plan?.phase == phase)
    cluster.body = cluster.next
    #expect(cluster.next.plan?.phase != phase)
  }

  @Test func `a copy that cannot be verified gives the plan up`() {
    var cluster = Cluster.upgrading(phase: .downloading)
    cluster.say(.verified)
    cluster.say(.failed, [3])
    cluster.each([3]) { $0.failure = "bin/site differs" }
    cluster.run()
    #expect(cluster.body.plan == nil)
    #expect(cluster.body.failure.contains("bin/site differs"))
    #expect(cluster.body.failure.contains(Cluster.nodes[3].short))
  }

  @Test func `a release that does not start goes back by itself`() {
    var cluster = Cluster.upgrading(phase: .complete)
    cluster.say(.running, [0, 1])
    cluster.say(.failed, [2])
    #expect(cluster.next.plan?.phase == .rollingBack)
    #expect(cluster.next.current == Cluster.reference("1.0"))
    cluster.body = cluster.next
    cluster.say(.running)
    cluster.run()
    #expect(cluster.body.plan == nil)
    #expect(cluster.body.current == Cluster.reference("1.0"))
    #expect(cluster.body.setting("version") == "1.0")
    #expect(!cluster.body.failure.isEmpty)
    // It does not begin anew until an operator asks again.
    #expect(cluster.next == cluster.body)
  }

  @Test func `what an overtaken node says is no failure`() {
    var cluster = Cluster.upgrading(phase: .complete)
    cluster.body.plan?.overtaken = [Cluster.nodes[2]]
    cluster.say(.running)
    cluster.say(.failed, [2])
    #expect(cluster.next.plan == nil)
    #expect(cluster.next.failure.isEmpty)
  }

  @Test func `who leaves or is forgotten is struck from the plan`() {
    var cluster = Cluster.upgrading(phase: .prepare)
    cluster.each([3]) { $0.isLeaving = true }
    #expect(cluster.next.plan?.participants.contains(Cluster.nodes[3]) == false)
  }

  @Test func `a plan runs from the wish to idle`() {
    var cluster = Cluster.upgrading()
    var phases: [Plan.Phase?] = []
    for _ in 0..<12 {
      cluster.body = cluster.next
      let plan = cluster.body.plan
      if phases.last != plan?.phase { phases.append(plan?.phase) }
      guard let plan else { break }
      switch plan.phase {
      case .downloading:
        cluster.sight.fetched = FetchOutcome(
          plan: plan.id, reference: Cluster.reference("2.0"), failure: "")
        cluster.say(.verified)
      case .prepare: cluster.say(.stopped)
      case .complete, .rollingBack: cluster.say(.running)
      }
    }
    #expect(phases == [.downloading, .prepare, .complete, nil])
    #expect(cluster.body.current == Cluster.reference("2.0"))
    #expect(cluster.next == cluster.body)
  }
}
