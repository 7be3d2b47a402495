import MusterDecisions
import MusterState
import Testing

@Suite struct DeliberationTests {
  @Test func `a quiet cluster decides nothing`() {
    let cluster = Cluster()
    #expect(cluster.next == cluster.body)
  }

  @Test func `the same sight leads to the same decision`() {
    var cluster = Cluster.upgrading(phase: .downloading)
    cluster.die([3])
    #expect(cluster.next == cluster.next)
  }

  @Test func `before the seal nodes are admitted, and nothing else is done`() {
    var cluster = Cluster.upgrading()
    cluster.body.sealed = false
    cluster.body.roster.removeLast()
    let next = cluster.next
    #expect(next.roster == Array(Cluster.nodes.prefix(5)))
    #expect(!next.sealed && next.plan == nil)
    cluster.sight.maySeal = true
    #expect(cluster.next.sealed)
  }

  @Test func `the seal is never taken back`() {
    var cluster = Cluster()
    cluster.sight.maySeal = false
    cluster.die([1, 2, 3, 4])
    #expect(cluster.next.sealed)
  }

  @Test func `being dead loses nobody its place; leaving does`() {
    var cluster = Cluster()
    cluster.die([4], since: 1 << 40)
    #expect(cluster.next.roster == cluster.body.roster)
    cluster.each([3]) { $0.isLeaving = true }
    #expect(cluster.next.roster == [0, 1, 2, 4].map { Cluster.nodes[$0] })
  }

  @Test func `who is forgotten or dead is not admitted`() {
    var cluster = Cluster()
    cluster.body.roster = Array(Cluster.nodes.prefix(3))
    cluster.body.forgotten = [Cluster.nodes[3]]
    cluster.die([4])
    #expect(cluster.next.roster == Array(Cluster.nodes.prefix(3)))
  }

  @Test func `the leader is web and all others are workers`() {
    var cluster = Cluster()
    cluster.sight.leader = Cluster.nodes[2]
    let next = cluster.next
    #expect(next.role(of: Cluster.nodes[2]) == .web)
    #expect(next.roles.filter { $0 == .worker }.count == 4)
  }

  // MARK: - Requests

  private func answer(_ cluster: inout Cluster, _ action: Request.Action) -> String? {
    cluster.sight.requests = [Request(node: Cluster.nodes[1], nonce: 9, action: action)]
    let next = cluster.next
    cluster.body = next
    let answer = next.answers.last
    #expect(answer?.node == Cluster.nodes[1] && answer?.nonce == 9)
    return answer?.refusal
  }

  @Test func `a setting is set, changed and deleted`() {
    var cluster = Cluster()
    #expect(answer(&cluster, .set(Setting(key: "b", value: "1"))) == "")
    #expect(answer(&cluster, .set(Setting(key: "a", value: "2"))) == "")
    #expect(answer(&cluster, .set(Setting(key: "b", value: "3"))) == "")
    #expect(cluster.body.settings.map(\.key) == ["a", "b"])
    #expect(cluster.body.setting("b") == "3")
    #expect(answer(&cluster, .set(Setting(key: "b", value: ""))) == "")
    #expect(cluster.body.setting("b") == nil)
  }

  @Test func `at its limits a request is refused and says what to do`() {
    var cluster = Cluster()
    cluster.body.settings = (0..<Limits.settings).map { Setting(key: "k\($0)", value: "v") }
      .sorted { $0.key < $1.key }
    let refusal = answer(&cluster, .set(Setting(key: "more", value: "1")))
    #expect(refusal?.contains("delete one first") == true)
    #expect(answer(&cluster, .set(Setting(key: "k0", value: "2"))) == "")
    cluster.body.releases = (0..<Limits.releases).map { Cluster.source("\($0)") }
    #expect(answer(&cluster, .addRelease(Cluster.source("5"))) == "")
    #expect(answer(&cluster, .addRelease(Cluster.source("x")))?.contains("remove one") == true)
  }

  @Test func `a version that nobody added, or while a plan runs, is refused`() {
    var cluster = Cluster.upgrading(phase: .prepare)
    let refusal = answer(&cluster, .set(Setting(key: "version", value: "1.0")))
    #expect(refusal?.contains("prepare") == true)
    cluster = Cluster.upgrading()
    cluster.body.failure = "kept"
    let unknown = answer(&cluster, .set(Setting(key: "version", value: "9.9")))
    #expect(unknown?.contains("muster release add 9.9") == true)
    #expect(cluster.body.failure == "kept")
  }

  @Test func `a published version never changes its archive`() {
    var cluster = Cluster.upgrading()
    cluster.body.settings = []
    #expect(answer(&cluster, .addRelease(Cluster.one)) == "")
    #expect(answer(&cluster, .addRelease(Cluster.source("1.0", archive: 8))) != "")
    #expect(answer(&cluster, .addRelease(Cluster.source("2.0", archive: 8))) == "")
    #expect(cluster.body.releases.last == Cluster.source("2.0", archive: 8))
  }

  @Test func `a live node is forgotten only with the authority's word`() {
    var cluster = Cluster()
    let (node, leader) = (Cluster.nodes[3], Cluster.nodes[0])
    #expect(answer(&cluster, .forget(node, isAuthorised: false))?.contains("alive") == true)
    #expect(answer(&cluster, .forget(leader, isAuthorised: true))?.contains("leader") == true)
    #expect(answer(&cluster, .forget(node, isAuthorised: true)) == "")
    #expect(cluster.body.forgotten == [node])
    #expect(!cluster.body.roster.contains(node))
    #expect(answer(&cluster, .forget(node, isAuthorised: true)) == "")
    cluster.die([4])
    #expect(answer(&cluster, .forget(Cluster.nodes[4], isAuthorised: false)) == "")
    #expect(cluster.body.forgotten == [node, Cluster.nodes[4]])
  }

  @Test func `only the newest answers are kept`() {
    var cluster = Cluster()
    for nonce in 1...UInt64(Limits.answers + 3) {
      cluster.sight.requests = [
        Request(
          node: Cluster.nodes[1], nonce: nonce, action: .set(Setting(key: "a", value: "1")))
      ]
      cluster.body = cluster.next
    }
    #expect(cluster.body.answers.map(\.nonce) == Array(4...UInt64(Limits.answers + 3)))
  }
}
