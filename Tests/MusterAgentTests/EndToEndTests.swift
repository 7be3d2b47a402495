import Glibc
import MusterAgent
import MusterSystem
import Testing

/// Real agents, and the command line as its users have it.
@Suite(.serialized) struct EndToEndTests {
  private static let web = """
    services:
      page:
        roles: [web, worker]
        command: [serve, "{{node.host}}"]
        version: [serve, version]
        ready: {http: "http://{{node.host}}:8080/", interval: 100ms}
        stop: {signal: TERM, limit: 5s}
    """
  private static let server =
    "exec python3 -m http.server --bind \"$1\" 8080 >/dev/null 2>&1"

  private func keys(_ json: Json?) -> Set<String> {
    guard case .object(let members)? = json else { return [] }
    return Set(members.map(\.key))
  }

  @Test(.timeLimit(.minutes(3)))
  func `three agents form a cluster and say so in every field`() throws {
    let cluster = try EndToEndCluster(expect: 3)
    try cluster.folder.write("muster.yaml", Self.web)
    for node in 1...3 { try cluster.start(node) }
    for node in 1...3 {
      try cluster.told(
        node, "wait", "--members", "3", "--leader", "--role", "web=1", "--role", "worker=2",
        "--timeout", "40s")
    }
    try cluster.announce("1.0", by: 1, serve: Self.server)
    try cluster.told(2, "set", "--cluster", "version", "1.0")
    for node in 1...3 {
      try cluster.told(
        node, "wait", "--version", "1.0", "--converged", "--timeout", "60s")
    }
    try checkMembers(cluster)
    try checkStatus(cluster)
    try checkValues(cluster)
    try checkEvents(cluster)
    try checkPages(cluster)
    try checkDeparture(cluster)
  }

  private func checkMembers(_ cluster: EndToEndCluster) throws {
    let members = try #require(try cluster.told(1, "members", "--json").json().array)
    #expect(members.map { $0["name"]?.string } == ["ci/1", "ci/2", "ci/3"])
    for (index, member) in members.enumerated() {
      #expect(member["id"]?.string?.count == 32)
      #expect(member["address"]?.string == cluster.address(index + 1))
      #expect(member["state"]?.string == "alive")
      #expect(member["incarnation"]?.integer == 1)
      #expect(["web", "worker"].contains(member["role"]?.string))
      #expect(member["leader"]?.bool == (member["role"]?.string == "web"))
      #expect(member["version"]?.string == "1.0")
    }
    #expect(members.count { $0["leader"]?.bool == true } == 1)
  }

  private func checkStatus(_ cluster: EndToEndCluster) throws {
    let status = try cluster.told(2, "status", "--json").json()
    #expect(status["cluster"]?.string == "demo")
    #expect(status["node"]?.string == "ci/2")
    #expect(status["term"]?.integer ?? 0 >= 1)
    #expect(status["leader"]?.string?.hasPrefix("ci/") == true)
    #expect(status["lease"]?["holder"] == status["leader"])
    #expect(status["lease"]?["valid"]?.bool == true)
    #expect(status["converged"]?["members"]?.integer == 3)
    #expect(keys(status["converged"]).isSuperset(of: ["agree", "members", "since"]))
    #expect(status["release"]?["version"]?.string == "1.0")
    #expect(status["release"]?["digest"]?.string?.count == 64)
    #expect(status["plan"]?["phase"]?.string == "idle")
    #expect(status["plan"]?["failure"] == .null)
  }

  private func checkValues(_ cluster: EndToEndCluster) throws {
    let done = try cluster.told(1, "set", "colour", "green", "--json").json()
    #expect(done["done"]?.bool == true)
    for node in 1...3 {
      #expect(
        try EndToEndCluster.eventually {
          let got = try cluster.ask(node, "get", "ci/1", "colour", "--json")
          return got.code == 0 ? try got.json()["value"]?.string == "green" : false
        })
    }
    let version = try cluster.told(3, "get", "cluster", "version", "--json").json()
    #expect(version["value"]?.string == "1.0")
    let waited = try cluster.told(1, "wait", "--leader", "--json").json()
    #expect(waited["met"]?.bool == true)
  }

  private func checkEvents(_ cluster: EndToEndCluster) throws {
    let lines = try cluster.told(1, "events", "--replay", "--json").output
      .split(separator: "\n")
    let events = try lines.map { try Json(reading: Array($0.utf8)) }
    for event in events {
      #expect(event["kind"]?.string?.isEmpty == false)
      #expect(event["at"]?.string?.hasSuffix("Z") == true)
      #expect(keys(event).contains("node"))
    }
    let kinds = Set(events.compactMap { $0["kind"]?.string })
    let wanted: Set<String> = [
      "member-alive", "leader-changed", "role-changed", "record-updated", "release-verified",
      "plan-complete", "service-ready",
    ]
    #expect(wanted.subtracting(kinds).isEmpty)
    // What starts is named as soon as it starts, and not only once it is ready.
    let starts = events.filter { $0["kind"]?.string == "service-starting" }
    #expect(!starts.isEmpty)
    #expect(starts.allSatisfy { $0["version"]?.string?.isEmpty == false })
  }

  private func page(_ cluster: EndToEndCluster, _ path: String) throws -> String {
    // The stream of events has no end: what comes in a second is enough.
    let limit = path.hasPrefix("/events") ? "1" : "10"
    return try cluster.run(
      "/usr/bin/env",
      ["curl", "-s", "-m", limit, "http://\(cluster.host(1)):7947\(path)"]
    ).output
  }

  private func checkPages(_ cluster: EndToEndCluster) throws {
    let health = try Json(reading: Array(try page(cluster, "/health").utf8))
    #expect(health["status"]?.string == "healthy")
    let status = try Json(reading: Array(try page(cluster, "/status").utf8))
    #expect(status["node"]?.string == "ci/1")
    #expect(try page(cluster, "/metrics").contains("# HELP muster_"))
    #expect(try page(cluster, "/events?replay").contains("\"kind\""))
  }

  private func checkDeparture(_ cluster: EndToEndCluster) throws {
    let leader = try #require(
      try cluster.told(1, "status", "--json").json()["leader"]?.string?.last?.wholeNumberValue)
    let others = [1, 2, 3].filter { $0 != leader }
    let refused = try cluster.ask(leader, "forget", "ci/\(others[0])")
    #expect(refused.code == 4 && refused.isOneLine && refused.line.contains("--authority KEY"))
    let left = try cluster.told(others[0], "leave", "--json").json()
    #expect(left["done"]?.bool == true)
    #expect(try cluster.end(others[0]) == .exited(0))
    try cluster.told(leader, "wait", "--members", "2", "--timeout", "20s")
    let forgotten = try cluster.told(
      leader, "forget", "ci/\(others[1])", "--authority", cluster.at("made/authority.key"),
      "--json")
    #expect(try forgotten.json()["done"]?.bool == true)
    #expect(try cluster.end(others[1]) == .exited(4))
    #expect(cluster.log(others[1]).contains("has declared this node gone"))
  }

  private static let hasPromtool = unsafe access("/usr/bin/promtool", X_OK) == 0
  private static let isContinuous = unsafe getenv("CI") != nil

  @Test(
    .enabled(if: hasPromtool || isContinuous, "promtool of the package prometheus is not here"))
  func `promtool finds nothing to say about the pages of an agent`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    let checked = try cluster.run(
      "/bin/sh",
      ["-c", "curl -sf http://\(cluster.host(1)):7947/metrics | promtool check metrics"])
    #expect(checked.code == 0)
    #expect(checked.output + checked.errors == "")
  }

  @Test(.timeLimit(.minutes(2)), arguments: [SIGKILL, SIGTERM])
  func `no service outlives its agent, however that ends`(_ signal: Int32) throws {
    let cluster = try EndToEndCluster(expect: 1)
    // Paths of the working directory: services run elsewhere and must find them, too.
    try cluster.start(1, ["--state": "state1", "--shared": "shared"])
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    try cluster.announce("1.0", by: 1)
    try cluster.told(1, "set", "--cluster", "version", "1.0")
    try cluster.told(1, "wait", "--version", "1.0", "--timeout", "40s")
    let services = try cluster.services(1)
    try #require(services.count == 1, "a service runs: \(services)")
    let status = try cluster.kill(1, signal)
    #expect(status == (signal == SIGKILL ? .signalled(SIGKILL) : .exited(0)))
    #expect(
      EndToEndCluster.eventually {
        services.allSatisfy { unsafe access("/proc/\($0)/stat", F_OK) != 0 }
      })
  }
}
