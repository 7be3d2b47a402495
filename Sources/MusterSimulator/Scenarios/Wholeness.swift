import MusterDecisions
import MusterProtocol
import MusterState

/// What a cluster becomes again by itself when faults stop: everyone sees everyone, one leads, all
/// act on the same register, and what it names runs everywhere.
package struct Wholeness {
  private let simulation: Simulation

  package init(_ simulation: Simulation) { self.simulation = simulation }

  /// What is not yet so, in one line; `nil` when the cluster is whole.
  package var missing: String? {
    let forgotten = Set(
      simulation.nodes.flatMap { $0.running?.core.committedRegister?.forgotten ?? [] })
    let wanted = simulation.nodes.indices.filter { index in
      isWanted(simulation.nodes[index])
        && !(simulation.id(index).map { forgotten.contains($0) } ?? false)
    }
    if let off = wanted.first(where: { !simulation.nodes[$0].isRunning }) {
      return "\(simulation.nodes[off].name) does not run"
    }
    let present = wanted.compactMap { index in
      simulation.nodes[index].running.map { (index: index, running: $0) }
    }
    let ids = present.map(\.running.core.id)
    for (index, running) in present {
      if let unseen = ids.first(where: { running.core.state(of: $0) != .alive }) {
        return "\(name(index)) does not see \(name(of: unseen)) alive"
      }
      // Who hears nobody doubts itself, and takes nobody for dead.
      if running.core.liveCount != ids.count, ids.count > 1 {
        return "\(name(index)) sees \(running.core.liveCount) alive of \(ids.count)"
      }
    }
    return missingLeadership(present) ?? missingWork(present) ?? missingAgreement(present)
  }

  private func isWanted(_ node: SimulatedNode) -> Bool {
    if node.isLost { return false }
    if node.incarnation == 0 && node.running == nil && node.stopped == nil {
      return false
    }
    return switch node.stopped {
    case .left, .forgotten, .cloned: false
    case .nameTaken, nil: true
    }
  }

  private func missingLeadership(_ present: [(index: Int, running: RunningPeer)]) -> String? {
    let leaders = present.filter { $0.running.core.audit.isEffective }
    guard let leader = leaders.first, leaders.count == 1 else {
      return leaders.isEmpty ? "nobody leads" : "\(leaders.count) lead"
    }
    let audit = leader.running.core.audit
    for (index, running) in present {
      let other = running.core.audit
      if other.founding != audit.founding { return "\(name(index)) is of another founding" }
      if running.core.believedLeader != leader.running.core.id {
        return "\(name(index)) does not know that \(name(leader.index)) leads"
      }
      if other.committed != audit.committed {
        return "\(name(index)) acts on register \(other.committed), not \(audit.committed)"
      }
      if !(running.core.committedRegister?.roster.contains(running.core.id) ?? false) {
        return "\(name(index)) is not in the roster"
      }
    }
    return nil
  }

  private func missingWork(_ present: [(index: Int, running: RunningPeer)]) -> String? {
    guard simulation.runsAgents, let body = present.first?.running.core.committedRegister else {
      return nil
    }
    if let plan = body.plan { return "a plan is in \(plan.phase.name)" }
    if let repair = body.repair, repair.isUnderWay {
      return "release \(repair.corrupt.version) is being published anew"
    }
    guard let current = body.current,
      !(simulation.share.copies[current.directoryName]?.isCorrupt ?? false)
    else { return nil }
    for (index, running) in present {
      let status = simulation.nodes[index].agent.status
      // To run a copy of the same manifest is to run the release.
      guard status.running?.isCopy(of: current) ?? false, status.ready,
        status.runningRole == body.role(of: running.core.id)
      else { return "\(name(index)) does not run \(current.version) in its role" }
    }
    return nil
  }

  private func missingAgreement(_ present: [(index: Int, running: RunningPeer)]) -> String? {
    guard let first = present.first else { return "nobody runs" }
    let print = first.running.core.stateFingerprint
    guard let other = present.first(where: { $0.running.core.stateFingerprint != print }) else {
      return nil
    }
    return "\(name(first.index)) and \(name(other.index)) do not hold the same records"
  }

  private func name(_ index: Int) -> String { simulation.nodes[index].name }

  private func name(of id: NodeID) -> String {
    simulation.nodes.first { $0.running?.core.id == id }?.name ?? id.short
  }
}
