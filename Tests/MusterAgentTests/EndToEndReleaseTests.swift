import Glibc
import MusterAgent
import MusterSystem
import Testing

/// Releases from the operator's side: looked at, damaged, repaired and removed.
@Suite struct EndToEndReleaseTests {
  private func cluster(of nodes: Int) throws -> EndToEndCluster {
    let cluster = try EndToEndCluster(expect: nodes)
    for node in 0..<nodes { try cluster.start(node) }
    for node in 0..<nodes {
      #expect(try EndToEndCluster.eventually { try cluster.ask(node, "status").code == 0 })
    }
    try cluster.told(0, "wait", "--leader", "--timeout", "30s")
    return cluster
  }

  private func install(_ version: String, in cluster: EndToEndCluster) throws {
    try cluster.announce(version, by: 0)
    try cluster.told(0, "set", "--cluster", "version", version)
    try cluster.told(0, "wait", "--version", version, "--timeout", "60s")
  }

  private func directories(_ cluster: EndToEndCluster) throws -> [String] {
    try cluster.run("/bin/ls", [cluster.at("shared/releases")]).output
      .split(separator: "\n").map(String.init)
  }

  @Test func `a corrupt copy is named, published again and taken at the next start`() throws {
    let cluster = try cluster(of: 2)
    try install("1.0", in: cluster)
    let good = try cluster.told(1, "release", "verify").output
    #expect(good.contains("as the manifest says"), "\(good)")
    let first = try #require(try directories(cluster).first)
    let services = try cluster.services(1)
    #expect(services.count == 1)

    let damaged = try cluster.run(
      "/bin/sh",
      [
        "-c",
        "chmod u+w \"$1/serve\" && echo '# changed' >> \"$1/serve\" && chmod 555 \"$1/serve\"",
        "sh", cluster.at("shared/releases/\(first)"),
      ])
    #expect(damaged.code == 0, "\(damaged.errors)")
    let bad = try cluster.ask(1, "release", "verify", "1.0")
    #expect(bad.code == 1)
    #expect(bad.output.hasPrefix("serve has "), "\(bad.output)")
    #expect(
      try EndToEndCluster.eventually {
        try cluster.ask(0, "status", "--json").json()["release"]?["repair"]?.integer == 1
      }, "\(cluster.log(0).suffix(900))")
    #expect(try directories(cluster).count == 2)
    #expect(try cluster.services(1) == services, "what runs is not touched")
    try cluster.told(1, "release", "verify")

    // The service falls over: its next start is from the new copy.
    #expect(Glibc.kill(try #require(services.first), SIGKILL) == 0)
    #expect(
      try EndToEndCluster.eventually {
        try cluster.ask(0, "members", "--json").json().array?.contains {
          $0["name"]?.string == "ci/1" && $0["copy"]?.string?.hasSuffix("-1") == true
            && $0["ready"]?.bool == true
        } == true
      }, "\(cluster.log(1).suffix(900))")
    let members = try cluster.ask(0, "members", "--json").json().array ?? []
    #expect(members.contains { $0["copy"]?.string == first }, "the other one runs on")
  }

  @Test func `a release is listed, shown, refused to go while it runs, and removed`() throws {
    let cluster = try cluster(of: 1)
    try install("1.0", in: cluster)
    try install("2.0", in: cluster)
    try cluster.announce("3.0", by: 0)
    let list = try cluster.told(0, "release", "list").output
    #expect(list.contains("current") && list.contains("previous") && list.contains("known"))
    let show = try cluster.told(0, "release", "show", "2.0").output
    #expect(show.contains("1 files") && show.contains("by ci/0 in term"), "\(show)")
    #expect(show.contains("running    ci/0"), "\(show)")

    let refused = try cluster.ask(0, "release", "remove", "2.0")
    #expect(refused.code == 4 && refused.errors.contains("is what runs"), "\(refused)")
    #expect(try directories(cluster).count == 2)
    let kept = try cluster.told(0, "release", "gc").output
    #expect(kept == "nothing to remove\n")
    let removed = try cluster.told(0, "release", "remove", "1.0").output
    #expect(removed.hasPrefix("removed 1.0-"), "\(removed)")
    #expect(try directories(cluster).allSatisfy { $0.hasPrefix("2.0-") })
    #expect(try cluster.ask(0, "release", "show", "1.0").code == 1)
    #expect(try cluster.ask(0, "release", "verify", "3.0").errors.contains("is not published"))
  }

  @Test func `without a shared directory one node fetches, and the others copy from it`() throws {
    let cluster = try EndToEndCluster(expect: 3)
    for node in 0..<3 { try cluster.start(node, ["--shared": "none"]) }
    for node in 0..<3 {
      #expect(try EndToEndCluster.eventually { try cluster.ask(node, "status").code == 0 })
    }
    try cluster.told(0, "wait", "--leader", "--timeout", "30s")
    try install("1.0", in: cluster)
    let copies = try (0..<3).map { node in
      try cluster.run("/bin/ls", [cluster.at("state\(node)/local/releases")]).output
    }
    #expect(Set(copies).count == 1 && copies[0].hasPrefix("1.0-"), "\(copies)")
    for node in 0..<3 { try cluster.told(node, "release", "verify") }
    #expect(
      try EndToEndCluster.eventually {
        try cluster.told(0, "status", "--json").json()["storage"]?["state"]?.string == "ready"
      })
    #expect(try cluster.run("/bin/ls", ["-A", cluster.at("shared")]).output.isEmpty)
    try offersNothingElse(cluster)
    let logs = (0..<3).map { cluster.log($0) }
    #expect(logs.count { $0.contains("fetching 1.0 from its source") } == 1)
    #expect(logs.count { $0.contains("copying 1.0-") } == 2, "\(logs)")
    #expect(logs.allSatisfy { !$0.contains(" for this node") })
  }

  /// What a node hands on has a digest for a name, and nothing else can be asked for.
  private func offersNothingElse(_ cluster: EndToEndCluster) throws {
    func ask(_ path: String, _ options: String...) throws -> String {
      try cluster.run(
        "/usr/bin/curl",
        options + [
          "-s", "--path-as-is", "-w", " %{http_code}", "http://\(cluster.host(1)):7947\(path)",
        ]
      ).output
    }
    let digest = try #require(
      try ask("/metrics").split(separator: "digest=\"").last?.prefix(64))
    let manifest = try ask("/release/\(digest)/manifest")
    #expect(manifest.hasPrefix("muster-manifest 1\n") && manifest.hasSuffix(" 200"), "\(manifest)")
    let file = try #require(manifest.split(separator: "file 0555 ").last?.split(separator: " "))[1]
    #expect(try ask("/release/\(digest)/file/\(file)").contains("exec sleep 600"))
    let zeros = String(repeating: "0", count: 64)
    for path in [
      "/release/", "/release/\(digest)", "/release/\(digest)/", "/release/\(zeros)/manifest",
      "/release/\(digest)/file/\(zeros)", "/release/\(digest)/file/../../../identity",
      "/release/\(digest)/file/%2e%2e%2fmanifest", "/release/\(digest.uppercased())/manifest",
      "/release/\(digest)/manifest/", "/release/\(digest)/file/serve",
    ] {
      #expect(try ask(path).hasSuffix(" 404"), "\(path)")
    }
    #expect(try ask("/release/\(digest)/manifest", "-d", "x").hasSuffix(" 405"))
    #expect(try ask("/release/\(digest)/manifest?x=1").hasSuffix(" 400"))
    #expect(try ask("/metrics").contains("muster_served_files_total"))
  }

  @Test func `what a peer hands out wrong is found, and the source asked`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try cluster.start(0, ["--shared": "none"])
    #expect(try EndToEndCluster.eventually { try cluster.ask(0, "status").code == 0 })
    try cluster.told(0, "wait", "--leader", "--timeout", "30s")
    try install("1.0", in: cluster)
    let directory = try cluster.run(
      "/bin/ls", [cluster.at("state0/local/releases")]
    ).output.dropLast()
    let damaged = try cluster.run(
      "/bin/sh",
      [
        "-c", "chmod u+w \"$1\" && sed -i 's/sleep 600/sleep 601/' \"$1\" && chmod 555 \"$1\"",
        "sh",
        cluster.at("state0/local/releases/\(directory)/serve"),
      ])
    #expect(damaged.code == 0, "\(damaged.errors)")
    try cluster.start(1, ["--shared": "none", "--join": cluster.address(0)])
    #expect(try EndToEndCluster.eventually { try cluster.ask(1, "status").code == 0 })
    #expect(
      try EndToEndCluster.eventually { try cluster.ask(1, "release", "verify").code == 0 })
    let log = cluster.log(1)
    #expect(log.contains("\(cluster.host(0)):7947 is not asked again: "), "\(log)")
    #expect(log.contains("fetching \(directory) for this node"), "\(log)")
  }

  @Test func `what falls over is verified before it starts again`() throws {
    let cluster = try cluster(of: 1)
    try install("1.0", in: cluster)
    let directory = try #require(try directories(cluster).first)
    let service = try #require(try cluster.services(0).first)
    // Nothing can be fetched again, so that the bad copy is all there is.
    _ = try cluster.run("/bin/rm", [cluster.at("1.0.tar.gz")])
    _ = try cluster.run(
      "/bin/sh",
      [
        "-c", "chmod u+w \"$1\" && echo '# changed' >> \"$1\"", "sh",
        cluster.at("shared/releases/\(directory)/serve"),
      ])
    #expect(Glibc.kill(service, SIGKILL) == 0)
    #expect(EndToEndCluster.eventually { cluster.log(0).contains("cannot start \(directory)") })
    let member = try cluster.ask(0, "members", "--json").json().array?.first
    #expect(member?["ready"]?.bool == false && member?["copy"]?.string == nil)
    #expect(
      try EndToEndCluster.eventually {
        try cluster.told(0, "status").output.contains("is corrupt; given up: fetch failed")
      })
  }
}
