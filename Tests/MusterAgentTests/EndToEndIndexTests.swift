import MusterAgent
import MusterSystem
import Testing

/// An index on a real web server says which version is the latest.
@Suite struct EndToEndIndexTests {
  @Test func `a new version is installed by itself, and one that has failed is left alone`() throws
  {
    let cluster = try EndToEndCluster(expect: 2)
    try Files.makeDirectory(cluster.at("web"), mode: 0o755)
    var server: TlsServer? = try TlsServer(cluster.at("web"))
    cluster.variables["SSL_CERT_FILE"] = try #require(server).authority
    for node in 0..<2 { try cluster.start(node) }
    for node in 0..<2 {
      #expect(try EndToEndCluster.eventually { try cluster.ask(node, "status").code == 0 })
    }
    try cluster.told(0, "wait", "--leader", "--timeout", "30s")
    let url = try #require(server).url("good", "index")

    func announce(_ version: String, serve: String = "exec sleep 600") throws {
      let archive = try cluster.pack(version, serve: serve)
      let sum = try cluster.run("/usr/bin/sha256sum", [archive]).output.prefix(64)
      _ = try cluster.run("/bin/mv", [archive, cluster.at("web/\(version).tar.gz")])
      let source = try #require(server).url("good", "\(version).tar.gz")
      try cluster.folder.write(
        "web/index", "muster-index 1\nversion \(version)\nsource \(source)\nsha256 \(sum)\n")
    }
    func says(_ text: String, _ node: Int = 0) throws -> Bool {
      try EndToEndCluster.eventually(within: 40) {
        try cluster.told(node, "status").output.contains(text)
      }
    }

    try announce("1.0")
    #expect(try cluster.ask(0, "release", "follow", "http://a.example/index").code == 2)
    try cluster.told(0, "release", "follow", url, "--every", "10s")
    try cluster.told(1, "wait", "--version", "1.0", "--timeout", "60s")

    // The next one does not stay up, and everyone goes back to what ran.
    try announce("2.0", serve: "exit 3")
    #expect(try says("the last one was given up"), "\(cluster.log(0).suffix(900))")
    try cluster.told(0, "wait", "--version", "1.0", "--timeout", "60s")
    #expect(try says("2.0 is the latest", 1), "the other one hears of it")
    let plans = try cluster.told(0, "events").output.split(separator: "\n")
      .count { $0.contains("downloading") }
    // Another look at once, at the same index.
    try cluster.told(0, "release", "follow", url + "?again", "--every", "10s")
    try cluster.told(0, "wait", "--converged", "--timeout", "30s")
    #expect(try says("2.0 is the latest; \(url)?again"))
    #expect(
      try cluster.told(0, "events").output.split(separator: "\n")
        .count { $0.contains("downloading") } == plans)
    #expect(try cluster.told(0, "status").output.contains("release    1.0"))

    try announce("3.0")
    try cluster.told(0, "wait", "--version", "3.0", "--timeout", "60s")
    server = nil
    #expect(try says("cannot be had"))
    try cluster.told(0, "release", "follow", "off")
    let status = try cluster.told(0, "status").output
    #expect(!status.contains("\nindex") && status.contains("release    3.0"), "\(status)")
  }
}
