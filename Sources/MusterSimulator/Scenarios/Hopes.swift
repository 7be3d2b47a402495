import MusterProtocol
import MusterState

/// What a scenario expects, looked for at its time: "by" from the last thing that was done before
/// it, "at" then, "from … to" all the time.
struct Hopes: Sendable {
  private struct Hope: Sendable {
    var expectation: Scenario.Expectation
    var from: Instant
    var to: Instant
    var isFulfilled = false
    var fate = ExpectationVerdict.Fate.open
    /// For "same leader": who it was, and in which term.
    var leader: (id: NodeID, term: UInt64)?
    var lastMissing = ""
  }

  private var hopes: [Hope] = []
  private(set) var nextLook = Instant(nanoseconds: .max)
  private static let pace = TimeSpan.milliseconds(50)

  init(_ scenario: Scenario) {
    for expectation in scenario.expectations {
      switch expectation.time {
      case .at(let time):
        hopes.append(Hope(expectation: expectation, from: .zero + time, to: .zero + time))
      case .by(let time):
        let last = scenario.steps.last { step in
          if case .at = step.trigger { step.time < time } else { false }
        }
        // Not before what was done then has been done.
        let from = Instant.zero + (last?.time ?? .zero) + TimeSpan(nanoseconds: 1)
        hopes.append(Hope(expectation: expectation, from: from, to: .zero + time))
      case .during(let from, let to):
        hopes.append(Hope(expectation: expectation, from: .zero + from, to: .zero + to))
      }
    }
    if let first = hopes.map(\.from).min() { nextLook = first }
    // Wholeness after a calm is measured at the same pace.
    if scenario.steps.contains(where: { $0.action == .calm }) { nextLook = .zero }
    paces = nextLook == .zero
  }

  private let paces: Bool

  /// What became of each expectation, in their order.
  var verdicts: [ExpectationVerdict] {
    hopes.map { ExpectationVerdict(expectation: $0.expectation, fate: $0.fate) }
  }

  var areFulfilled: Bool { !hopes.isEmpty && hopes.allSatisfy(\.isFulfilled) }

  /// Looks at everything whose time has come.
  mutating func look(at simulation: Simulation) throws(Violation) {
    let now = simulation.now
    guard now >= nextLook else { return }
    var next = paces ? now + Self.pace : Instant(nanoseconds: .max)
    for index in hopes.indices where !hopes[index].isFulfilled {
      let hope = hopes[index]
      if now < hope.from {
        next = min(next, hope.from)
        continue
      }
      let missing = missing(hope.expectation.claim, index, simulation)
      try judge(index, missing, simulation)
      // The end of its time is looked at exactly.
      if !hopes[index].isFulfilled {
        next = min(next, hope.to > now ? min(hope.to, now + Self.pace) : now + Self.pace)
      }
    }
    nextLook = next
  }

  private mutating func judge(
    _ index: Int, _ missing: String?, _ simulation: Simulation
  ) throws(Violation) {
    let isOver = simulation.now >= hopes[index].to
    switch hopes[index].expectation.time {
    case .by:
      if missing == nil { fulfil(index, simulation) }
      if let missing, isOver { throw disappointed(index, missing, simulation) }
    case .at, .during:
      if let missing { throw disappointed(index, missing, simulation) }
      if isOver { fulfil(index, simulation) }
    }
  }

  /// Whatever was not fulfilled by the end was not fulfilled.
  mutating func end(in simulation: Simulation) throws(Violation) {
    for index in hopes.indices where !hopes[index].isFulfilled {
      guard case .by = hopes[index].expectation.time else { continue }
      if let missing = missing(hopes[index].expectation.claim, index, simulation) {
        throw disappointed(index, missing, simulation)
      }
      fulfil(index, simulation)
    }
  }

  private mutating func fulfil(_ index: Int, _ simulation: Simulation) {
    hopes[index].isFulfilled = true
    hopes[index].fate = .kept(simulation.now)
  }

  private mutating func disappointed(
    _ index: Int, _ missing: String, _ simulation: Simulation
  ) -> Violation {
    let expectation = hopes[index].expectation
    hopes[index].fate = .missed(simulation.now, missing)
    let place = expectation.line > 0 ? "line \(expectation.line): " : ""
    return Violation(
      checker: ExpectationVerdict.checker, at: simulation.now,
      text: "\(place)\(Scenario.text(expectation.claim)); \(missing)")
  }

  /// What keeps a claim from being true; `nil` when it is.
  private mutating func missing(
    _ claim: Scenario.Expectation.Claim, _ index: Int, _ simulation: Simulation
  ) -> String? {
    if case .sameLeader = claim { return missingSameLeader(index, simulation) }
    return Claims(simulation).missing(claim)
  }

  private mutating func missingSameLeader(_ index: Int, _ simulation: Simulation) -> String? {
    let claims = Claims(simulation)
    guard let holder = claims.holders.first, claims.holders.count == 1,
      let running = simulation.nodes[holder].running
    else { return "\(claims.holders.count) hold a lease" }
    guard let before = hopes[index].leader else {
      hopes[index].leader = (running.core.id, running.core.audit.term)
      return nil
    }
    guard before == (running.core.id, running.core.audit.term) else {
      return "\(simulation.nodes[holder].name) leads in term \(running.core.audit.term), it was "
        + "\(before.id.short) in \(before.term)"
    }
    return nil
  }
}

/// Claims about a cluster at one moment.
struct Claims {
  let simulation: Simulation

  init(_ simulation: Simulation) { self.simulation = simulation }

  /// Who holds a valid lease now.
  var holders: [Int] { simulation.nodes.indices.filter(simulation.holdsLease) }

  func missing(_ claim: Scenario.Expectation.Claim) -> String? {
    let nodes = simulation.nodes
    switch claim {
    case .leader(let group):
      let holders = holders
      let names = holders.map { nodes[$0].name }.joined(separator: " ")
      return holders.count == 1 && group.contains(holders[0])
        ? nil : "a lease is held by: \(names.isEmpty ? "nobody" : names)"
    case .noLeader(let group):
      return holders.first { group.contains($0) }.map { "\(nodes[$0].name) holds a lease" }
    case .members(let group): return missingMembers(group)
    case .dead(let node):
      return unaware(of: node, .dead).map { "\(nodes[$0].name) does not see it dead" }
    case .whole: return Wholeness(simulation).missing
    case .running(let version):
      let other = nodes.first {
        $0.isRunning && ($0.agent.status.running?.version != version || !$0.agent.status.ready)
      }
      return other.map {
        "\($0.name) runs \($0.agent.status.running?.version ?? "nothing")"
      }
    case .sealed:
      return nodes.first { $0.isRunning && !($0.running?.core.audit.isSealed ?? false) }.map {
        "\($0.name) is not sealed"
      }
    case .conflict:
      let foundings = Set(nodes.compactMap { $0.running?.core.audit.founding })
      return foundings.count > 1 ? nil : "there is \(foundings.count) founding"
    case .stopped(let node, let reason):
      let found = nodes[node].stopped.map(Self.text) ?? "running"
      return found == reason ? nil : "it is \(found)"
    case .setting(let key, let value):
      let other = nodes.first {
        $0.isRunning && $0.running?.core.committedRegister?.setting(key) != value
      }
      return other.map {
        "\($0.name) has \($0.running?.core.committedRegister?.setting(key) ?? "none")"
      }
    case .sameLeader: return nil
    }
  }

  private func missingMembers(_ group: [Int]) -> String? {
    for index in group {
      guard let running = simulation.nodes[index].running else {
        return "\(simulation.nodes[index].name) does not run"
      }
      for other in group {
        guard let id = simulation.nodes[other].running?.core.id,
          running.core.state(of: id) == .alive
        else {
          return "\(simulation.nodes[index].name) does not see \(simulation.nodes[other].name)"
        }
      }
      if running.core.liveCount != group.count {
        return "\(simulation.nodes[index].name) sees \(running.core.liveCount) alive"
      }
    }
    return nil
  }

  /// A running node that does not believe this of the machine's last identity.
  private func unaware(of node: Int, _ state: MemberState) -> Int? {
    let id = simulation.nodes[node].id
    return simulation.nodes.indices.first { other in
      other != node && simulation.nodes[other].isRunning && !simulation.nodes[other].isPaused
        && simulation.nodes[other].running?.core.state(of: id) != state
    }
  }

  private static func text(_ reason: StopReason) -> String {
    switch reason {
    case .left: "left"
    case .nameTaken: "name-taken"
    case .cloned: "cloned"
    case .forgotten: "forgotten"
    }
  }
}
