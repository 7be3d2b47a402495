import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Readiness and templates` {
  /// Answers GET with the number in the file `status`, on the port that it is given.
  private static let server = """
    import http.server, os, sys
    class Handler(http.server.BaseHTTPRequestHandler):
      def do_GET(self):
        self.send_response(int(open(os.environ['BENCH'] + '/status').read()))
        self.end_headers()
      def log_message(self, *args): pass
    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    open(os.environ['BENCH'] + '/port.new', 'w').write(str(server.server_port))
    os.rename(os.environ['BENCH'] + '/port.new', os.environ['BENCH'] + '/port')
    server.serve_forever()
    """

  private func rule(_ kind: ProbeRule.Kind) -> ProbeRule {
    ProbeRule(
      kind: kind, interval: .milliseconds(20), timeout: .seconds(2), retries: 2,
      startPeriod: .seconds(30))
  }

  /// The port of the server cannot be known before, so a member's data carries it to the probe.
  private func members(_ port: String) -> [ServiceContext.Member] {
    [
      ServiceContext.Member(
        name: "ci/0", address: Address(v4: 0x7f00_0001, port: 1), isAlive: true, role: .worker,
        data: [Setting(key: "port", value: port)])
    ]
  }

  @Test(arguments: ["http", "tcp"]) func `follows what the probe hears`(kind: String) throws {
    let text = try Template(
      kind == "http"
        ? "http://{{node.host}}:{{node.data.port}}/health" : "{{node.host}}:{{node.data.port}}")
    var definition = ServiceDefinition(
      name: "web", roles: [.worker],
      command: try ["python3", "-c", Self.server].map { try Template($0) })
    definition.probe = rule(kind == "http" ? .http(text) : .tcp(text))
    let bench = try ServicesBench([definition])
    try bench.folder.write("status", "503")
    // A port of ours that nobody listens on yet.
    bench.supervisor.apply(bench.goal(members: members("1")))
    try bench.until("the server listens") { bench.folder.read("port") != nil }
    #expect(!bench.supervisor.report.ready)
    bench.supervisor.apply(bench.goal(members: members(try #require(bench.folder.read("port")))))
    if kind == "http" {
      let answered = bench.loop.now + 500_000_000
      try bench.until("some probes were refused") { bench.loop.now > answered }
      #expect(!bench.supervisor.report.ready && bench.supervisor.report.failure == "")
      try bench.folder.write("status", "204")
    }
    try bench.untilReady()
    #expect(bench.supervisor.report.services.first?.starts == 1)
    if kind == "http" {
      try bench.folder.write("status", "500")
      try bench.until("not ready") { !bench.supervisor.report.ready }
      #expect(bench.supervisor.report.failure == "web: not ready: HTTP status 500")
      try bench.folder.write("status", "200")
      try bench.untilReady()
      #expect(bench.supervisor.report.failure == "")
    }
    try bench.stop()
  }

  @Test func `of a command is its exit code`() throws {
    let bench = try ServicesBench([
      try shellService("exec sleep 600") {
        $0.probe = rule(.exec(try ["test", "-e", "ready"].map { try Template($0) }))
        $0.probe?.startPeriod = .milliseconds(10)
      }
    ])
    bench.supervisor.apply(bench.goal())
    try bench.until("a failure") { !bench.supervisor.report.failure.isEmpty }
    #expect(
      bench.supervisor.report.failure == "job: not ready: the probe ended with exit code 1")
    #expect(bench.supervisor.report.services.first?.state == .failed)
    try bench.folder.write("state/services/job/ready", "")
    try bench.untilReady()
    try bench.stop()
  }

  @Test func `a command that hangs is a failure and is killed`() throws {
    let bench = try ServicesBench([
      try shellService("exec sleep 600") {
        $0.probe = rule(
          .exec(try ["sh", "-c", "echo $$ >> $BENCH/pid; sleep 600"].map { try Template($0) }))
        $0.probe?.timeout = .milliseconds(50)
        $0.probe?.startPeriod = .milliseconds(10)
      }
    ])
    bench.supervisor.apply(bench.goal())
    try bench.until("a failure") { !bench.supervisor.report.failure.isEmpty }
    #expect(bench.supervisor.report.failure == "job: not ready: the probe took too long")
    let first = bench.folder.read("pid")?.split(separator: "\n").first.flatMap { Int32($0) }
    try bench.stop()
    let pid = try #require(first)
    try bench.until("the probe is gone") { kill(pid, 0) != 0 }
  }

  private func member(_ name: String, _ last: UInt32) -> ServiceContext.Member {
    ServiceContext.Member(
      name: name, address: Address(v4: 0x7f00_0000 + last, port: 1), isAlive: true,
      role: .worker, data: [])
  }

  private func watcher(_ change: TemplateFile.Change) throws -> ServiceDefinition {
    try shellService("trap 'cat list' HUP; cat list; while :; do sleep 0.02; done") {
      $0.templates = [
        TemplateFile(
          content: try Template("{{#members role=worker}}\n{{host}}\n{{/members}}\n"),
          target: "list", onChange: change)
      ]
      $0.stop.limit = .milliseconds(500)
    }
  }

  @Test func `a changed template restarts, an equal one does nothing`() throws {
    let bench = try ServicesBench([try watcher(.restart)])
    bench.supervisor.apply(bench.goal(members: [member("a", 1)]))
    try bench.untilReady()
    #expect(bench.output() == ["127.0.0.1"])
    // The leader is not in the template.
    bench.supervisor.apply(bench.goal(leader: "a", members: [member("a", 1)]))
    let settled = bench.loop.now + 2 * ServiceSupervisor.settle
    try bench.until("settled") { bench.loop.now > settled }
    #expect(bench.supervisor.report.ready && bench.supervisor.report.services.first?.starts == 1)
    bench.supervisor.apply(bench.goal(members: [member("a", 1), member("b", 2)]))
    try bench.until("restarted") { bench.supervisor.report.services.first?.starts == 2 }
    try bench.untilReady()
    #expect(bench.output() == ["127.0.0.1", "127.0.0.1", "127.0.0.2"])
    #expect(bench.folder.read("state/services/job/list") == "127.0.0.1\n127.0.0.2\n")
    try bench.stop()
  }

  @Test func `a changed template reloads without a restart`() throws {
    let bench = try ServicesBench([try watcher(.reload)])
    bench.supervisor.apply(bench.goal(members: [member("a", 1)]))
    try bench.untilReady()
    bench.supervisor.apply(bench.goal(members: [member("b", 2)]))
    try bench.until("reloaded") { bench.output() == ["127.0.0.1", "127.0.0.2"] }
    #expect(bench.supervisor.report.services.first?.starts == 1)
    #expect(bench.supervisor.report.ready)
    try bench.stop()
  }

  @Test func `a reload command that fails restarts`() throws {
    var definition = try watcher(.reload)
    definition.reload = .command([try Template("false")], limit: .seconds(5))
    let bench = try ServicesBench([definition])
    bench.supervisor.apply(bench.goal(members: [member("a", 1)]))
    try bench.untilReady()
    bench.supervisor.apply(bench.goal(members: [member("b", 2)]))
    try bench.until("restarted") { bench.supervisor.report.services.first?.starts == 2 }
    try bench.stop()
  }

  @Test func `a value that makes no target is said and passes when it is right`() throws {
    let bench = try ServicesBench([
      try shellService("exec sleep 600") {
        $0.probe = rule(.tcp(try Template("{{node.host}}:{{node.data.port}}")))
      }
    ])
    bench.supervisor.apply(bench.goal(members: members("")))
    #expect(bench.supervisor.report.failure.hasPrefix("job: ready: '127.0.0.1:' is no target"))
    #expect(bench.supervisor.report.running == nil)
    bench.supervisor.apply(bench.goal(members: members("9")))
    try bench.until("started") { bench.supervisor.report.services.first?.starts == 1 }
    #expect(bench.supervisor.report.failure == "")
    try bench.stop()
  }

  @Test(
    arguments: [
      ("v2.10.2 h1:abc/def=", "2.10.2"), ("nginx version: nginx/1.22.1", "1.22.1"),
      ("Python 3.11.2", "3.11.2"), ("curl 7.88.1 (x86_64-pc-linux-gnu)", "7.88.1"),
      ("build 7\n1.2", "7"), ("release-1", nil), ("", nil),
    ] as [(String, String?)]) func `a version is found`(output: String, version: String?)
  {
    #expect(reportedVersion(in: output) == version)
  }
}
