import Glibc
import MusterAgent
import MusterSystem
import Synchronization
import Testing

/// A cluster of real agents in a directory, on addresses and a multicast group of its own.
///
/// Agents are ended by their own process ids when the cluster goes.
final class EndToEndCluster {
  /// What a finished command said.
  struct Outcome {
    let code: Int32
    let output: String
    let errors: String

    /// A refusal is one line, with nothing on standard output.
    var line: String { errors.hasSuffix("\n") ? String(errors.dropLast()) : errors }
    var isOneLine: Bool { !line.isEmpty && !line.contains("\n") && output.isEmpty }

    func json() throws -> Json { try Json(reading: Array(output.utf8)) }
  }

  private static let counter = Mutex<UInt32>(0)

  let folder: TemporaryFolder
  let program: String
  private let network: String
  private let group: String
  private var agents: [Int: ChildProcess] = [:]
  private var commands = 0

  /// - Parameter expect: how many nodes found the cluster.
  init(expect: Int) throws {
    isAlone = expect == 1
    folder = try TemporaryFolder()
    program = "\(try OwnProgram.directory())/muster"
    let number = Self.counter.withLock { counter in
      counter += 1
      return counter
    }
    let process = UInt32(getpid())
    network = "127.\(128 + process / 250 % 100).\(process % 250)"
    group = "239.\(100 + number % 100).\(128 + process / 250 % 100).\(process % 250):7946"
    first = Int(number % 25) * 10
    try Files.makeDirectory(folder.path + "/shared", mode: 0o755)
    let made = try muster("init", "--name", "demo", "--expect", "\(expect)", "--out", at("made"))
    try #require(made.code == 0, "\(made.errors)")
    try folder.write("muster.yaml", Self.sleeper)
  }

  private let first: Int
  /// A cluster of one has nobody to wait for.
  private let isAlone: Bool

  deinit {
    for (_, agent) in agents { agent.signal(SIGTERM) }
    let end = MonotonicClock.nanoseconds + 5_000_000_000
    for (_, agent) in agents {
      while agent.reap() == nil, MonotonicClock.nanoseconds < end { usleep(5_000) }
    }
  }

  /// A service that does nothing, well.
  static let sleeper = """
    services:
      idle:
        roles: [web, worker]
        command: [serve]
        version: [serve, version]
        stop: {signal: TERM, limit: 5s}
    """

  func at(_ name: String) -> String { "\(folder.path)/\(name)" }
  func host(_ node: Int) -> String { "\(network).\(first + node)" }
  func address(_ node: Int) -> String { "\(host(node)):7946" }
  func pid(_ node: Int) throws -> Int32 { try #require(agents[node]).pid }

  /// The words of `muster agent` for a node; `changes` replace or add flags.
  func words(_ node: Int, _ changes: [String: String] = [:], founds: Bool? = nil) -> [String] {
    var flags = [
      "--config": at("muster.yaml"), "--cluster": at("made/cluster"), "--name": "ci/\(node)",
      "--state": at("state\(node)"), "--shared": at("shared"), "--bind": address(node),
      "--multicast": group, "--control": at("control\(node)"),
      "--http": "\(host(node)):7947",
    ]
    flags.merge(changes) { $1 }
    return (founds ?? isAlone ? ["agent", "--found"] : ["agent"])
      + flags.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
  }

  /// - Parameter mounting: shell words that run first, in a mount namespace of the agent's own.
  func start(
    _ node: Int, _ changes: [String: String] = [:], mounting: String? = nil
  ) throws {
    let prefix = mounting.map { "exec unshare -m sh -c '\($0) && exec \"$@\"' sh" } ?? "exec"
    agents[node] = try ChildProcess(
      program: "/bin/sh",
      arguments: ["-c", "\(prefix) \"$@\" >>'\(at("log\(node)"))' 2>&1", "sh", program]
        + words(node, changes), environment: environment, directory: folder.path,
      output: .inherited, diesWithThread: false)
  }

  /// Runs an agent that is expected to end by itself.
  func refusedAgent(
    _ node: Int, _ changes: [String: String] = [:], founds: Bool? = nil
  ) throws -> Outcome {
    try run(program, words(node, changes, founds: founds))
  }

  func kill(_ node: Int, _ signal: Int32 = SIGKILL) throws -> MusterSystem.ExitStatus? {
    let agent = try #require(agents[node])
    agent.signalLeader(signal)
    return try end(node)
  }

  /// Waits for an agent that ends.
  func end(_ node: Int) throws -> MusterSystem.ExitStatus? {
    let agent = try #require(agents[node])
    var status: MusterSystem.ExitStatus?
    _ = Self.eventually {
      status = agent.reap()
      return status != nil
    }
    if status != nil { agents[node] = nil }
    return status
  }

  func log(_ node: Int) -> String { folder.read("log\(node)") ?? "" }

  // MARK: Commands

  func muster(_ words: String...) throws -> Outcome { try run(program, words) }

  /// A command to the agent of a node.
  func ask(_ node: Int, _ words: String...) throws -> Outcome {
    try run(program, words + ["--control", at("control\(node)")])
  }

  /// A command that must succeed.
  @discardableResult
  func told(
    _ node: Int, _ words: String..., at place: SourceLocation = #_sourceLocation
  ) throws -> Outcome {
    let outcome = try run(program, words + ["--control", at("control\(node)")])
    try #require(
      outcome.code == 0, "\(words): \(outcome.errors) \(log(node).suffix(600))",
      sourceLocation: place)
    return outcome
  }

  /// Runs a program, for at most a minute and a half.
  func run(_ program: String, _ words: [String]) throws -> Outcome {
    commands += 1
    let name = "command\(commands)"
    let child = try ChildProcess(
      program: "/bin/sh",
      arguments: [
        "-c", "exec timeout 90 \"$@\" >'\(at(name)).out' 2>'\(at(name)).err'", "sh", program,
      ] + words, environment: environment, directory: folder.path, output: .inherited,
      diesWithThread: false)
    guard case .exited(let code) = child.waitForExit() else {
      return Outcome(code: -1, output: "", errors: "\(words) was ended by a signal")
    }
    return Outcome(
      code: code, output: folder.read("\(name).out") ?? "",
      errors: folder.read("\(name).err") ?? "")
  }

  /// What agents and commands find in their environment besides.
  var variables: [String: String] = [:]

  /// Nothing leaves the machine, whatever proxy the shell is set to.
  private var environment: [String: String] {
    ChildProcess.inheritedEnvironment.filter {
      !$0.key.lowercased().hasSuffix("_proxy") && $0.key != "MUSTER_CONTROL"
    }.merging(variables) { $1 }
  }

  // MARK: Releases

  /// Makes an archive of one program and announces it; `digest` replaces the right one.
  func announce(
    _ version: String, by node: Int, serve: String = "exec sleep 600", digest: String? = nil
  ) throws {
    try announce(version, archive: try pack(version, serve: serve), by: node, digest: digest)
  }

  /// Makes that archive, and says where it is.
  @discardableResult
  func pack(_ version: String, serve: String = "exec sleep 600") throws -> String {
    try Files.makeDirectory(at("tree\(version)"), mode: 0o755)
    try folder.write(
      "tree\(version)/serve",
      "#!/bin/sh\n[ \"$1\" = version ] && { echo \(version); exit; }\n\(serve)\n")
    let archive = at("\(version).tar.gz")
    let packed = try run(
      "/bin/sh",
      [
        "-c", "chmod 755 \"$1/serve\"; tar -C \"$1\" -czf \"$2\" serve", "sh",
        at("tree\(version)"), archive,
      ])
    try #require(packed.code == 0, "\(packed.errors)")
    return archive
  }

  func announce(
    _ version: String, archive: String, by node: Int, digest: String? = nil
  ) throws {
    let sum = try run("/usr/bin/sha256sum", [archive]).output.prefix(64)
    try told(
      node, "release", "add", version, "--source", "file://\(archive)", "--sha256",
      digest ?? String(sum))
  }

  /// Processes that a node's agent has started and that live.
  func services(_ node: Int) throws -> [Int32] {
    let pid = try pid(node)
    let listing = try run("/bin/ps", ["-o", "pid=", "--ppid", "\(pid)"]).output
    return listing.split(whereSeparator: { " \n".contains($0) }).compactMap { Int32($0) }
  }

  /// The durable files of a node: they must be the same after a refusal.
  func state(_ node: Int) -> [String: String] {
    var result: [String: String] = [:]
    for name in ["identity", "incarnation", "register"] {
      result[name] = folder.read("state\(node)/\(name)")
    }
    return result
  }

  static func eventually(
    within seconds: Int64 = 20, _ condition: () throws -> Bool
  ) rethrows -> Bool {
    let end = MonotonicClock.nanoseconds + seconds * 1_000_000_000
    while MonotonicClock.nanoseconds < end {
      if try condition() { return true }
      usleep(20_000)
    }
    return try condition()
  }
}
