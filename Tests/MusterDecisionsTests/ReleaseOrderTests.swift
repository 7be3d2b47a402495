import MusterDecisions
import MusterState
import Testing

/// Repair and removal of releases, as the leader commits them.
@Suite struct ReleaseOrderTests {
  /// Five nodes on 2.0, with 1.0 as the one before, and 3.0 known.
  private static func settled() -> Cluster {
    var cluster = Cluster.upgrading()
    cluster.body.releases = [Cluster.one, Cluster.two, Cluster.source("3.0")]
    cluster.body.current = Cluster.reference("2.0")
    cluster.body.published = [Cluster.reference("2.0"), Cluster.reference("1.0")]
    cluster.each([0, 1, 2, 3, 4]) { $0.running = Cluster.reference("2.0") }
    return cluster
  }

  private static func copy(_ version: String, _ repair: UInt32) -> ReleaseReference {
    ReleaseReference(version: version, manifest: Digest(.zero), repair: repair)
  }

  private static func ask(_ action: Request.Action, _ cluster: inout Cluster) -> String? {
    cluster.sight.requests = [Request(node: Cluster.nodes[1], nonce: 9, action: action)]
    cluster.body = cluster.next
    cluster.sight.requests = []
    return cluster.body.answers.last?.refusal
  }

  // MARK: Repair

  @Test func `a copy that a node finds corrupt is fetched again under the next number`() throws {
    var cluster = Self.settled()
    #expect(cluster.next == cluster.body)
    cluster.each([3]) { $0.corrupt = Cluster.reference("2.0") }
    cluster.run()
    let repair = try #require(cluster.body.repair)
    #expect(repair.corrupt == Cluster.reference("2.0") && repair.failure.isEmpty)
    #expect(cluster.body.current == Cluster.reference("2.0"), "what runs is not touched")
    let order = duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true).fetch
    #expect(order?.plan == repair.id && order?.repair == 1)
    #expect(order?.release.version == "2.0")
    #expect(
      duty(of: Cluster.nodes[1], committed: cluster.body, term: 3, fetches: false).fetch == nil)

    cluster.sight.fetched = FetchOutcome(
      plan: repair.id, reference: Self.copy("2.0", 1), failure: "")
    cluster.run()
    #expect(cluster.body.repair == nil && cluster.body.plan == nil)
    #expect(cluster.body.current == Self.copy("2.0", 1))
    #expect(cluster.body.published == [Self.copy("2.0", 1), Cluster.reference("1.0")])
    // The claim is about a copy that nothing names any more.
    #expect(cluster.next == cluster.body)
  }

  @Test func `other bytes than before are no repair, and a failure stays to be seen`() {
    var cluster = Self.settled()
    cluster.each([3]) { $0.corrupt = Cluster.reference("2.0") }
    cluster.run()
    let other = ReleaseReference(
      version: "2.0", manifest: Digest(Bytes32(first: .zero, second: Cluster.plan.bytes)),
      repair: 1)
    cluster.sight.fetched = FetchOutcome(plan: Cluster.plan, reference: other, failure: "")
    cluster.run()
    #expect(cluster.body.current == Cluster.reference("2.0"))
    #expect(cluster.body.repair?.failure.contains("other files") == true)
    #expect(
      duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true).fetch == nil)
    cluster.sight.fetched = nil
    #expect(Self.ask(.repairRelease("2.0"), &cluster) == "")
    #expect(cluster.body.repair?.failure == "")
    #expect(cluster.body.releases.first { $0.version == "2.0" }?.repair == 2)
  }

  @Test func `a node that finds every copy corrupt does not keep the leader at work`() {
    var cluster = Self.settled()
    var fetches = 0
    for number in 0..<20 as Range<UInt32> {
      cluster.each([3]) { $0.corrupt = Self.copy("2.0", number) }
      cluster.sight.freshPlan = PlanID(Bytes16(high: 8, low: UInt64(number)))
      cluster.run()
      guard let repair = cluster.body.repair, repair.failure.isEmpty else { break }
      fetches += 1
      cluster.sight.fetched = FetchOutcome(
        plan: repair.id, reference: Self.copy("2.0", number + 1), failure: "")
      cluster.run()
    }
    #expect(fetches == Int(Limits.repairs))
    #expect(cluster.body.repair?.failure.contains("in a row") == true)
  }

  @Test func `a dead node, or one outside the roster, orders nothing`() {
    var cluster = Self.settled()
    cluster.each([3]) { $0.corrupt = Cluster.reference("2.0") }
    cluster.die([3])
    #expect(cluster.next.repair == nil)
    cluster.each([3]) { $0.isAlive = true }
    #expect(cluster.next.repair != nil)
    cluster.body.roster.removeAll { $0 == Cluster.nodes[3] }
    cluster.body.forgotten = [Cluster.nodes[3]]
    #expect(cluster.next.repair == nil)
  }

  @Test func `a bad copy of what is not installed only raises the number of the next`() {
    var cluster = Self.settled()
    cluster.each([3]) { $0.corrupt = Cluster.reference("3.0") }
    cluster.run()
    #expect(cluster.body.repair == nil)
    cluster.body.settings = [Setting(key: "version", value: "3.0")]
    cluster.run()
    let order = duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true).fetch
    #expect(order?.release.version == "3.0" && order?.repair == 1)
  }

  @Test func `an upgrade waits for a repair, and a repair for an upgrade`() {
    var cluster = Self.settled()
    cluster.each([3]) { $0.corrupt = Cluster.reference("2.0") }
    cluster.run()
    cluster.body.settings = [Setting(key: "version", value: "3.0")]
    #expect(cluster.next.plan == nil)
    var upgrading = Cluster.upgrading(phase: .downloading)
    upgrading.each([3]) { $0.corrupt = Cluster.reference("1.0") }
    #expect(upgrading.next.repair == nil)
  }

  @Test func `what runs from an older copy of the same bytes is running`() {
    let duty = Duty(
      term: 1, role: .worker, run: Self.copy("2.0", 1), plan: Cluster.plan)
    let status = LocalStatus(running: Cluster.reference("2.0"), runningRole: .worker, ready: true)
    let body = Cluster.upgrading(phase: .complete).body
    #expect(acknowledgement(of: Cluster.nodes[1], duty, body, status: status) == .running)
  }

  @Test func `announcing again keeps the number that was reached`() {
    var cluster = Self.settled()
    cluster.body.releases[1].repair = 2
    var moved = Cluster.two
    moved.source = "https://elsewhere.example/2.0"
    #expect(Self.ask(.addRelease(moved), &cluster) == "")
    #expect(cluster.body.releases.first { $0.version == "2.0" }?.repair == 2)
  }

  // MARK: Removal

  @Test func `what is installed, wanted or run is not removed`() {
    for (version, reason) in [("2.0", "is what runs"), ("9.0", "is not known")] {
      var cluster = Self.settled()
      #expect(Self.ask(.removeRelease(version), &cluster)?.contains(reason) == true)
    }
    var cluster = Self.settled()
    cluster.each([4]) { $0.running = Cluster.reference("1.0") }
    #expect(Self.ask(.removeRelease("1.0"), &cluster)?.contains("still runs") == true)
    #expect(cluster.body.releases.count == 3 && cluster.body.collection == nil)
    cluster.die([4])
    #expect(Self.ask(.removeRelease("1.0"), &cluster) == "", "a dead node runs nothing")
  }

  @Test func `a removal takes the version out, and its copies with what else is needed kept`() {
    var cluster = Self.settled()
    #expect(Self.ask(.removeRelease("1.0"), &cluster) == "")
    #expect(cluster.body.releases.map(\.version) == ["2.0", "3.0"])
    #expect(cluster.body.published == [Cluster.reference("2.0")])
    let leader = duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true)
    #expect(leader.collect?.version == "1.0" && leader.collect?.term == 3)
    #expect(leader.collect?.keep == [Cluster.reference("2.0")])
    #expect(
      duty(of: Cluster.nodes[1], committed: cluster.body, term: 3, fetches: false).collect == nil)
    #expect(Self.ask(.collect, &cluster)?.contains("at this moment") == true)

    cluster.sight.collected = CollectOutcome(id: Cluster.plan, text: "removed 1.0-0-0")
    cluster.run()
    #expect(cluster.body.collection?.outcome == "removed 1.0-0-0")
    #expect(
      duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true).collect == nil)
  }

  @Test func `collecting keeps what live nodes run besides what the register names`() {
    var cluster = Self.settled()
    cluster.each([4]) { $0.running = Self.copy("0.9", 0) }
    #expect(Self.ask(.collect, &cluster) == "")
    let order = duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: true).collect
    #expect(
      order?.keep == [Self.copy("0.9", 0), Cluster.reference("1.0"), Cluster.reference("2.0")])
    #expect(order?.version == "")
  }

  @Test func `who keeps its own copies frees what the register does not know any more`() {
    func tidy(_ cluster: Cluster, _ isLocal: Bool = true) -> TidyOrder? {
      duty(
        of: Cluster.nodes[1], committed: cluster.body, term: 3, fetches: false,
        keepsOwnCopies: isLocal
      ).tidy
    }
    var cluster = Self.settled()
    #expect(tidy(cluster) == TidyOrder(versions: ["1.0", "2.0", "3.0"], removal: nil))
    #expect(tidy(cluster, false) == nil, "what others share is not its to free")
    #expect(Self.ask(.removeRelease("1.0"), &cluster) == "")
    #expect(tidy(cluster) == nil, "the leader has yet to say what became of it")
    cluster.sight.collected = CollectOutcome(id: Cluster.plan, text: "removed 1.0-0-0")
    cluster.run()
    #expect(tidy(cluster) == TidyOrder(versions: ["2.0", "3.0"], removal: Cluster.plan))
    #expect(tidy(Cluster.upgrading(phase: .downloading)) == nil)
    cluster.body.repair = ReleaseRepair(
      id: Cluster.plan, term: 3, corrupt: Cluster.reference("2.0"))
    #expect(tidy(cluster) == nil)
  }

  @Test func `all look at a release until everyone who lives has said what it finds`() {
    var cluster = Self.settled()
    #expect(Self.ask(.inspect("3.0"), &cluster)?.contains("is not published") == true)
    #expect(Self.ask(.inspect("1.0"), &cluster) == "")
    func order(_ node: Int) -> InspectionOrder? {
      duty(of: Cluster.nodes[node], committed: cluster.body, term: 3, fetches: false).inspect
    }
    for node in 0..<5 { #expect(order(node)?.release == Cluster.reference("1.0")) }
    cluster.each([0, 1, 2, 3]) { $0.inspected = Cluster.plan }
    cluster.run()
    #expect(order(4) != nil, "one has yet to answer")
    cluster.die([4])
    cluster.run()
    #expect(order(4) == nil && cluster.body.inspection?.isOver == true)
    cluster.sight.freshPlan = PlanID(Bytes16(high: 8, low: 8))
    #expect(Self.ask(.inspect("2.0"), &cluster) == "")
    #expect(order(0)?.release == Cluster.reference("2.0"))
  }

  @Test func `nothing is removed in the middle of a plan`() {
    var cluster = Cluster.upgrading(phase: .prepare)
    #expect(Self.ask(.collect, &cluster)?.contains("wait until it is idle") == true)
    #expect(Self.ask(.removeRelease("2.0"), &cluster)?.contains("wait until it is idle") == true)
  }
}
