import MusterProtocol
import MusterState

/// Makes a failing scenario small: fewer machines, fewer things that happen, less time, as long as
/// the same promise is still not kept (delta debugging after Zeller and Hildebrandt, 2002).
package struct Shrinking {
  /// The most runs that shrinking may take.
  package let limit: Int
  package private(set) var runs = 0
  private let kind: String

  /// - Parameter violation: how the scenario fails; a smaller one has to fail in the same way.
  package init(_ violation: Violation, limit: Int = 300) {
    kind = violation.kind
    self.limit = limit
  }

  /// The smallest failing scenario that was found.
  package mutating func shrink(_ scenario: Scenario) -> Scenario {
    var best = scenario
    while runs < limit {
      let before = best
      best = withoutNodes(best)
      best = withoutSteps(best)
      if best == before { break }
    }
    return best
  }

  private mutating func fails(_ scenario: Scenario) -> Bool {
    guard runs < limit else { return false }
    runs += 1
    var run = ScenarioRun(scenario)
    return run.run().violation?.kind == kind
  }

  /// Drops halves, quarters and so on of the steps, never a start and never the calm.
  private mutating func withoutSteps(_ scenario: Scenario) -> Scenario {
    var best = scenario
    var size = max(1, best.steps.count / 2)
    while size >= 1, runs < limit {
      var start = 0
      while start < best.steps.count, runs < limit {
        let end = min(start + size, best.steps.count)
        var smaller = best
        let kept = best.steps[start..<end].filter(\.isEssential)
        smaller.steps.replaceSubrange(start..<end, with: kept)
        if smaller.steps.count < best.steps.count, fails(smaller) {
          best = smaller
        } else {
          start = end
        }
      }
      size /= 2
    }
    return best
  }

  /// Drops the last machine, and whatever was to befall it.
  private mutating func withoutNodes(_ scenario: Scenario) -> Scenario {
    var best = scenario
    while best.nodes > 1, runs < limit {
      var smaller = best
      smaller.nodes -= 1
      smaller.expect = min(smaller.expect, UInt32(smaller.nodes))
      smaller.clockOffsets[smaller.nodes] = nil
      let nodes = smaller.nodes
      smaller.steps = best.steps.compactMap { step in
        step.action.restricted(to: nodes).map { Scenario.Step(step.trigger, $0) }
      }
      guard fails(smaller) else { return best }
      best = smaller
    }
    return best
  }
}

extension Scenario.Step {
  /// Without a start nothing runs, and without the calm nothing may be expected.
  fileprivate var isEssential: Bool {
    switch action {
    // Nor does a plan end that nobody lets go on.
    case .start, .calm, .plant, .operate(.steer(.resume), on: .all): true
    default: false
    }
  }
}

extension Scenario.Target {
  func restricted(to nodes: Int) -> Scenario.Target? {
    guard case .nodes(let list) = self else { return self }
    let rest = list.filter { $0 < nodes }
    return rest.isEmpty ? nil : .nodes(rest)
  }
}

extension Scenario.Action {
  /// The same for fewer machines; `nil` when nothing is left of it.
  func restricted(to nodes: Int) -> Scenario.Action? {
    switch self {
    case .start(let target): return target.restricted(to: nodes).map { .start($0) }
    case .join(let target, let via):
      return via < nodes ? target.restricted(to: nodes).map { .join($0, via: via) } : nil
    case .crash(let target): return target.restricted(to: nodes).map { .crash($0) }
    case .restart(let target, let how):
      return target.restricted(to: nodes).map { .restart($0, how) }
    case .lose(let target): return target.restricted(to: nodes).map { .lose($0) }
    case .comeBack(let target): return target.restricted(to: nodes).map { .comeBack($0) }
    case .pause(let target, let stands):
      return target.restricted(to: nodes).map { .pause($0, clockStands: stands) }
    case .resume(let target): return target.restricted(to: nodes).map { .resume($0) }
    case .starve(let target, let span):
      return target.restricted(to: nodes).map { .starve($0, span) }
    case .clock(let target, let rate):
      return target.restricted(to: nodes).map { .clock($0, rate: rate) }
    case .plant(let bugs, let target):
      return target.restricted(to: nodes).map { .plant(bugs, $0) }
    case .share(let fault, let target):
      return target.restricted(to: nodes).map { .share(fault, $0) }
    case .operate(.forget(let node), _) where node >= nodes: return nil
    case .operate(.handOver(let node), _) where node >= nodes: return nil
    case .operate(let operation, let target):
      return target.restricted(to: nodes).map { .operate(operation, on: $0) }
    default: return restrictedNetwork(to: nodes)
    }
  }

  private func restrictedNetwork(to nodes: Int) -> Scenario.Action? {
    func both(
      _ from: Scenario.Target, _ to: Scenario.Target
    ) -> (Scenario.Target, Scenario.Target)? {
      guard let from = from.restricted(to: nodes), let to = to.restricted(to: nodes) else {
        return nil
      }
      return (from, to)
    }
    func groups(_ old: [[Int]]) -> [[Int]] {
      old.map { $0.filter { $0 < nodes } }.filter { !$0.isEmpty }
    }
    switch self {
    case .partition(let old):
      let rest = groups(old)
      return rest.count > 1 ? .partition(rest) : nil
    case .multicast(let old): return .multicast(old.map(groups))
    case .cut(let from, let to): return both(from, to).map { .cut(from: $0.0, to: $0.1) }
    case .clog(let from, let to, let span):
      return both(from, to).map { .clog(from: $0.0, to: $0.1, span) }
    case .linkLoss(let from, let to, let loss):
      return both(from, to).map { .linkLoss(from: $0.0, to: $0.1, perMille: loss) }
    default: return self
    }
  }
}
