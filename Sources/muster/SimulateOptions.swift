import MusterAgent
import MusterProtocol
import MusterSimulator
import MusterSystem

/// What `muster simulate` is asked for, checked as a whole.
struct SimulateOptions: Sendable {
  enum Work: Sendable {
    case seed(UInt64)
    case seeds(from: UInt64, count: UInt64)
    /// A file that was read.
    case scenario(Scenario, path: String)
  }

  var work: Work
  var swarm = Swarm.Options()
  /// What to say again on a replay line, such as ` --nodes 5`.
  var swarmWords = ""
  var trace: String?
  var html: String?
  var threads: Int
  var shrinks: Bool
  var wantsJson: Bool

  /// The line that replays one seed.
  func replay(_ seed: UInt64) -> String { "muster simulate --seed \(seed)\(swarmWords)" }

  init(_ invocation: Invocation) throws(CommandFailure) {
    try Self.refuseContradictions(invocation)
    threads = invocation.count("jobs") ?? ParallelWork<Int>.processors
    shrinks = !invocation.has("no-shrink")
    wantsJson = invocation.wantsJson
    trace = invocation.text("trace")
    html = invocation.text("html")
    if let path = invocation.text("scenario") {
      work = .scenario(try Self.read(path), path: path)
      return
    }
    if let seed = invocation.count("seed") {
      work = .seed(UInt64(seed))
    } else {
      let count = invocation.count("seeds") ?? SimulateCommand.defaultSeeds
      work = .seeds(from: UInt64(invocation.count("from") ?? 1), count: UInt64(count))
    }
    try takeSwarm(invocation)
  }

  private mutating func takeSwarm(_ invocation: Invocation) throws(CommandFailure) {
    if let nodes = invocation.count("nodes") {
      swarm.nodes = nodes
      swarmWords += " --nodes \(nodes)"
    }
    if let text = invocation.text("faults") {
      do throws(FaultList.Unknown) {
        swarm.take(try FaultList.read(text))
      } catch {
        throw CommandFailure(.usage, "--faults: \(error)")
      }
      swarmWords += " --faults \(text)"
    }
    if let span = invocation.duration("for") {
      swarm.ordeal = TimeSpan(nanoseconds: span)
      swarmWords += " --for \(Scenario.text(TimeSpan(nanoseconds: span)))"
    }
    if let bits = invocation.count("plant") {
      swarm.planted = PlantedBugs(rawValue: UInt64(bits))
      swarmWords += " --plant \(bits)"
    }
  }

  private static func refuseContradictions(
    _ invocation: Invocation
  ) throws(CommandFailure) {
    let drawn = ["seed", "seeds", "from", "nodes", "faults", "for", "plant"]
    if invocation.has("scenario"), let other = drawn.first(where: { invocation.has($0) }) {
      throw CommandFailure(
        .usage, "--\(other) does not go with --scenario: the file says it itself")
    }
    if invocation.has("scenario"), invocation.has("no-shrink") {
      throw CommandFailure(
        .usage, "--no-shrink does not go with --scenario: only drawn scenarios are made smaller")
    }
    if invocation.has("seed"), let other = ["seeds", "from"].first(where: { invocation.has($0) }) {
      throw CommandFailure(
        .usage, "--seed and --\(other) exclude each other: one seed, or many from one on")
    }
    if invocation.has("from"), !invocation.has("seeds") {
      throw CommandFailure(.usage, "--from needs --seeds N: how many from there on")
    }
    if let trace = invocation.text("trace"), trace == invocation.text("html") {
      throw CommandFailure(.usage, "--trace and --html name the same file")
    }
    if invocation.duration("for") == 0 {
      throw CommandFailure(.usage, "--for 0s is no time for faults: give at least 1s")
    }
  }

  private static func read(_ path: String) throws(CommandFailure) -> Scenario {
    let bytes: [UInt8]?
    do throws(SystemError) { bytes = try Files.read(path, limit: 1 << 20) } catch {
      throw CommandFailure(.usage, "cannot read the scenario: \(error)")
    }
    guard let bytes else { throw CommandFailure(.usage, "there is no file \(path)") }
    do throws(ScenarioReader.Failure) {
      return try ScenarioReader.read(String(decoding: bytes, as: UTF8.self))
    } catch {
      throw CommandFailure(.usage, "\(path): \(error)")
    }
  }
}
