import MusterAgent
import MusterSystem
import Testing

/// Upgrades of real agents and services, wave by wave.
@Suite struct EndToEndUpgradeTests {
  private func cluster(of nodes: Int) throws -> EndToEndCluster {
    let cluster = try EndToEndCluster(expect: nodes)
    for node in 0..<nodes { try cluster.start(node) }
    for node in 0..<nodes {
      #expect(try EndToEndCluster.eventually { try cluster.ask(node, "status").code == 0 })
    }
    try cluster.told(0, "wait", "--members", "\(nodes)", "--leader", "--timeout", "40s")
    try cluster.announce("1.0", by: 0)
    try cluster.told(0, "upgrade", "1.0")
    try cluster.told(0, "wait", "--version", "1.0", "--timeout", "60s")
    return cluster
  }

  private func plan(of node: Int, in cluster: EndToEndCluster) throws -> Json {
    try cluster.told(node, "upgrade", "status", "--json").json()
  }

  @Test(.timeLimit(.minutes(4)))
  func `a release that fails in its second wave goes back everywhere`() throws {
    let cluster = try cluster(of: 3)
    // The first to start it runs; every other ends at once.
    let serve = "mkdir '\(cluster.at("taken"))' 2>/dev/null && exec sleep 600; exit 7"
    try cluster.announce("2.0", by: 1, serve: serve)
    let dry = try cluster.told(2, "upgrade", "2.0", "--batch", "2", "--dry-run").output
    #expect(dry.contains("wave 2: ") && !dry.contains("wave 3: "), "\(dry)")
    #expect(try plan(of: 0, in: cluster)["phase"]?.string == "idle")

    try cluster.told(2, "upgrade", "2.0", "--batch", "2")
    let second = try cluster.ask(1, "upgrade", "2.0")
    #expect(second.code == 4 && second.errors.contains("to 2.0 is "), "\(second)")
    let watch = try cluster.ask(0, "upgrade", "status", "--watch")
    #expect(watch.code == 1, "\(watch) \(cluster.log(0).suffix(900))")
    #expect(watch.output.contains("wave 2 of 2"), "\(watch.output)")
    #expect(watch.errors.contains("ended with exit 7") || watch.errors.contains("7"))

    for node in 0..<3 {
      try cluster.told(node, "wait", "--version", "1.0", "--timeout", "30s")
      let log = cluster.log(node)
      #expect(log.contains("rolling-back"), "\(log.suffix(900))")
    }
    let fetches = (0..<3).map { cluster.log($0) }.joined()
      .split(separator: "\n").count { $0.contains("fetching ") }
    #expect(fetches == 2, "one download of each release")
    #expect(cluster.folder.read("taken/none") == nil)
    let failure = try plan(of: 2, in: cluster)["failure"]?.string ?? ""
    #expect(failure.contains("idle: ended with"), "\(failure)")

    // The next one is good, and meets the nodes in two waves.
    try cluster.announce("3.0", by: 0)
    try cluster.told(1, "upgrade", "3.0", "--batch", "2")
    let good = try cluster.ask(0, "upgrade", "status", "--watch")
    #expect(good.code == 0, "\(good)")
    for node in 0..<3 { try cluster.told(node, "wait", "--version", "3.0", "--timeout", "30s") }
  }

  @Test(.timeLimit(.minutes(4)))
  func `a paused upgrade waits for its operator, and an aborted one goes back`() throws {
    let cluster = try cluster(of: 2)
    try cluster.announce("2.0", by: 0, serve: "sleep 0.5; exec sleep 600")
    try cluster.told(0, "upgrade", "2.0", "--batch", "one-by-one")
    try cluster.told(1, "upgrade", "pause")
    #expect(
      try EndToEndCluster.eventually {
        let plan = try plan(of: 0, in: cluster)
        let said = (plan["participants"]?.array ?? []).map { $0["acknowledgement"]?.string }
        return plan["paused"]?.bool == true
          && !(plan["participants"]?.array ?? []).contains {
            $0["awaited"]?.bool == true
          } && said.allSatisfy { $0 != nil }
      }, "\(cluster.log(0).suffix(900))")
    try cluster.told(0, "upgrade", "abort")
    #expect(
      try EndToEndCluster.eventually { try plan(of: 1, in: cluster)["phase"]?.string == "idle" })
    try cluster.told(1, "wait", "--version", "1.0", "--timeout", "30s")
    #expect(try plan(of: 1, in: cluster)["failure"]?.string == "an operator aborted it")
    #expect(try cluster.ask(0, "upgrade", "resume").code == 4)
  }
}
