import Glibc
import MusterAgent
import MusterSystem
import Testing

/// What operators and machines get wrong: one clear line, the right exit code, an unharmed state.
@Suite(.serialized) struct EndToEndBadInputTests {
  private func expect(
    _ outcome: EndToEndCluster.Outcome, _ code: Int32, _ parts: String...,
    at place: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.code == code, "\(outcome.errors)", sourceLocation: place)
    #expect(
      outcome.isOneLine, "\(outcome.output)\(outcome.errors)", sourceLocation: place)
    for part in parts {
      #expect(outcome.line.contains(part), "\(outcome.line)", sourceLocation: place)
    }
  }

  @Test func `a wrong command line is a usage error in one line`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    expect(try cluster.muster("memers"), 2, "\"memers\" is no command: did you mean members? see")
    expect(try cluster.muster("members", "--jsn"), 2, "--jsn: did you mean --json? see")
    expect(try cluster.muster("members"), 2, "--control SOCKET or set MUSTER_CONTROL")
    expect(try cluster.muster("init", "--name", "x", "--out", "y"), 2, "--expect N is missing")
    expect(
      try cluster.muster("init", "--name", "x", "--expect", "three", "--out", "y"), 2,
      "\"three\" is not a whole number")
    for limit in ["abc", "-5s", "1.5s", "99999999999h"] {
      expect(
        try cluster.ask(1, "wait", "--leader", "--timeout=\(limit)"), 2,
        "--timeout \"\(limit)\" is not a duration such as 500ms")
    }
    expect(try cluster.ask(1, "wait"), 2, "there is nothing to wait for: give --members N")
    expect(try cluster.ask(1, "wait", "--role", "worker"), 2, "is not ROLE=N, such as worker=3")
    expect(try cluster.ask(1, "set", "a b", "c"), 2, "\"a b\" is no key: use letters")
    expect(
      try cluster.ask(1, "release", "add", "1", "--source", "ftp://x", "--sha256", "00"), 2,
      "\"ftp://x\" is no source: use an http, https or file URL")
    expect(
      try cluster.ask(1, "release", "add", "1", "--source", "file:///x", "--sha256", "00"), 2,
      "\"00\" is no SHA-256: give 64 hexadecimal digits")
    expect(
      try cluster.ask(1, "members"), 1, "no agent listens on \(cluster.at("control1"))",
      "start it with `muster agent`")
    expect(
      try cluster.muster("init", "--name", "x", "--expect", "1", "--out", cluster.at("made")), 1,
      "\(cluster.at("made/cluster")) is there already", "--out")
    expect(try cluster.refusedAgent(1, ["--config": "/nope"]), 1, "/nope: there is no such file")
    expect(try cluster.refusedAgent(1, ["--bind": "here:1"]), 2, "--bind \"here:1\" is not a")
    expect(
      try cluster.refusedAgent(1, ["--multicast": "127.0.0.1:1"]), 2, "is no multicast group")
  }

  @Test(.timeLimit(.minutes(2)))
  func `what cannot be had at the start is named with its way out`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    let busy: [([String: String], [String])] = [
      (["--bind": cluster.address(1)], ["cannot listen on \(cluster.address(1))", "--bind"]),
      (["--control": cluster.at("control1")], [cluster.at("control1"), "--control"]),
      (["--http": "\(cluster.host(1)):7947"], ["\(cluster.host(1)):7947", "--http"]),
      (["--control": cluster.at("made/cluster")], ["is no socket", "--control"]),
      (["--control": cluster.at("none/control")], ["No such file", "--control"]),
      (["--state": cluster.at("state1")], ["in use by another agent", "--state"]),
      (["--state": cluster.at("muster.yaml/state")], ["Not a directory", "--state"]),
      (["--state": cluster.at("shared/state")], ["inside the shared directory", "--state"]),
      (["--cluster": cluster.at("none")], ["no cluster file at", "muster init"]),
      (["--cluster": cluster.at("made")], ["is a directory", "made/cluster"]),
      (["--cluster": cluster.at("made/authority.key")], ["does not begin with", "anew"]),
      (["--bind": "192.0.2.1:7946"], ["no interface of this machine", "--bind"]),
    ]
    for (changes, parts) in busy {
      let outcome = try cluster.refusedAgent(2, changes)
      #expect(outcome.code == 1 && outcome.isOneLine, "\(changes): \(outcome.errors)")
      for part in parts { #expect(outcome.line.contains(part), "\(outcome.line)") }
    }
    // The first one has noticed nothing.
    try cluster.told(1, "wait", "--members", "1", "--leader", "--timeout", "10s")
  }

  @Test(.timeLimit(.minutes(2)))
  func `a state that is not understood is refused and left as it is`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    #expect(try cluster.kill(1, SIGTERM) == .exited(0))
    // The count of starts vouches for a register that was there at the last start.
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    #expect(try cluster.kill(1, SIGTERM) == .exited(0))
    let good = cluster.state(1)
    try #require(good.count == 3)
    let place = cluster.at("state1")
    let damages: [(String, [String])] = [
      ("truncate -s -7 register", ["\(place)/register is torn"]),
      ("truncate -s 0 register", ["\(place)/register is torn"]),
      ("printf 'x' | dd of=register bs=1 seek=200 conv=notrunc", ["digest does not fit"]),
      ("rm register", ["register"]),
      ("rm incarnation", ["incarnation is missing"]),
      ("truncate -s 20 incarnation", ["incarnation:1"]),
      ("rm identity", ["identity"]),
      ("truncate -s 100 identity", ["identity:1", "torn"]),
      ("chmod 644 identity", ["identity has mode 0644", "chmod 600"]),
    ]
    for (damage, parts) in damages {
      let script = "cp -a '\(place)' '\(place).good' && cd '\(place)' && { \(damage); } 2>/dev/null"
      try #require(try cluster.run("/bin/sh", ["-c", script]).code == 0, "\(damage)")
      let damaged = cluster.state(1)
      let outcome = try cluster.refusedAgent(1)
      #expect(outcome.code == 1 && outcome.isOneLine, "\(damage): \(outcome.errors)")
      for part in parts { #expect(outcome.line.contains(part), "\(outcome.line)") }
      #expect(cluster.state(1) == damaged, "\(damage): nothing is written over")
      _ = try cluster.run(
        "/bin/sh", ["-c", "rm -rf '\(place)' && mv '\(place).good' '\(place)'"])
    }
    let foreign = try cluster.muster(
      "init", "--name", "other", "--expect", "1", "--out", cluster.at("foreign"))
    try #require(foreign.code == 0)
    expect(
      try cluster.refusedAgent(1, ["--cluster": cluster.at("foreign/cluster")]), 1,
      "the state directory \(place) belongs to cluster", "use that cluster's file")
    #expect(cluster.state(1) == good)
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
  }

  @Test(.timeLimit(.minutes(2)))
  func `a taken name is refused, and its holder is not disturbed`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    let claimant = try cluster.refusedAgent(2, ["--name": "ci/1"], founds: false)
    #expect(claimant.code == 4)
    let errors = claimant.errors.split(separator: "\n").filter { $0.contains(" error ") }
    #expect(errors.count == 1)
    #expect(errors.first?.contains("the name ci/1 is held by the live node") == true)
    #expect(errors.first?.contains("--name") == true)
    let status = try cluster.told(1, "status", "--json").json()
    #expect(status["leader"]?.string == "ci/1")
    #expect(status["lease"]?["valid"]?.bool == true)
  }

  @Test(.timeLimit(.minutes(4)))
  func `a release that cannot be had is given up, and every node says why`() throws {
    let cluster = try EndToEndCluster(expect: 2)
    try cluster.start(1)
    try cluster.start(2)
    try cluster.told(1, "wait", "--members", "2", "--leader", "--timeout", "40s")
    try cluster.announce("1.0", by: 1)
    try cluster.told(1, "set", "--cluster", "version", "1.0")
    try cluster.told(2, "wait", "--version", "1.0", "--timeout", "60s")
    expect(
      try cluster.ask(2, "set", "--cluster", "version", "9.9"), 4, "release 9.9 is not known",
      "muster release add 9.9")
    let services = [try cluster.services(1), try cluster.services(2)]
    try cluster.announce("2.0", by: 1, digest: String(repeating: "0", count: 64))
    try makeClimbing(cluster)
    try cluster.announce("3.0", archive: cluster.at("climbing.tar.gz"), by: 1)
    for (version, reason) in [("2.0", "has SHA-256"), ("3.0", "climbs with ..")] {
      try cluster.told(2, "set", "--cluster", "version", version)
      for node in 1...2 {
        #expect(
          try EndToEndCluster.eventually {
            let plan = try cluster.told(node, "status", "--json").json()["plan"]
            return plan?["failure"]?.string?.contains(reason) == true
          }, "node \(node) says why \(version) was given up")
        expect(
          try cluster.ask(node, "wait", "--version", version, "--timeout", "200ms"), 3,
          "1.0 is current, not \(version)", "given up", reason)
        try cluster.told(node, "wait", "--version", "1.0", "--timeout", "10s")
      }
    }
    #expect(try [cluster.services(1), cluster.services(2)] == services, "nobody was restarted")
    #expect(unsafe access(cluster.at("shared/evil"), F_OK) != 0)
  }

  private func makeClimbing(_ cluster: EndToEndCluster) throws {
    let script = """
      import tarfile, sys
      with tarfile.open(sys.argv[1], "w:gz") as archive:
          archive.addfile(tarfile.TarInfo("../evil"))
      """
    let made = try cluster.run(
      "/usr/bin/env", ["python3", "-c", script, cluster.at("climbing.tar.gz")])
    try #require(made.code == 0, "\(made.errors)")
  }

  @Test(.timeLimit(.minutes(2)))
  func `a shared directory that cannot be is said, and the agent serves on`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    try cluster.start(1, ["--shared": cluster.at("muster.yaml/shared")])
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    #expect(
      EndToEndCluster.eventually {
        cluster.log(1).contains("warning ci/1: the shared directory is waiting: mount")
      })
    #expect(
      try EndToEndCluster.eventually {
        let members = try cluster.told(1, "members", "--json").json().array
        return members?.first?["storage"]?.string?.contains("--shared") == true
      })
  }

  private static let isRoot = getuid() == 0

  @Test(
    .enabled(if: isRoot, "only root can mount a small file system"), .timeLimit(.minutes(2)))
  func `a full disk is one line, and the state on it stays valid`() throws {
    let cluster = try EndToEndCluster(expect: 1)
    let place = cluster.at("state1")
    try Files.makeDirectory(place, mode: 0o700)
    let mounted = try cluster.run(
      "/bin/mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", place])
    guard mounted.code == 0 else {
      try Test.cancel("this machine mounts nothing: \(mounted.line)")
    }
    // Lazily: after a failed expectation the agent may still be writing there.
    defer { _ = try? cluster.run("/bin/umount", ["-l", place]) }
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    let good = cluster.state(1)["identity"]
    _ = try cluster.run("/bin/sh", ["-c", "cat /dev/zero >'\(place)/ballast' 2>/dev/null"])
    // The register has to grow now, and cannot.
    _ = try cluster.ask(1, "set", "--cluster", "key", String(repeating: "x", count: 200))
    #expect(try cluster.end(1) == .exited(1))
    let line = try #require(
      cluster.log(1).split(separator: "\n").last { $0.contains(" error ") })
    #expect(line.contains("cannot write the state"))
    #expect(line.contains("No space left on device"))
    #expect(line.contains("make room"))
    expect(try cluster.refusedAgent(1), 1, "No space left on device", "--state")
    try Files.remove("\(place)/ballast")
    #expect(cluster.state(1)["identity"] == good)
    try cluster.start(1)
    try cluster.told(1, "wait", "--leader", "--timeout", "30s")
    #expect(try cluster.kill(1, SIGTERM) == .exited(0))
  }
}
