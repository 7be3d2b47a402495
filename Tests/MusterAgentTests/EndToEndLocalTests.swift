import Glibc
import MusterAgent
import MusterSystem
import Testing

/// Nodes that keep copies of their own.
@Suite struct EndToEndLocalTests {
  /// - Parameter shared: of each node: whether it has the shared directory.
  private func cluster(_ shared: [Bool]) throws -> EndToEndCluster {
    let cluster = try EndToEndCluster(expect: shared.count)
    for node in shared.indices { try start(node, cluster, isShared: shared[node]) }
    for node in shared.indices {
      #expect(try EndToEndCluster.eventually { try cluster.ask(node, "status").code == 0 })
    }
    try cluster.told(0, "wait", "--leader", "--timeout", "30s")
    return cluster
  }

  private func start(_ node: Int, _ cluster: EndToEndCluster, isShared: Bool = false) throws {
    try cluster.start(node, isShared ? [:] : ["--shared": "none"])
  }

  private func install(_ version: String, in cluster: EndToEndCluster) throws {
    try cluster.announce(version, by: 0)
    try cluster.told(0, "set", "--cluster", "version", version)
    try cluster.told(0, "wait", "--version", version, "--timeout", "60s")
  }

  private func copies(_ node: Int, _ cluster: EndToEndCluster) throws -> [Substring] {
    try cluster.run("/bin/ls", [cluster.at("state\(node)/local/releases")]).output
      .split(separator: "\n").map { $0.prefix { $0 != "-" } }
  }

  @Test func `a removed release goes from every node, also from one that was away`() throws {
    let cluster = try cluster([false, false, false])
    try install("1.0", in: cluster)
    try install("2.0", in: cluster)
    for node in 0..<3 {
      #expect(
        try EndToEndCluster.eventually { try copies(node, cluster) == ["1.0", "2.0"] },
        "\(cluster.log(node).suffix(600))")
    }
    _ = try cluster.kill(2)
    let removed = try cluster.told(0, "release", "remove", "1.0").output
    #expect(removed.hasPrefix("removed 1.0-"), "\(removed)")
    for node in 0..<2 {
      #expect(
        try EndToEndCluster.eventually { try copies(node, cluster) == ["2.0"] },
        "\(cluster.log(node).suffix(600))")
      try cluster.told(node, "release", "verify")
    }
    #expect(try copies(2, cluster) == ["1.0", "2.0"])
    try start(2, cluster)
    #expect(
      try EndToEndCluster.eventually { try copies(2, cluster) == ["2.0"] },
      "\(cluster.log(2).suffix(600))")
    // It comes back with the next wish for it.
    try cluster.announce("1.0", archive: cluster.at("1.0.tar.gz"), by: 0)
    try cluster.told(0, "set", "--cluster", "version", "1.0")
    try cluster.told(0, "wait", "--version", "1.0", "--timeout", "60s")
    for node in 0..<3 { try cluster.told(node, "release", "verify") }
  }

  @Test func `where some share and some do not, one that shares has to lead`() throws {
    let cluster = try cluster([true, true, false])
    func lead(_ node: Int) throws {
      #expect(
        try EndToEndCluster.eventually(within: 60) {
          let leader = try cluster.ask(0, "status", "--json").json()["leader"]?.string
          if leader == "ci/\(node)" { return true }
          _ = try cluster.ask(0, "leader", "step-down", "--to", "ci/\(node)")
          return false
        }, "\(cluster.log(node).suffix(600))")
    }
    try lead(2)
    try cluster.announce("1.0", by: 0)
    #expect(
      try EndToEndCluster.eventually {
        let members = try cluster.ask(2, "members", "--json").json().array ?? []
        return members.allSatisfy { $0["storage"]?.string != nil }
          && members.contains { $0["own_copies"]?.bool == true }
      })
    let refused = try cluster.ask(0, "upgrade", "1.0")
    #expect(refused.code == 4 && refused.errors.contains("keeps its own copies"), "\(refused)")
    let dry = try cluster.ask(1, "upgrade", "1.0", "--dry-run")
    #expect(dry.output.contains("keeps its own copies"), "\(dry)")
    #expect(try cluster.told(0, "status").output.contains("plan       idle"))
    try lead(0)
    try cluster.told(0, "upgrade", "1.0")
    for node in 0..<3 {
      try cluster.told(node, "wait", "--version", "1.0", "--timeout", "60s")
      try cluster.told(node, "release", "verify")
    }
    #expect(try copies(2, cluster) == ["1.0"])
  }

  @Test func `every node looks at what it runs from, and each says what it finds`() throws {
    let cluster = try cluster([false, false, false])
    try install("1.0", in: cluster)
    for node in 0..<3 {
      #expect(try EndToEndCluster.eventually { try copies(node, cluster) == ["1.0"] })
    }
    let good = try cluster.told(0, "release", "verify", "--all", "--timeout", "30s").output
    for node in 0..<3 { #expect(good.contains("ci/\(node)  right"), "\(good)") }

    let leader = try cluster.ask(0, "status", "--json").json()["leader"]?.string
    let mute = try #require((1..<3).first { "ci/\($0)" != leader })
    #expect(Glibc.kill(try cluster.pid(mute), SIGSTOP) == 0)
    let silent = try cluster.ask(0, "release", "verify", "1.0", "--all", "--timeout", "1s")
    #expect(Glibc.kill(try cluster.pid(mute), SIGCONT) == 0)
    #expect(silent.code == 3 && silent.output.contains("ci/\(mute)  mute"), "\(silent)")
    #expect(silent.errors.contains("ci/\(mute) has not said"), "\(silent)")

    // Nobody can bring another copy.
    _ = try cluster.run("/bin/rm", [cluster.at("1.0.tar.gz")])
    let damaged = try cluster.run(
      "/bin/sh",
      [
        "-c", "chmod u+w \"$1\"/1.0-*/serve && echo >>\"$(echo \"$1\"/1.0-*/serve)\"", "sh",
        cluster.at("state\(mute)/local/releases"),
      ])
    #expect(damaged.code == 0, "\(damaged.errors)")
    let bad = try cluster.ask(0, "release", "verify", "--all", "--timeout", "30s")
    #expect(bad.code == 1 && bad.output.contains("ci/\(mute)  wrong"), "\(bad)")
    #expect(bad.output.contains("serve has "), "\(bad)")
    #expect(bad.errors.contains("is not right on ci/\(mute)"), "\(bad)")
    #expect(try cluster.ask(0, "release", "verify", "--timeout", "1s").code == 2)
  }
}
