import MusterDecisions
import MusterState
import Testing

@Suite struct UpgradeRequestTests {
  private func ask(_ action: Request.Action, of cluster: Cluster) -> (RegisterBody, String) {
    var cluster = cluster
    cluster.sight.requests = [Request(node: Cluster.nodes[1], nonce: 9, action: action)]
    let next = cluster.next
    return (next, next.answers.last?.refusal ?? "not answered")
  }

  private var idle: Cluster {
    var cluster = Cluster.upgrading()
    cluster.body.settings = [Setting(key: "version", value: "1.0")]
    return cluster
  }

  @Test func `an upgrade begins a plan in the way that was asked for`() {
    let options = UpgradeOptions(batch: .count(1), policy: .abort)
    let (body, refusal) = ask(.upgrade("2.0", options), of: idle)
    #expect(refusal.isEmpty && body.setting("version") == "2.0")
    #expect(body.plan?.policy == .abort && body.plan?.lastWave == 4)
  }

  @Test func `setting the version is the same, all at once`() {
    let set = ask(.set(Setting(key: "version", value: "2.0")), of: idle)
    let upgrade = ask(.upgrade("2.0", UpgradeOptions()), of: idle)
    #expect(set.0 == upgrade.0 && set.1 == upgrade.1)
    #expect(set.0.plan?.waves == [])
  }

  @Test func `a second upgrade is refused with the first one's name and phase`() {
    let busy = Cluster.upgrading(phase: .prepare)
    for action in [
      Request.Action.upgrade("2.0", UpgradeOptions()),
      .set(Setting(key: "version", value: "2.0")),
    ] {
      let (_, refusal) = ask(action, of: busy)
      #expect(refusal.contains("plan 00000000 to 2.0 is prepare"), "\(refusal)")
    }
  }

  @Test func `of several that come in one turn the first is done and the others hear of it`() {
    var cluster = idle
    cluster.body.releases.append(Cluster.source("3.0"))
    cluster.sight.requests = ["2.0", "3.0", "2.0"].enumerated().map { index, version in
      Request(
        node: Cluster.nodes[index], nonce: 1,
        action: index == 2
          ? .upgrade(version, UpgradeOptions(stopsFirst: true))
          : .set(Setting(key: "version", value: version)))
    }
    let next = cluster.next
    #expect(next.plan?.to.version == "2.0" && next.plan?.stopsFirst == false)
    #expect(next.answers.map(\.refusal.isEmpty) == [true, false, false])
    for answer in next.answers.dropFirst() {
      #expect(answer.refusal.contains("plan 00000000 to 2.0 begins"), "\(answer.refusal)")
    }
  }

  @Test(arguments: [
    ("lost: check the mount", 3, true), ("not-shared", 3, true), ("full", 3, false),
    ("full", 0, true), ("read-only", 3, false), ("read-only", 0, true), ("waiting", 3, false),
  ])
  func `storage that cannot take a release forbids an upgrade`(
    word: String, place: Int, forbids: Bool
  ) {
    var cluster = idle
    cluster.each([place]) { $0.storage = word }
    let (body, refusal) = ask(.upgrade("2.0", UpgradeOptions()), of: cluster)
    #expect(refusal.contains(Cluster.nodes[place].short) == forbids, "\(refusal)")
    #expect((body.plan == nil) == forbids)
    cluster.die([place])
    #expect(ask(.upgrade("2.0", UpgradeOptions()), of: cluster).1.isEmpty || place == 0)
  }

  @Test func `what is in the way everywhere is named for a few nodes and counted for the rest`() {
    var cluster = idle
    for place in 0..<5 { cluster.each([place]) { $0.storage = "lost: disk \(place)" } }
    let short = ask(.upgrade("2.0", UpgradeOptions()), of: cluster).1
    #expect(short.contains("disk 2; and 2 more") && !short.contains("disk 3"), "\(short)")
    cluster.each(Array(0..<5)) { $0.storage = "lost: " + String(repeating: "ä", count: 90) }
    let (body, long) = ask(.upgrade("2.0", UpgradeOptions()), of: cluster)
    #expect((Limits.reasonBytes - 1...Limits.reasonBytes).contains(long.utf8.count), "\(long)")
    #expect(body.answers.last?.refusal == long)
  }

  @Test func `a leader with copies of its own publishes nothing for those that share`() {
    var cluster = idle
    cluster.each([0, 1, 2, 3, 4]) { $0.storage = "ready" }
    cluster.each([0, 3]) { $0.keepsOwnCopies = true }
    func isRefused(_ action: Request.Action, _ cluster: Cluster) -> Bool {
      let (body, refusal) = ask(action, of: cluster)
      return refusal.contains("step-down --to NODE") && body.plan == nil && body.repair == nil
    }
    let upgrade = Request.Action.upgrade("2.0", UpgradeOptions())
    for action in [upgrade, .repairRelease("1.0"), .removeRelease("2.0"), .collect] {
      #expect(isRefused(action, cluster), "\(action)")
    }
    let (_, refusal) = ask(upgrade, of: cluster)
    let named = refusal.split(separator: Cluster.nodes[0].short, omittingEmptySubsequences: false)
    #expect(named.count == 5, "who leads, and the three that share: \(refusal)")
    var first = cluster
    first.body.current = nil
    first.body.published = []
    #expect(isRefused(upgrade, first), "also before anything runs")
    var published = cluster
    published.body.published.append(Cluster.reference("2.0"))
    #expect(ask(upgrade, of: published).1.isEmpty, "the way back needs nobody who publishes")
    cluster.die([1, 2, 4])
    #expect(ask(upgrade, of: cluster).1.isEmpty, "those that live all keep their own")
    cluster.each([0]) { $0.keepsOwnCopies = false }
    #expect(ask(upgrade, of: cluster).1.isEmpty, "who shares can publish for all")
  }

  @Test func `a plan whose successor cannot publish is given up with the reason`() {
    var cluster = Cluster.upgrading(phase: .downloading, hasReference: false)
    cluster.each([0, 1, 2, 3, 4]) { $0.storage = "ready" }
    cluster.each([0]) { $0.keepsOwnCopies = true }
    cluster.run()
    #expect(cluster.body.plan == nil && cluster.body.setting("version") == "1.0")
    #expect(cluster.body.failure.contains("keeps its own copies"), "\(cluster.body.failure)")
    cluster.body.settings = [Setting(key: "version", value: "2.0")]
    cluster.body.failure = ""
    cluster.run()
    #expect(cluster.body.plan == nil, "no plan begins that would have to be given up")
    cluster.each([0]) { $0.keepsOwnCopies = false }
    #expect(cluster.next.plan != nil)
  }

  @Test func `what does not fit is refused before it is fetched`() {
    var cluster = idle
    cluster.body.releases[1].unpackedBytes = 1_000
    cluster.each([2]) { $0.freeBytes = 999 }
    let (_, refusal) = ask(.upgrade("2.0", UpgradeOptions()), of: cluster)
    #expect(refusal.contains("999 bytes are free"))
    cluster.body.published.append(Cluster.reference("2.0"))
    #expect(ask(.upgrade("2.0", UpgradeOptions()), of: cluster).1.isEmpty)
  }

  @Test func `a daemon that knows no waves is asked for none`() {
    var cluster = idle
    cluster.each([2]) { $0.knowsWaves = false }
    let waves = UpgradeOptions(batch: .percent(20))
    #expect(ask(.upgrade("2.0", waves), of: cluster).1.contains("knows no waves"))
    #expect(ask(.upgrade("2.0", UpgradeOptions()), of: cluster).1.isEmpty)
    let both = UpgradeOptions(batch: .count(1), stopsFirst: true)
    #expect(ask(.upgrade("2.0", both), of: idle).1.contains("leave out one of"))
  }

  @Test(arguments: [(nil, 120_000), ("20", 20_000), ("1", 120_000), ("soon", 120_000)])
  func `operators say for how long a mute node is waited for`(text: String?, limit: Int64) {
    var cluster = Cluster.upgrading(phase: .downloading)
    if let text {
      cluster.body.settings.append(
        Setting(key: DeliberationLimits.acknowledgementKey, value: text))
    }
    cluster.say(.verified, [0, 1, 2, 3])
    cluster.sight.phaseMilliseconds = limit - 1
    #expect(cluster.next.plan?.overtaken == [])
    cluster.sight.phaseMilliseconds = limit
    #expect(cluster.next.plan?.overtaken == [Cluster.nodes[4]])
  }

  // MARK: What an index names

  private var following: Cluster {
    var cluster = idle
    cluster.body.settings.append(Setting(key: IndexOrder.urlKey, value: "https://a.example/i"))
    return cluster
  }

  @Test func `a version that an index names is added and installed in one step, once`() {
    let three = Cluster.source("3.0")
    var cluster = following
    cluster.body.settings.sort { $0.key < $1.key }
    let (body, refusal) = ask(.follow(three), of: cluster)
    #expect(refusal.isEmpty && body.plan?.to == three && body.setting("version") == "3.0")
    #expect(body.releases.contains(three))

    // It fails and is given up: the index goes on naming it.
    var failed = cluster
    failed.body = body
    failed.body.plan = nil
    failed.body.failure = "node 1: not ready in time"
    failed.body.settings = cluster.body.settings
    let again = ask(.follow(three), of: failed)
    #expect(again.1.isEmpty && again.0.plan == nil && again.0.setting("version") == "1.0")
    #expect(ask(.follow(Cluster.two), of: cluster).0.plan == nil, "an operator has added it")
    #expect(ask(.follow(three), of: idle).1.contains("no index is followed"))
  }

  @Test func `what may not be installed is not added either`() {
    var cluster = following
    cluster.each([3]) { $0.storage = "lost" }
    let (body, refusal) = ask(.follow(Cluster.source("3.0")), of: cluster)
    #expect(refusal.contains("its storage is lost"))
    #expect(body.releases == cluster.body.releases && body.plan == nil)
    let busy = Cluster.upgrading(phase: .prepare)
    var other = following
    other.body.plan = busy.body.plan
    #expect(ask(.follow(Cluster.source("3.0")), of: other).1.contains("is prepare"))
  }

  @Test func `only the effective leader looks, between two plans, at a bounded rate`() {
    func order(_ cluster: Cluster, fetches: Bool = true) -> IndexOrder? {
      duty(of: Cluster.nodes[0], committed: cluster.body, term: 3, fetches: fetches).index
    }
    var cluster = following
    #expect(
      order(cluster)
        == IndexOrder(
          url: "https://a.example/i", signer: "", seconds: 300, known: ["1.0", "2.0"]))
    #expect(order(cluster, fetches: false) == nil && order(idle) == nil)
    for (text, seconds) in [("60", 60), ("1", 10), ("x", 300), ("99999999", 604_800)] {
      cluster.body.settings.removeAll { $0.key == IndexOrder.intervalKey }
      cluster.body.settings.append(Setting(key: IndexOrder.intervalKey, value: text))
      #expect(order(cluster)?.seconds == Int64(seconds))
    }
    cluster.body.plan = Cluster.upgrading(phase: .prepare).body.plan
    #expect(order(cluster) == nil)
  }

  @Test func `a plan can be paused, resumed and aborted, and no other than that`() {
    let busy = Cluster.upgrading(phase: .prepare)
    #expect(ask(.steer(.pause, nil), of: busy).0.plan?.isPaused == true)
    #expect(ask(.steer(.pause, Cluster.plan), of: busy).0.plan?.isPaused == true)
    #expect(ask(.steer(.pause, PlanID(.zero)), of: busy).1.contains("no such upgrade"))
    #expect(ask(.steer(.resume, nil), of: idle).1.contains("no such upgrade"))
    let aborted = ask(.steer(.abort, nil), of: busy).0
    #expect(aborted.plan?.phase == .rollingBack && aborted.failure.contains("operator"))
    let early = ask(.steer(.abort, nil), of: Cluster.upgrading(phase: .downloading)).0
    #expect(early.plan == nil && early.setting("version") == "1.0")
    let late = ask(.steer(.pause, nil), of: Cluster.upgrading(phase: .rollingBack))
    #expect(late.1.contains("rolling back already"))
  }
}
