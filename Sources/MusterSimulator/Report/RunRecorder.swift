import MusterProtocol
import MusterState

/// What a run looked like, gathered after each turn, to be drawn. It looks like a checker does and
/// changes nothing.
package struct RunRecorder: Sendable {
  enum Life: Sendable {
    case absent, up, paused, down
    /// Left, forgotten, or taken out of service.
    case gone
  }

  /// What the majority of the other running machines believes of one.
  enum Reputation: Sendable { case unknown, alive, suspect, dead, left, divided }

  struct Lease: Hashable, Sendable {
    var term: UInt64
    var from: Instant
    var to: Instant
  }

  /// One machine's course.
  struct Row: Sendable {
    var name: String
    var life = Timeline<Life>()
    var reputation = Timeline<Reputation>()
    var leases: [Lease] = []
    /// The term it leads in, with or without a lease.
    var leading = Timeline<UInt64?>()
    var commits: [Instant] = []
    /// Its last identity, which others go on speaking of while it is down.
    var id: NodeID?
  }

  private(set) var rows: [Row] = []
  private(set) var bands = BandRecorder()
  /// The committed plan's phase, with its release.
  private(set) var phases = Timeline<String?>()
  private(set) var violation: Violation?
  private(set) var end = Instant.zero
  private var committed = RegisterVersion.none
  private var isDirty = false
  private var looksAt = Instant.zero
  /// Opinions are gathered at this pace: each look asks everyone about everyone.
  private static let pace = TimeSpan.milliseconds(20)

  package init() {}

  // MARK: - Gathering

  mutating func note(_ simulation: Simulation) {
    prepare(simulation)
    let node = simulation.turn.node
    noteLife(node, simulation)
    noteLeadership(node, simulation)
    for event in simulation.turn.events { note(event, node, simulation) }
    if isDirty, simulation.now >= looksAt { noteReputations(simulation) }
  }

  mutating func note(_ action: Scenario.Action, _ simulation: Simulation) {
    prepare(simulation)
    bands.note(action, at: simulation.now)
    for node in rows.indices { noteLife(node, simulation) }
  }

  mutating func end(_ simulation: Simulation, _ violation: Violation?) {
    prepare(simulation)
    for node in rows.indices { noteLife(node, simulation) }
    noteReputations(simulation)
    end = simulation.now
    self.violation = violation
    for node in rows.indices {
      rows[node].life.end(at: end)
      rows[node].reputation.end(at: end)
      rows[node].leading.end(at: end)
      for index in rows[node].leases.indices {
        rows[node].leases[index].to = min(end, rows[node].leases[index].to)
      }
    }
    phases.end(at: end)
    bands.end(at: end)
  }

  private mutating func prepare(_ simulation: Simulation) {
    while rows.count < simulation.nodes.count {
      var row = Row(name: simulation.nodes[rows.count].name)
      row.life.become(.absent, at: .zero)
      row.reputation.become(.unknown, at: .zero)
      row.leading.become(nil, at: .zero)
      rows.append(row)
    }
    if phases.stretches.isEmpty { phases.become(nil, at: .zero) }
  }

  private mutating func noteLife(_ index: Int, _ simulation: Simulation) {
    let node = simulation.nodes[index]
    let life: Life =
      if node.isRunning {
        node.isPaused ? .paused : .up
      } else {
        switch node.stopped {
        case .left, .forgotten, .cloned: .gone
        case .nameTaken: .down
        case nil: rows[index].id == nil ? .absent : .down
        }
      }
    if let id = node.running?.core.id { rows[index].id = id }
    if rows[index].life.stretches.last?.value != life { isDirty = true }
    rows[index].life.become(life, at: simulation.now)
    if !node.isRunning {
      rows[index].leading.become(nil, at: simulation.now)
      endLease(of: index, at: simulation.now)
    }
  }

  private mutating func noteLeadership(_ index: Int, _ simulation: Simulation) {
    guard let audit = simulation.nodes[index].running?.core.audit else { return }
    rows[index].leading.become(audit.isLeader ? audit.term : nil, at: simulation.now)
    guard audit.isLeader, let until = audit.leaseUntil else {
      return endLease(of: index, at: simulation.now)
    }
    let to = simulation.nodes[index].clock.trueTime(of: until)
    guard to > simulation.now else { return }
    if let last = rows[index].leases.last, last.term == audit.term, last.to >= simulation.now {
      rows[index].leases[rows[index].leases.count - 1].to = max(last.to, to)
    } else {
      endLease(of: index, at: simulation.now)
      rows[index].leases.append(Lease(term: audit.term, from: simulation.now, to: to))
    }
  }

  /// A lease that was given up, or that went down with its holder, ends then.
  private mutating func endLease(of index: Int, at time: Instant) {
    guard let last = rows[index].leases.last, last.to > time else { return }
    rows[index].leases[rows[index].leases.count - 1].to = time
  }

  private mutating func note(_ event: Event, _ index: Int, _ simulation: Simulation) {
    switch event {
    case .memberAlive, .memberSuspect, .memberDead, .memberLeft, .memberForgotten, .memberUnfit:
      isDirty = true
    case .registerCommitted, .planChanged:
      guard let core = simulation.nodes[index].running?.core else { return }
      let version = core.audit.committed
      // Who shows a version first is who committed it.
      if version > committed { rows[index].commits.append(simulation.now) }
      guard version >= committed else { return }
      committed = version
      let plan = core.committedRegister?.plan
      phases.become(plan.map { "\($0.phase.name) \($0.to.version)" }, at: simulation.now)
    default: break
    }
  }

  // MARK: - Opinions

  private mutating func noteReputations(_ simulation: Simulation) {
    isDirty = false
    looksAt = simulation.now + Self.pace
    let observers = simulation.nodes.indices.filter {
      simulation.nodes[$0].isRunning && !simulation.nodes[$0].isPaused
    }
    for index in rows.indices {
      guard let id = rows[index].id else { continue }
      var counts: [Reputation: Int] = [:]
      var total = 0
      for observer in observers where observer != index {
        guard let core = simulation.nodes[observer].running?.core else { continue }
        counts[Self.reputation(core.state(of: id)), default: 0] += 1
        total += 1
      }
      func most(_ kinds: Reputation...) -> Bool {
        kinds.reduce(0) { $0 + (counts[$1] ?? 0) } * 2 > total
      }
      let clear = [Reputation.alive, .dead, .left].first { most($0) }
      let reputation =
        total == 0 || most(.unknown)
        ? .unknown : clear ?? (most(.suspect, .dead) ? .suspect : .divided)
      rows[index].reputation.become(reputation, at: simulation.now)
    }
  }

  private static func reputation(_ state: MemberState?) -> Reputation {
    switch state {
    case .alive: .alive
    case .suspect: .suspect
    case .dead: .dead
    case .left: .left
    case nil: .unknown
    }
  }
}
