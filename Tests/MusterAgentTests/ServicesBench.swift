import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

/// A supervisor with a release and a loop of its own, and everything that happened.
final class ServicesBench {
  let loop: EventLoop
  let folder: TemporaryFolder
  let supervisor: ServiceSupervisor
  private(set) var events: [(service: String, event: ServiceEvent, at: Int64)] = []

  init(_ definitions: [ServiceDefinition]) throws {
    loop = try EventLoop()
    folder = try TemporaryFolder()
    try Files.makeDirectory("\(folder.path)/release/bin", mode: 0o755)
    supervisor = ServiceSupervisor(
      definitions: definitions, stateDirectory: "\(folder.path)/state", loop: loop,
      environment: ["PATH": "/usr/bin:/bin", "BENCH": folder.path])
    supervisor.onEvent = { [unowned self] in events.append(($0, $1, loop.now)) }
  }

  func release(_ version: String) -> ReleaseReference {
    ReleaseReference(version: version, manifest: Digest(.zero), repair: 0)
  }

  func goal(
    _ version: String = "1.0", role: Role = .worker, leader: String? = nil,
    members: [ServiceContext.Member] = []
  ) -> ServiceGoal {
    let node = ServiceContext.Member(
      name: "ci/0", address: Address(v4: 0x7f00_0001, port: 1), isAlive: true, role: nil,
      data: [])
    let isShown = members.contains { $0.name == node.name }
    return ServiceGoal(
      release: release(version), directory: "\(folder.path)/release", role: role,
      context: ServiceContext(
        cluster: "ci", node: "ci/0", leader: leader,
        members: isShown ? members : members + [node], settings: []))
  }

  /// Turns the loop until `condition` holds; fails the test after twenty seconds.
  func until(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
  ) throws {
    let limit = loop.now + 20_000_000_000
    while try !condition() {
      guard loop.now < limit else {
        Issue.record(what, sourceLocation: sourceLocation)
        throw BenchTimeout(report: supervisor.report, events: events.map { "\($0)" })
      }
      try loop.turn(limit: 50_000_000)
    }
  }

  func untilReady(sourceLocation: SourceLocation = #_sourceLocation) throws {
    try until("ready", sourceLocation: sourceLocation) { supervisor.report.ready }
  }

  /// Lines that services have written, of all or of one.
  func output(_ service: String? = nil) -> [String] {
    events.compactMap { entry in
      guard case .output(let line) = entry.event, service == nil || entry.service == service
      else { return nil }
      return line
    }
  }

  func count(_ isCounted: (ServiceEvent) -> Bool) -> Int {
    events.count { isCounted($0.event) }
  }

  func stop() throws {
    var hasStopped = false
    supervisor.stopAll { hasStopped = true }
    try until("stopped") { hasStopped }
  }
}

struct BenchTimeout: Error {
  let report: ServiceReport
  let events: [String]
}

/// A service that runs a shell script.
func shellService(
  _ script: String, name: String = "job", roles: [Role] = [.worker],
  _ change: (inout ServiceDefinition) throws -> Void = { _ in }
) throws -> ServiceDefinition {
  var definition = ServiceDefinition(
    name: name, roles: roles, command: try ["sh", "-c", script].map { try Template($0) })
  try change(&definition)
  return definition
}

/// Whether `pid` is no process any more, not even a zombie; waits up to ten seconds.
func isGone(_ pid: Int32) -> Bool {
  for _ in 0..<1_000 {
    if kill(pid, 0) != 0 { return true }
    usleep(10_000)
  }
  return false
}
