import MusterAgent
import MusterProtocol
import MusterState
import Testing

@Suite struct `The configuration file` {
  /// What the check says, with `FILE` for the path.
  private func check(_ text: String, template: String = "x") throws -> [String] {
    let folder = try TemporaryFolder()
    try folder.write("page", template)
    let path = try folder.write("muster.yaml", text)
    return Configuration.check(path: path).map { problem in
      problem.description.replacing(folder.path + "/", with: "")
    }
  }

  @Test func `gives options and services`() throws {
    let folder = try TemporaryFolder()
    try folder.write("page.template", "hello {{node.name}}\n")
    let path = try folder.write(
      "muster.yaml",
      """
      cluster: ci.cluster
      name: ci/0
      state: /var/lib/muster
      shared: /shared
      bind: 127.0.0.1:7946
      advertise: 192.0.2.1:7946
      multicast: off
      interface: eth0
      join: [192.0.2.2:7946, "[2001:db8::1]:7946"]
      control: /run/muster.sock
      http: 127.0.0.1:8080
      log-format: json
      log-level: debug
      leader: {priority: 0}
      services:
        web:
          roles: [web]
          command: [caddy, run, --config, "{{work.directory}}/page"]
          environment: {HOST: "{{node.host}}", EMPTY: ""}
          templates:
            - {source: page.template, target: sub/page, on-change: reload}
          ready:
            {http: "http://{{node.host}}:80/", interval: 200ms, timeout: 2s, retries: 5,
             start-period: 1m}
          stop: {signal: SIGINT, limit: 3s}
          drain: {command: [sleep, "1"], limit: 2s}
          restart: {policy: on-failure, back-off-minimum: 10ms, back-off-maximum: 1s}
          version: [caddy, version]
          reload: {command: [caddy, reload]}
        worker:
          roles: [worker, web]
          command: [server]
          ready: {tcp: "127.0.0.1:80"}
      """)
    let configuration = try Configuration(path: path)
    let options = configuration.options
    #expect(options.name == "ci/0" && options.clusterFile == "ci.cluster")
    #expect(options.bind == Address("127.0.0.1:7946") && options.multicast == .off)
    #expect(options.join.count == 2 && options.logFormat == .json && options.logLevel == .debug)
    #expect(options.leaderPriority == 0)
    #expect(configuration.services.map { $0.name } == ["web", "worker"])
    let web = configuration.services[0]
    #expect(web.roles == [.web] && web.command.count == 4)
    #expect(web.environment.map { $0.name } == ["EMPTY", "HOST"])
    #expect(web.templates.map { $0.target } == ["sub/page"])
    #expect(web.templates.first?.content == (try Template("hello {{node.name}}\n")))
    #expect(web.probe?.interval == .milliseconds(200) && web.probe?.startPeriod == .seconds(60))
    #expect(web.stop == StopRule(signal: 2, limit: .seconds(3)))
    #expect(web.drain?.limit == .seconds(2))
    #expect(web.restart.policy == .onFailure && web.restart.maximum == .seconds(1))
    #expect(configuration.services[1].restart == RestartRule())
  }

  @Test func `may be empty or name nothing`() throws {
    #expect(try check("") == [])
    #expect(try check("services: {}\n") == [])
  }

  @Test(arguments: [
    ("nam: x", "muster.yaml:1:1: unknown key 'nam' in the configuration; allowed are cluster, "),
    ("name:", "muster.yaml:1:1: 'name' has no value; give one or remove the key"),
    ("[a]", "muster.yaml:1:1: a list where the configuration is expected"),
    ("bind: localhost:1", "muster.yaml:1:7: 'localhost:1' is no bind address; write ADDRESS:PORT"),
    ("multicast: 10.0.0.1:7", "muster.yaml:1:12: '10.0.0.1:7' is no multicast group; write off"),
    ("join: 192.0.2.1:7946", "muster.yaml:1:7: '192.0.2.1:7946' where join is expected: a list"),
    ("log-level: loud", "muster.yaml:1:12: 'loud' is no log level; allowed are debug, info"),
    ("name: a\nname: b", "muster.yaml:2:1: the key 'name' a second time; the first is at 1:1"),
    ("services: {'../x': {}}", "muster.yaml:1:12: '../x' is no service name; use at most 32"),
    ("services: {a: {roles: [web]}}", "muster.yaml:1:12: service 'a' has no 'command'"),
    ("services: {a: {roles: [], command: [x]}}", "muster.yaml:1:23: 0 roles; allowed is 1 to 32"),
  ]) func `with a mistake is refused with its place`(text: String, expected: String) throws {
    let problems = try check(text)
    #expect(problems.count == 1 && problems.first?.hasPrefix(expected) == true, "\(problems)")
  }

  @Test(arguments: [
    ("command: [\"{{nod.x}}\"]", "3:15: in command, line 1, character 1: 'nod.x' is no name"),
    ("environment: {\"A=B\": x}", "3:19: 'A=B' is no variable name"),
    ("templates: [{source: none, target: x}]", "3:26: there is no file "),
    ("templates: [{source: page, target: ../x}]", "3:40: '../x' is no target; write a path below"),
    ("templates: [{source: page}]", "3:17: a template has no 'target'"),
    ("templates: [{source: page, target: x, on-change: stop}]", "3:54: 'stop' is no on-change"),
    ("ready: {}", "3:12: ready needs exactly one of exec, tcp, http; it has 0"),
    ("ready: {tcp: 'ci:80'}", "3:18: 'ci:80' is no target of a TCP probe; write ADDRESS:PORT"),
    ("ready: {http: 'https://127.0.0.1/'}", "3:19: 'https://127.0.0.1/' is no target of an HTTP"),
    ("ready: {tcp: '{{node.host}}:1', interval: fast}", "3:47: 'fast' is no interval; write a"),
    ("ready: {tcp: '{{node.host}}:1', timeout: 2h}", "3:46: '2h' is out of bounds for timeout"),
    ("ready: {tcp: '{{node.host}}:1', retries: 0}", "3:46: '0' is no number of retries"),
    ("stop: {signal: SIGFOO}", "3:20: 'SIGFOO' is no signal; allowed are HUP, INT"),
    ("drain: {limit: 1s}", "3:12: drain has no 'command'"),
    ("restart: {policy: often}", "3:23: 'often' is no policy; allowed are always, on-failure"),
    ("restart: {back-off-minimum: 1m}", "3:14: back-off-minimum 1m is above back-off-maximum"),
    ("reload: {}", "3:13: reload needs exactly one of signal, command"),
    ("redy: {}", "3:5: unknown key 'redy' in service 'a'; allowed are roles, command"),
  ]) func `with a mistake in a service is refused`(line: String, expected: String) throws {
    let command = line.hasPrefix("command") ? "" : ", command: [x]"
    let text = "services:\n  a: {roles: [web]\(command),\n    \(line)}\n"
    let problems = try check(text)
    #expect(
      problems.count == 1 && problems.first?.hasPrefix("muster.yaml:\(expected)") == true,
      "\(problems)")
  }

  @Test func `names the place in a template's own file`() throws {
    let text =
      "services:\n  a: {roles: [web], command: [x], templates: [{source: page, target: y}]}\n"
    #expect(
      try check(text, template: "ok\n  {{what}}\n").first?.hasPrefix("page:2:3: 'what'") == true)
  }

  @Test func `shows all mistakes in the order of the file`() throws {
    let problems = try check("nam: x\nbind: y\nlog-level: z\n")
    #expect(
      problems.map { $0.prefix(15) } == ["muster.yaml:1:1", "muster.yaml:2:7", "muster.yaml:3:1"])
  }

  @Test func `that is not there says so`() {
    #expect(
      Configuration.check(path: "/nowhere/muster.yaml").map { $0.description }
        == ["/nowhere/muster.yaml: there is no such file; check the path"])
    #expect(Configuration.check(path: "/tmp").first?.text.hasPrefix("cannot be read") == true)
  }

  @Test func `reads durations`() {
    #expect(TimeSpan(configuration: "200ms") == .milliseconds(200))
    #expect(TimeSpan(configuration: "1m") == .seconds(60))
    for text in ["", "1", "ms", "1.5s", "-1s", "1 s", "99999999999999h"] {
      #expect(TimeSpan(configuration: text) == nil, "\(text)")
    }
    #expect(TimeSpan.seconds(90).configuration == "90s")
  }
}
