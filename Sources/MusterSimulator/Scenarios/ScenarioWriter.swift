import MusterProtocol
import MusterState

/// A scenario as the text that `ScenarioReader` reads.
extension Scenario {
  package var text: String {
    var lines: [String] = []
    if !title.isEmpty { lines.append("# \(title)") }
    lines.append("nodes \(nodes)")
    if Int(clamping: expect) != nodes { lines.append("planned \(expect)") }
    lines.append("seed \(seed)")
    if let duration { lines.append("for \(Self.text(duration))") }
    if isFormed { lines.append("formed") }
    if !runsAgents { lines.append("agents none") }
    if habits != SimulatedAgent.Habits() {
      lines.append(
        "habits fetch-fails \(habits.fetchFailsPerMille) start-fails "
          + "\(habits.startFailsPerMille) crashes \(habits.crashesPerMille) "
          + "stop-hangs \(habits.stopHangsPerMille)")
    }
    for node in clockOffsets.keys.sorted() {
      lines.append("clock-offset \(Self.name(of: node)) \(Self.text(clockOffsets[node] ?? .zero))")
    }
    lines += steps.map(Self.text)
    lines += expectations.map(Self.text)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The largest unit in which a time is a whole number.
  package static func text(_ span: TimeSpan) -> String {
    let units: [(String, Int64)] = [
      ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
      ("us", 1_000),
    ]
    for (unit, length) in units where span.nanoseconds % length == 0 && span.nanoseconds != 0 {
      return "\(span.nanoseconds / length)\(unit)"
    }
    return span == .zero ? "0s" : "\(span.nanoseconds)ns"
  }

  private static func text(_ step: Step) -> String {
    switch step.trigger {
    case .at(let time): return "at \(text(time)) \(text(step.action))"
    case .phase(let phase, let isCommitted, let after):
      let stage = isCommitted ? "committed" : "proposed"
      return "when \(phase.name) \(stage) after \(text(after)) \(text(step.action))"
    }
  }

  private static func text(_ target: Target) -> String {
    switch target {
    case .nodes(let nodes):
      nodes.count == 1 ? name(of: nodes[0]) : braces(nodes)
    case .leader: "leader"
    case .follower: "follower"
    case .followers: "followers"
    case .all: "all"
    case .majority: "majority"
    case .survivor: "survivor"
    case .lost: "lost"
    }
  }

  private static func braces(_ nodes: [Int]) -> String {
    "{" + nodes.map { name(of: $0) }.joined(separator: " ") + "}"
  }

  private static func text(_ groups: [[Int]]) -> String {
    groups.map(braces).joined(separator: " | ")
  }

  package static func text(_ action: Action) -> String {
    switch action {
    case .start(let target): "start \(text(target))"
    case .join(let target, let via): "join \(text(target)) via \(name(of: via))"
    case .crash(let target): "crash \(text(target))"
    case .restart(let target, let how):
      how == .plain ? "restart \(text(target))" : "restart \(text(target)) \(how.rawValue)"
    case .lose(let target): "lose \(text(target))"
    case .comeBack(let target): "return \(text(target))"
    case .pause(let target, let stands):
      "pause \(text(target))" + (stands ? " clock-stands" : "")
    case .resume(let target): "resume \(text(target))"
    case .starve(let target, let span): "starve \(text(target)) \(text(span))"
    case .clock(let target, let rate): "clock \(text(target)) \(rate)/1024"
    default: networkText(action)
    }
  }

  private static func networkText(_ action: Action) -> String {
    switch action {
    case .partition(let groups): "partition \(text(groups))"
    case .cut(let from, let to): "cut \(text(from)) -> \(text(to))"
    case .clog(let from, let to, let span):
      "clog \(text(from)) -> \(text(to)) \(text(span))"
    case .linkLoss(let from, let to, let loss):
      "loss \(text(from)) -> \(text(to)) \(percent(loss))"
    case .loss(let loss): "loss \(percent(loss))"
    case .duplicate(let share): "duplicate \(percent(share))"
    case .late(let share): "late \(percent(share))"
    case .delay(let delay, let jitter): "delay \(text(delay)) jitter \(text(jitter))"
    case .bandwidth(let bytes): "bandwidth \(bytes)"
    case .multicast(let groups):
      groups.map { "multicast " + text($0) } ?? "multicast none"
    case .heal: "heal"
    case .calm: "calm"
    case .share(let fault, let target): "share \(fault.rawValue) \(text(target))"
    case .operate(let operation, let target): "\(text(operation)) on \(text(target))"
    case .plant(let bugs, let target): "plant \(bugs.rawValue) \(text(target))"
    default: preconditionFailure("written by `text`")
    }
  }

  private static func percent(_ perMille: UInt64) -> String {
    perMille % 10 == 0 ? "\(perMille / 10)%" : "\(perMille / 10).\(perMille % 10)%"
  }

  private static func text(_ operation: Operation) -> String {
    switch operation {
    case .leave: "leave"
    case .forget(let node): "forget \(name(of: node))"
    case .set(let key, let value): "set \(key)=\(value)"
    case .data(let key, let value): "data \(key)=\(value)"
    case .release(let version): "release \(version)"
    case .repair(let version): "repair \(version)"
    case .remove(let version): "remove \(version)"
    case .collect: "collect"
    case .recover: "recover"
    case .version(let version): "version \(version)"
    case .upgrade(let version, let options): "upgrade \(version)\(text(options))"
    case .steer(let order): "plan \(order.name)"
    case .stepDown: "step-down"
    case .handOver(let node): "hand-over \(name(of: node))"
    }
  }

  static func text(_ expectation: Expectation) -> String {
    let time =
      switch expectation.time {
      case .at(let time): "at \(text(time))"
      case .by(let time): "by \(text(time))"
      case .during(let from, let to): "from \(text(from)) to \(text(to))"
      }
    return "expect \(time) \(text(expectation.claim))"
  }

  static func text(_ claim: Expectation.Claim) -> String {
    switch claim {
    case .leader(let nodes): "leader in \(braces(nodes))"
    case .noLeader(let nodes): "no leader in \(braces(nodes))"
    case .sameLeader: "same leader"
    case .members(let nodes): "members \(braces(nodes))"
    case .dead(let node): "dead \(name(of: node))"
    case .whole: "whole"
    case .running(let version): "running \(version)"
    case .sealed: "sealed"
    case .conflict: "conflict"
    case .stopped(let node, let reason): "stopped \(name(of: node)) \(reason)"
    case .setting(let key, let value): "setting \(key)=\(value)"
    }
  }
}
