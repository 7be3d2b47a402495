import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite(.timeLimit(.minutes(2))) struct `The supervisor` {
  private static let forever = "echo started $$; exec sleep 600"

  @Test func `starts a service with its environment and says that it runs`() throws {
    let bench = try ServicesBench([
      try shellService("echo $HOST $MUSTER_VERSION $(pwd); exec sleep 600") {
        $0.environment = [EnvironmentVariable(name: "HOST", value: try Template("{{node.name}}"))]
      }
    ])
    #expect(bench.supervisor.report.running == nil)
    bench.supervisor.apply(bench.goal())
    #expect(bench.supervisor.report.running == bench.release("1.0"))
    #expect(!bench.supervisor.report.ready)
    try bench.untilReady()
    let report = bench.supervisor.report
    #expect(report.role == .worker && report.version == "1.0" && report.failure == "")
    #expect(report.services == [ServiceStatus(name: "job", state: .ready, starts: 1)])
    #expect(bench.output() == ["ci/0 1.0 \(bench.folder.path)/state/services/job"])
    try bench.stop()
    #expect(bench.supervisor.report.running == nil)
    #expect(bench.supervisor.report.services.map { $0.state } == [.stopped])
  }

  @Test func `looks for programs in the release's bin first`() throws {
    let bench = try ServicesBench([
      ServiceDefinition(
        name: "tool", roles: [.worker], command: [try Template("tool")],
        version: try ["tool", "version"].map { try Template($0) })
    ])
    let script =
      "#!/bin/sh\ntest \"$1\" = version && echo 'v2.7.1 h1:abc=' && exit\nexec sleep 600\n"
    let path = try bench.folder.write("release/bin/tool", script)
    try #require(unsafe chmod(path, 0o755) == 0)
    bench.supervisor.apply(bench.goal("2.7.0"))
    try bench.untilReady()
    #expect(bench.supervisor.report.version == "2.7.1")
    try bench.stop()
  }

  @Test func `waits longer and longer after each end, then says what is wrong`() throws {
    let bench = try ServicesBench([
      try shellService("echo no database; exit 7") {
        $0.restart = RestartRule(minimum: .milliseconds(40), maximum: .milliseconds(100))
      }
    ])
    bench.supervisor.apply(bench.goal())
    try bench.until("four ends") {
      bench.count { if case .ended = $0 { true } else { false } } >= 4
    }
    let waits = bench.events.compactMap { entry -> TimeSpan? in
      if case .ended(.exited(7), let wait) = entry.event { wait } else { nil }
    }
    let expected: [TimeSpan] = [40, 80, 100, 100].map { .milliseconds($0) }
    #expect(Array(waits.prefix(4)) == expected)
    let starts = bench.events.filter { if case .started = $0.event { true } else { false } }
    for index in 1..<4 {
      let gap = starts[index].at - starts[index - 1].at
      #expect(gap >= waits[index - 1].nanoseconds, "start \(index)")
    }
    let report = bench.supervisor.report
    #expect(report.failure.hasPrefix("job: ended with exit code 7: no database ("))
    #expect(report.services.first?.state == .failed && !report.ready)
    try bench.stop()
    #expect(bench.supervisor.report.failure == "")
  }

  @Test func `says at once when a program cannot be started`() throws {
    let bench = try ServicesBench([
      ServiceDefinition(name: "ghost", roles: [.worker], command: [try Template("no-such-thing")])
    ])
    bench.supervisor.apply(bench.goal())
    let failure = bench.supervisor.report.failure
    #expect(failure.hasPrefix("ghost: there is no program 'no-such-thing' in the release's bin"))
    #expect(bench.supervisor.report.running == nil)
    try bench.stop()
  }

  @Test func `kills the group of a service that does not end in time`() throws {
    let bench = try ServicesBench([
      try shellService("trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done'") {
        $0.stop = StopRule(signal: SIGTERM, limit: .milliseconds(100))
      }
    ])
    bench.supervisor.apply(bench.goal())
    try bench.until("output") { !bench.output().isEmpty }
    let grandchild = try #require(Int32(bench.output()[0]))
    try bench.stop()
    #expect(bench.count { $0 == .killed(limit: .milliseconds(100)) } == 1)
    #expect(isGone(grandchild))
  }

  @Test func `drains before it stops`() throws {
    let bench = try ServicesBench([
      try shellService(
        "exec 2>/dev/null; trap 'echo got term; exit 0' TERM; echo up; while :; do sleep 0.05; done"
      ) {
        $0.drain = DrainRule(
          command: try ["sh", "-c", "echo drained >> $BENCH/drain"].map { try Template($0) })
      }
    ])
    bench.supervisor.apply(bench.goal())
    try bench.until("up") { bench.output() == ["up"] }
    try bench.stop()
    #expect(bench.folder.read("drain") == "drained\n")
    #expect(bench.output() == ["up", "got term"])
    let order = bench.events.map { $0.event }
    let draining = try #require(order.firstIndex(of: .draining))
    let stopping = try #require(order.firstIndex(of: .stopping(signal: SIGTERM)))
    #expect(draining < stopping)
  }

  @Test func `stops the old release everywhere before it starts the new one`() throws {
    func script(_ delay: String) -> String {
      "exec 2>/dev/null; echo up; trap 'sleep \(delay); echo down; exit 0' TERM; "
        + "while :; do sleep 0.05; done"
    }
    // The first is down long before the second.
    let bench = try ServicesBench([
      try shellService(script("0"), name: "a"), try shellService(script("0.5"), name: "b"),
    ])
    bench.supervisor.apply(bench.goal("1.0"))
    try bench.untilReady()
    bench.supervisor.apply(bench.goal("2.0"))
    #expect(bench.supervisor.report.running == bench.release("1.0"))
    #expect(!bench.supervisor.report.ready)
    try bench.until("the new one is ready") {
      let report = bench.supervisor.report
      return report.ready && report.running == bench.release("2.0")
    }
    #expect(bench.supervisor.report.version == "2.0")
    #expect(bench.output() == ["up", "up", "down", "down", "up", "up"])
    try bench.stop()
  }

  @Test func `runs what belongs to the role`() throws {
    let bench = try ServicesBench([
      try shellService(Self.forever, name: "both", roles: [.web, .worker]),
      try shellService(Self.forever, name: "web", roles: [.web]),
      try shellService(Self.forever, name: "worker", roles: [.worker]),
    ])
    bench.supervisor.apply(bench.goal(role: .worker))
    try bench.untilReady()
    let before = try #require(bench.output("worker").first)
    bench.supervisor.apply(bench.goal(role: .web))
    try bench.until("web") { bench.supervisor.report.ready && bench.supervisor.report.role == .web }
    let states = bench.supervisor.report.services.map { "\($0.name) \($0.state.name) \($0.starts)" }
    #expect(states == ["both ready 1", "web ready 1", "worker stopped 1"])
    #expect(isGone(try #require(Int32(before.dropFirst(8)))))
    try bench.stop()
  }

  @Test func `a role without services is done at once`() throws {
    let bench = try ServicesBench([try shellService(Self.forever, roles: [.web])])
    bench.supervisor.apply(bench.goal(role: .worker))
    let report = bench.supervisor.report
    #expect(report.ready && report.running == bench.release("1.0") && report.version == "1.0")
    try bench.stop()
  }

  @Test func `keeps to the restart policy`() throws {
    let bench = try ServicesBench([
      try shellService("exit 0", name: "once") { $0.restart.policy = .onFailure },
      try shellService("exit 3", name: "never") { $0.restart.policy = .never },
      try shellService("test -e $BENCH/mark && exit 0; touch $BENCH/mark; exit 1", name: "second") {
        $0.restart = RestartRule(policy: .onFailure, minimum: .milliseconds(20))
      },
    ])
    bench.supervisor.apply(bench.goal())
    try bench.until("four ends") {
      bench.count { if case .ended = $0 { true } else { false } } == 4
    }
    let states = bench.supervisor.report.services.map { "\($0.name) \($0.state.name) \($0.starts)" }
    #expect(states == ["never failed 1", "once stopped 1", "second stopped 2"])
    #expect(bench.supervisor.report.failure == "never: ended with exit code 3")
    try bench.stop()
  }

  @Test func `starts again what somebody killed`() throws {
    let bench = try ServicesBench([
      try shellService(Self.forever) { $0.restart.minimum = .milliseconds(20) }
    ])
    bench.supervisor.apply(bench.goal())
    try bench.untilReady()
    let pid = try #require(Int32(bench.output()[0].dropFirst(8)))
    kill(pid, SIGKILL)
    try bench.until("a second start") { bench.output().count == 2 && bench.supervisor.report.ready }
    #expect(bench.supervisor.report.failure == "" && isGone(pid))
    try bench.stop()
  }

  @Test func `cuts a flood of output`() throws {
    let bench = try ServicesBench([
      try shellService("seq 1 5000; head -c 5000 /dev/zero | tr '\\0' x; echo; exec sleep 600")
    ])
    bench.supervisor.apply(bench.goal())
    try bench.untilReady()
    #expect(bench.output().count <= 1_500 && bench.output().first == "1")
    #expect(bench.output().allSatisfy { $0.utf8.count <= 2_048 })
    try bench.stop()
    #expect(bench.count { if case .outputDropped = $0 { true } else { false } } >= 1)
  }

  @Test func `leaves no process and no zombie when it is let go`() throws {
    var bench: ServicesBench? = try ServicesBench([try shellService(Self.forever)])
    bench.map { $0.supervisor.apply($0.goal()) }
    try bench?.until("output") { bench?.output().count == 1 }
    let pid = try #require(bench.flatMap { Int32($0.output()[0].dropFirst(8)) })
    bench = nil
    #expect(kill(pid, 0) == -1 && errno == ESRCH)
  }

  @Test func `kills what an earlier life left running`() throws {
    let bench = try ServicesBench([])
    let left = try ChildProcess(
      program: "/bin/sleep", arguments: ["600"],
      environment: ["MUSTER_WORK": "\(bench.folder.path)/state/services/gone"])
    let other = try ChildProcess(
      program: "/bin/sleep", arguments: ["600"],
      environment: ["MUSTER_WORK": "\(bench.folder.path)/other/services/gone"])
    #expect(bench.supervisor.killLeftovers() == 1)
    #expect(left.waitForExit() == .signalled(SIGKILL))
    #expect(other.reap() == nil)
  }

  @Test func `waits until the node knows its own address`() throws {
    let bench = try ServicesBench([try shellService(Self.forever)])
    var goal = bench.goal()
    goal.context.members = []
    bench.supervisor.apply(goal)
    #expect(bench.supervisor.report == ServiceReport())
    bench.supervisor.apply(bench.goal())
    try bench.untilReady()
    try bench.stop()
  }
}
