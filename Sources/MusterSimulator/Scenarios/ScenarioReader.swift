import MusterProtocol
import MusterState

/// Reads scenario files: one statement a line, `#` begins a comment. `scenarios/` has many.
package struct ScenarioReader {
  /// What is wrong with a file: where, what stands there, and what could.
  package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    package var line: Int
    package var text: String
    package var description: String { "line \(line): \(text)" }
  }

  var words: ArraySlice<Substring> = []
  var line = 0
  var scenario = Scenario(nodes: 0)
  var hasPlan = false

  private init() {}

  package static func read(_ text: String) throws(Failure) -> Scenario {
    var reader = ScenarioReader()
    for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      reader.line = number + 1
      let comment = raw.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      if reader.scenario.title.isEmpty, comment.count == 2, comment[0].isEmpty {
        reader.scenario.title = String(comment[1].drop { $0 == " " })
      }
      reader.words = Self.words(of: comment.first ?? "")[...]
      guard !reader.words.isEmpty else { continue }
      try reader.statement()
      guard reader.words.isEmpty else {
        throw reader.failure("'\(reader.words.joined(separator: " "))' is more than is understood")
      }
    }
    guard reader.scenario.nodes > 0 else {
      throw Failure(line: 1, text: "no 'nodes N' says how many machines there are")
    }
    if !reader.hasPlan { reader.scenario.expect = UInt32(reader.scenario.nodes) }
    reader.scenario.sortSteps()
    return reader.scenario
  }

  private static func words(of line: Substring) -> [Substring] {
    var result: [Substring] = []
    for word in line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }) {
      // Braces are words of their own, with or without spaces around them.
      var rest = word
      if rest.first == "{" {
        result.append("{")
        rest = rest.dropFirst()
      }
      let closes = rest.last == "}"
      if closes { rest = rest.dropLast() }
      if !rest.isEmpty { result.append(rest) }
      if closes { result.append("}") }
    }
    return result
  }

  // MARK: - Statements

  private mutating func statement() throws(Failure) {
    let word = try next("a statement")
    switch word {
    case "nodes":
      scenario.nodes = try number(1...10_000)
    case "planned":
      scenario.expect = UInt32(try number(1...10_000))
      hasPlan = true
    case "seed":
      scenario.seed = try unsigned()
    case "for":
      scenario.duration = try span()
    case "formed": scenario.isFormed = true
    case "agents":
      try demand("none")
      scenario.runsAgents = false
    case "habits": try habits()
    case "clock-offset":
      let node = try node()
      scenario.clockOffsets[node] = try span()
    case "at":
      let time = try span()
      scenario.steps.append(Scenario.Step(.at(time), try action()))
    case "when": try phaseStep()
    case "expect": try expectation()
    default:
      throw failure(
        "'\(word)' is no statement; there are nodes, planned, seed, for, formed, agents, habits, "
          + "clock-offset, at, when and expect")
    }
  }

  private mutating func habits() throws(Failure) {
    while !words.isEmpty {
      let word = try next("a habit")
      let value = UInt64(try number(0...1_000))
      switch word {
      case "fetch-fails": scenario.habits.fetchFailsPerMille = value
      case "start-fails": scenario.habits.startFailsPerMille = value
      case "crashes": scenario.habits.crashesPerMille = value
      case "stop-hangs": scenario.habits.stopHangsPerMille = value
      default:
        throw failure(
          "'\(word)' is no habit; there are fetch-fails, start-fails, crashes and stop-hangs")
      }
    }
  }

  private mutating func phaseStep() throws(Failure) {
    let word = try next("a phase")
    guard let phase = Plan.Phase.allCases.first(where: { $0.name == word }) else {
      throw failure(
        "'\(word)' is no phase; there are "
          + Plan.Phase.allCases.map(\.name).joined(separator: ", "))
    }
    let stage = try next("'proposed' or 'committed'")
    guard stage == "proposed" || stage == "committed" else {
      throw failure("'\(stage)' stands where 'proposed' or 'committed' belongs")
    }
    var after = TimeSpan.zero
    if words.first == "after" {
      words = words.dropFirst()
      after = try span()
    }
    scenario.steps.append(
      Scenario.Step(
        .phase(phase, isCommitted: stage == "committed", after: after), try action()))
  }

  private mutating func action() throws(Failure) -> Scenario.Action {
    let word = try next("an action")
    switch word {
    case "start": return .start(try target())
    case "join":
      let target = try target()
      try demand("via")
      return .join(target, via: try node())
    case "crash": return .crash(try target())
    case "restart":
      let target = try target()
      return .restart(target, try restart())
    case "lose": return .lose(try target())
    case "return": return .comeBack(try target())
    case "pause":
      let target = try target()
      let stands = words.first == "clock-stands"
      if stands { words = words.dropFirst() }
      return .pause(target, clockStands: stands)
    case "resume": return .resume(try target())
    case "starve": return .starve(try target(), try span())
    case "clock":
      let target = try target()
      return .clock(target, rate: try rate())
    case "share":
      let fault = try next("a fault of the share")
      guard let fault = Scenario.ShareFault(rawValue: String(fault)) else {
        throw failure(
          "'\(fault)' is no fault; there are "
            + Scenario.ShareFault.allCases.map(\.rawValue).joined(separator: ", "))
      }
      return .share(fault, try target())
    case "plant":
      let bugs = PlantedBugs(rawValue: try unsigned())
      return .plant(bugs, try target())
    default: return try networkAction(word)
    }
  }

  private mutating func restart() throws(Failure) -> Scenario.Restart {
    guard let word = words.first else { return .plain }
    words = words.dropFirst()
    guard let how = Scenario.Restart(rawValue: String(word)) else {
      throw failure(
        "'\(word)' is no kind of restart; there are "
          + Scenario.Restart.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return how
  }

  private mutating func networkAction(_ word: Substring) throws(Failure) -> Scenario.Action {
    switch word {
    case "partition": return .partition(try groups())
    case "cut":
      let (from, to) = try link()
      return .cut(from: from, to: to)
    case "clog":
      let (from, to) = try link()
      return .clog(from: from, to: to, try span())
    case "loss":
      if words.count == 1 { return .loss(perMille: try percent()) }
      let (from, to) = try link()
      return .linkLoss(from: from, to: to, perMille: try percent())
    case "duplicate": return .duplicate(perMille: try percent())
    case "late": return .late(perMille: try percent())
    case "delay":
      let delay = try span()
      try demand("jitter")
      return .delay(delay, jitter: try span())
    case "bandwidth": return .bandwidth(bytesPerSecond: try number(0...1_000_000_000))
    case "multicast":
      if words.first == "none" {
        words = words.dropFirst()
        return .multicast(nil)
      }
      return .multicast(try groups())
    case "heal": return .heal
    case "calm": return .calm
    default: return try operation(word)
    }
  }

  private mutating func operation(_ word: Substring) throws(Failure) -> Scenario.Action {
    let operation: Scenario.Operation
    switch word {
    case "leave": operation = .leave
    case "forget": operation = .forget(try node())
    case "set":
      let pair = try pair()
      operation = .set(key: pair.key, value: pair.value)
    case "data":
      let pair = try pair()
      operation = .data(key: pair.key, value: pair.value)
    case "release": operation = .release(String(try next("a version")))
    case "repair": operation = .repair(String(try next("a version")))
    case "remove": operation = .remove(String(try next("a version")))
    case "collect": operation = .collect
    case "recover": operation = .recover
    case "version": operation = .version(String(try next("a version")))
    case "upgrade": operation = .upgrade(String(try next("a version")), try upgradeOptions())
    case "plan": operation = .steer(try planOrder())
    case "step-down": operation = .stepDown
    case "hand-over": operation = .handOver(try node())
    default:
      throw failure(
        "'\(word)' is no action; there are start, join, crash, restart, lose, return, pause, "
          + "resume, starve, clock, partition, cut, clog, loss, duplicate, late, delay, "
          + "bandwidth, multicast, heal, calm, share, leave, forget, set, data, release, repair, "
          + "remove, collect, version, upgrade, plan, step-down, hand-over and recover")
    }
    try demand("on")
    return .operate(operation, on: try target())
  }

  // MARK: - Expectations

  private mutating func expectation() throws(Failure) {
    let word = try next("'at', 'by' or 'from'")
    let time: Scenario.Expectation.Time
    switch word {
    case "at": time = .at(try span())
    case "by": time = .by(try span())
    case "from":
      let from = try span()
      try demand("to")
      time = .during(from, try span())
    default: throw failure("'\(word)' stands where 'at', 'by' or 'from' belongs")
    }
    scenario.expectations.append(Scenario.Expectation(time, try claim(), line: line))
  }

  private mutating func claim() throws(Failure) -> Scenario.Expectation.Claim {
    let word = try next("a claim")
    switch word {
    case "leader":
      try demand("in")
      return .leader(try group())
    case "no":
      try demand("leader")
      try demand("in")
      return .noLeader(try group())
    case "same":
      try demand("leader")
      return .sameLeader
    case "members": return .members(try group())
    case "dead": return .dead(try node())
    case "whole": return .whole
    case "running": return .running(String(try next("a version")))
    case "sealed": return .sealed
    case "conflict": return .conflict
    case "stopped":
      let node = try node()
      return .stopped(node, String(try next("a reason")))
    case "setting":
      let pair = try pair()
      return .setting(key: pair.key, value: pair.value)
    default:
      throw failure(
        "'\(word)' is no claim; there are leader in, no leader in, same leader, members, dead, "
          + "whole, running, sealed, conflict, stopped and setting")
    }
  }
}
