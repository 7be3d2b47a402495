import MusterProtocol
import MusterState

/// What a cluster becomes again by itself when faults stop: everyone sees everyone, one leads, all
/// act on the same register, and what it names runs everywhere.
package struct Wholeness {
  private let simulation: Simulation

  package init(_ simulation: Simulation) { self.simulation = simulation }

  /// What is not yet so, in one line; `nil` when the cluster is whole.
  package var missing: String? {
    let wanted = simulation.nodes.indices.filter { isWanted(simulation.nodes[$0]) }
    if let off = wanted.first(where: { simulation.nodes[$0].peer == nil }) {
      return "\(simulation.nodes[off].name) does not run"
    }
    let present = wanted.compactMap { index in
      simulation.nodes[index].peer.map { (index: index, peer: $0) }
    }
    let ids = present.map(\.peer.id)
    for (index, peer) in present {
      if let unseen = ids.first(where: { peer.state(of: $0) != .alive }) {
        return "\(name(index)) does not see \(name(of: unseen)) alive"
      }
      if peer.liveCount != ids.count {
        return "\(name(index)) sees \(peer.liveCount) alive of \(ids.count)"
      }
    }
    return missingLeadership(present) ?? missingWork(present) ?? missingAgreement(present)
  }

  private func isWanted(_ node: SimulatedNode) -> Bool {
    if node.isGone || node.incarnation == 0 && node.peer == nil && node.stopped == nil {
      return false
    }
    return switch node.stopped {
    case .left, .forgotten, .cloned: false
    case .nameTaken, nil: true
    }
  }

  private func missingLeadership(_ present: [(index: Int, peer: Peer)]) -> String? {
    let leaders = present.filter { $0.peer.audit.isEffective }
    guard let leader = leaders.first, leaders.count == 1 else {
      return leaders.isEmpty ? "nobody leads" : "\(leaders.count) lead"
    }
    let audit = leader.peer.audit
    for (index, peer) in present {
      let other = peer.audit
      if other.founding != audit.founding { return "\(name(index)) is of another founding" }
      if peer.believedLeader != leader.peer.id {
        return "\(name(index)) does not know that \(name(leader.index)) leads"
      }
      if other.committed != audit.committed {
        return "\(name(index)) acts on register \(other.committed), not \(audit.committed)"
      }
      if !(peer.committedRegister?.roster.contains(peer.id) ?? false) {
        return "\(name(index)) is not in the roster"
      }
    }
    return nil
  }

  private func missingWork(_ present: [(index: Int, peer: Peer)]) -> String? {
    guard simulation.runsAgents, let body = present.first?.peer.committedRegister else {
      return nil
    }
    if let plan = body.plan { return "a plan is in \(plan.phase.name)" }
    guard let current = body.current,
      !(simulation.share.copies[current.directoryName]?.isCorrupt ?? false)
    else { return nil }
    for (index, peer) in present {
      let status = simulation.nodes[index].agent.status
      guard status.running == current, status.ready, status.runningRole == body.role(of: peer.id)
      else { return "\(name(index)) does not run \(current.version) in its role" }
    }
    return nil
  }

  private func missingAgreement(_ present: [(index: Int, peer: Peer)]) -> String? {
    guard let first = present.first else { return "nobody runs" }
    let print = first.peer.stateFingerprint
    guard let other = present.first(where: { $0.peer.stateFingerprint != print }) else {
      return nil
    }
    return "\(name(first.index)) and \(name(other.index)) do not hold the same records"
  }

  private func name(_ index: Int) -> String { simulation.nodes[index].name }

  private func name(of id: NodeID) -> String {
    simulation.nodes.first { $0.peer?.id == id }?.name ?? id.short
  }
}
