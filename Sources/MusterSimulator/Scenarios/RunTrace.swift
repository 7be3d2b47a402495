import MusterProtocol
import MusterState

/// The written course of a run: what was done to the cluster, what happened in it, and each second
/// a number that stands for the state of every node. The same scenario gives the same bytes, on
/// every machine.
package struct RunTrace: Sendable {
  package private(set) var lines: [String] = []
  private var nextDigest = Instant.zero

  package init() {}

  mutating func note(_ simulation: Simulation, _ text: String) {
    lines.append("\(seconds(simulation.now)) \(text)")
  }

  mutating func note(_ simulation: Simulation) {
    let turn = simulation.turn
    let node = simulation.nodes[turn.node].name
    for event in turn.events { note(simulation, "\(node) \(Self.text(event, simulation))") }
    for deed in turn.deeds { note(simulation, "\(node) \(Self.text(deed))") }
    guard simulation.now >= nextDigest else { return }
    nextDigest = simulation.now + .seconds(1)
    var state: UInt64 = UInt64(simulation.datagrams)
    for node in simulation.nodes {
      let print = node.running?.core.stateFingerprint ?? 0
      state = (state ^ print) &* 0x9e37_79b9_7f4a_7c15
      state ^= state >> 29
    }
    note(simulation, "state \(String(state, radix: 16)) datagrams \(simulation.datagrams)")
  }

  private static func name(_ id: NodeID, _ simulation: Simulation) -> String {
    simulation.nodes.first { $0.running?.core.id == id }?.name ?? id.short
  }

  private static func text(_ event: Event, _ simulation: Simulation) -> String {
    text(event) { name($0, simulation) }
  }

  static func text(_ event: Event, name: (NodeID) -> String) -> String {
    switch event {
    case .memberAlive(let id, _, let via): return "sees \(name(id)) alive, by \(via.rawValue)"
    case .memberSuspect(let id, _, let by): return "suspects \(name(id)), told by \(name(by))"
    case .memberDead(let id, _, let accusers):
      return "sees \(name(id)) dead, \(accusers) accusers"
    case .memberLeft(let id, _): return "sees that \(name(id)) has left"
    case .memberForgotten(let id): return "forgets \(name(id))"
    case .memberUnfit(let id, _): return "leaves \(name(id)) out"
    case .recordUpdated(let id, let record): return "has a new \(record) of \(name(id))"
    case .leaderChanged(let id, let term):
      return id.map { "follows \(name($0)) in term \(term)" } ?? "knows of no leader"
    case .founded(_, let voters):
      return "founds the cluster, voters " + voters.map(name).joined(separator: " ")
    case .joined: return "joins a founding"
    case .sealed: return "sees the founding sealed"
    case .registerCommitted(let version): return "commits \(version)"
    case .roleChanged(let id, let role):
      return "role of \(name(id)): \(role.map(\.name) ?? "none")"
    case .planChanged(let plan, _):
      let wave = plan.map { $0.lastWave > 0 ? ", wave \(UInt64($0.wave) + 1)" : "" } ?? ""
      return "plan: \(plan?.phase.name ?? "idle")\(wave)"
    case .acknowledged(let id, _, let said): return "hears \(name(id)): \(said.name)"
    case .releaseChanged(let reference): return "release: \(reference?.version ?? "none")"
    case .clusterConflict: return "sees another sealed cluster"
    case .equivocation(let id): return "has proof that \(name(id)) signed two values"
    case .nameConflict(let text, _, _): return "sees the name \(text) claimed twice"
    case .clockStood(let span): return "learns that its clock stood for \(Scenario.text(span))"
    case .ruleStep(let step): return "steps in term \(step.outcome.term)"
    case .recovered(_, _, let by): return "goes on from \(name(by)), by the operator's decision"
    }
  }

  private static func text(_ deed: SimulatedAgent.Deed) -> String {
    switch deed {
    case .fetchStarted(let order): "fetches \(order.release.version) in term \(order.term)"
    case .published(let reference): "publishes \(reference.directoryName)"
    case .started(let reference, let role, _): "starts \(reference.version) as \(role.name)"
    case .stopped: "stopped its service"
    }
  }
}
