import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.serialized) struct CommandLineTests {
  /// The built program, beside the tests.
  private static func program() throws -> String {
    var path = [CChar](repeating: 0, count: 4_096)
    let count = unsafe readlink("/proc/self/exe", &path, path.count)
    try #require(count > 0)
    let test = String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let directories = [test, CommandLine.arguments[0]].map { text in
      String(text[..<(text.lastIndex(of: "/") ?? text.startIndex)])
    }
    for directory in directories + [".build/debug"] {
      if unsafe access(directory + "/muster", X_OK) == 0 { return directory + "/muster" }
    }
    Issue.record("the program was not built")
    return "muster"
  }

  private func run(_ arguments: [String]) throws -> HttpTest.Process.Result {
    try HttpTest.run(try Self.program(), arguments)
  }

  @Test func `tables line up and name the leader`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let members = try run(["members", "--control", server.control])
    #expect(members.status == 0)
    let lines = members.output.split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines[0].hasPrefix("NAME  STATE  ROLE    LEADER  VERSION"))
    #expect(lines[1].hasPrefix("ci/0  alive  web     leader  2.10.2"))
    #expect(lines[4].hasPrefix("ci/3  dead   worker  -"))
    #expect(!members.output.contains("\u{1b}"))
    let status = try run(["status", "--control", server.control])
    #expect(status.output.contains("leader     ci/0, term 5, lease valid, 1.50 s left"))
    #expect(status.output.contains("members    3 alive, 0 suspect, 1 dead, 0 left"))
    let json = try run(["members", "--json", "--control", server.control])
    #expect(try Json(reading: Array(json.output.utf8)).array?.count == 4)
  }

  @Test func `values are printed bare, and set`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    #expect(try run(["get", "ci/1", "port", "--control", server.control]).output == "801\n")
    #expect(
      try run(["get", "cluster", "--control", server.control]).output == "version=2.10.2\n")
    let missing = try run(["get", "ci/1", "none", "--control", server.control])
    #expect(missing.status == 1 && missing.output.contains("it has port"))
    #expect(try run(["set", "a", "b c", "--control", server.control]).output == "a=b c\n")
    #expect(
      try run(["set", "--cluster", "version", "3", "--control", server.control]).status == 0)
    let sha = String(repeating: "0a", count: 32)
    let add = try run([
      "release", "add", "3", "--source", "file:///a", "--sha256", sha, "--control",
      server.control,
    ])
    #expect(add.status == 0, "\(add.output)")
    #expect(try server.with { $0.submitted.count } == 3)
    #expect(
      try server.with { $0.submitted[0] } == .setOwn(key: "a", value: "b c"))
    _ = try server.with { $0.reply = .refused("3 is not announced") }
    let refused = try run(["set", "--cluster", "version", "3", "--control", server.control])
    #expect(refused.status == 4 && refused.output.contains("3 is not announced"))
    _ = try server.with { $0.reply = .timedOut("no leader answered") }
    #expect(try run(["leave", "--control", server.control]).status == 3)
  }

  @Test func `wait ends with 0 when met, with 3 and what is missing when not`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let met = try run(["wait", "--members", "3", "--leader", "--control", server.control])
    #expect(met.status == 0 && met.output.hasPrefix("done after "))
    let late = try run([
      "wait", "--members", "4", "--timeout", "200ms", "--control", server.control,
    ])
    #expect(late.status == 3)
    #expect(late.output.contains("still missing: members: 3 of 4 are alive"))
    let json = try run([
      "wait", "--role", "worker=2", "--json", "--control", server.control,
    ])
    #expect(try Json(reading: Array(json.output.utf8))["met"]?.bool == true)
  }

  @Test func `events are one line each, filtered, and end with the history`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    _ = try server.with { interior in
      interior.history.record(.memberAlive(Sample.id(2), name: "ci/1", via: .multicast))
      interior.history.record(.memberAlive(Sample.id(3), name: "ci/\u{1b}[2J", via: .join))
    }
    let text = try run(["events", "--control", server.control]).output
    #expect(text.split(separator: "\n").count == 2)
    #expect(text.contains("member-alive        ci/1  via=multicast"))
    #expect(!text.contains("\u{1b}"))
    let json = try run([
      "events", "--json", "--include", "ci/1", "--control", server.control,
    ]).output
    #expect(try Json(reading: Array(json.utf8))["node"]?.string == "ci/1")
    let follow = try HttpTest.Process(
      try Self.program(),
      ["events", "--follow", "--replay", "--json", "--control", server.control])
    #expect(
      HttpTest.eventually {
        (try? HttpTest.run("curl", ["-sS", server.base + "/metrics"]).output.contains(
          "muster_http_streams{face=\"control\"} 1")) == true
      })
    server.stop()
    #expect(try follow.finish().output.contains("member-alive"))
  }

  @Test func `without an agent every verb says so and ends with 1`() throws {
    for verb in [["members"], ["status"], ["leave"], ["events"], ["get", "cluster"]] {
      let ran = try run(verb + ["--control", "/tmp/no-such-muster-socket"])
      #expect(ran.status == 1)
      #expect(ran.output.contains("no agent listens on /tmp/no-such-muster-socket"))
      #expect(ran.output.split(separator: "\n").count == 1)
    }
    let wait = try run([
      "wait", "--leader", "--timeout", "100ms", "--control", "/tmp/no-such-muster-socket",
    ])
    #expect(wait.status == 1)
  }

  @Test func `wait finds an agent that is just starting`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let path = directory + "/control"
    let wait = try HttpTest.Process(
      try Self.program(), ["wait", "--members", "3", "--control", path])
    let server = try FacesServer()
    defer { server.stop() }
    try HttpTest.run("ln", ["-s", server.control, path])
    #expect(try wait.finish().status == 0)
  }

  @Test func `init writes both files, and forget signs with the key`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let made = try run([
      "init", "--name", "ci", "--expect", "4", "--out", directory + "/c", "--json",
    ])
    #expect(made.status == 0, "\(made.output)")
    let files = try Json(reading: Array(made.output.utf8))
    let again = try run(["init", "--name", "ci", "--expect", "4", "--out", directory + "/c"])
    #expect(again.status == 1 && again.output.contains("never overwritten"))

    let cluster = try ClusterFile.read(try #require(files["cluster_file"]?.string))
    let keyPath = try #require(files["authority_key"]?.string)
    var view = Sample.view()
    view.cluster = cluster.id
    let server = try FacesServer(view: view)
    defer { server.stop() }
    let forget = try run(["forget", "ci/1", "--authority", keyPath, "--control", server.control])
    #expect(forget.status == 0, "\(forget.output)")
    guard case .forget(let node, let signature) = try server.with({ $0.submitted[0] }) else {
      Issue.record("no order to forget")
      return
    }
    #expect(node == Sample.id(2))
    let key = try AuthorityKey.read(keyPath)
    #expect(signature?.bytes == key.sign(forgetMessage(cluster: cluster.id, node: node)))

    _ = try server.with { $0.view.cluster = Sample.cluster }
    let foreign = try run(["forget", "ci/1", "--authority", keyPath, "--control", server.control])
    #expect(foreign.status == 1 && foreign.output.contains("is the key of cluster"))
  }

  @Test func `colour is for terminals only`() throws {
    let server = try FacesServer()
    defer { server.stop() }
    let plain = muster(["status", "--control", server.control])
    let coloured = muster(["status", "--control", server.control], isTerminal: true)
    let refused = muster(
      ["status", "--control", server.control], environment: ["NO_COLOR": "1"], isTerminal: true)
    #expect(!plain.output.contains("\u{1b}[") && coloured.output.contains("\u{1b}["))
    #expect(!refused.output.contains("\u{1b}["))
    let named = muster(["status"], environment: ["MUSTER_CONTROL": server.control])
    #expect(named.code == .done)
  }
}
