import MusterState

/// A leader's orderly end: it steps down, in favour of one voter or of whoever stands first.
package struct HandOver: Hashable, Sendable {
  package var successor: NodeID?

  package init(successor: NodeID?) { self.successor = successor }
}

/// The hand-over that an operator has asked of the leader of this term, if nothing forbids it.
/// The successor answers the request: only then is it known to be done.
package func handOver(_ body: RegisterBody, seeing observation: Observation) -> HandOver? {
  for request in observation.requests {
    guard case .stepDown(observation.term, let successor) = request.action,
      refuseHandOver(to: successor, body, observation).isEmpty
    else { continue }
    return HandOver(successor: successor)
  }
  return nil
}

/// What the leader answers to a request to step down; `nil`: nothing, it does so.
func stepDownAnswer(
  _ term: UInt64, _ successor: NodeID?, _ body: RegisterBody, _ observation: Observation
) -> String? {
  guard term < observation.term else {
    let refusal = refuseHandOver(to: successor, body, observation)
    return refusal.isEmpty ? nil : refusal
  }
  guard let successor, successor != observation.leader else { return "" }
  return "the leader of term \(term) has stepped down, but another node was elected; 'muster "
    + "leader' shows which"
}

/// Why the leader should not hand over; empty when it may.
private func refuseHandOver(
  to successor: NodeID?, _ body: RegisterBody, _ observation: Observation
) -> String {
  guard let successor else {
    let others = observation.nodes.filter { node in
      body.voters.contains(node.id) && node.id != observation.leader && node.isAlive
        && !node.isLeaving && node.priority > 0
    }
    return others.isEmpty
      ? "no other voter could lead: none is alive with a priority above 0; 'muster leader "
        + "--explain' lists them" : ""
  }
  guard successor != observation.leader else { return "the node leads already" }
  guard body.voters.contains(successor) else {
    return "the node does not vote; name one of those that 'muster leader --explain' lists"
  }
  guard let node = observation.node(successor), node.isAlive, !node.isLeaving else {
    return "the node is not alive or is leaving; name another voter, or none"
  }
  guard node.priority > 0 else {
    return "the node never leads: its priority is 0; raise it in its muster.yaml, or name another"
  }
  guard node.holdsRegister else {
    return "the node does not hold the newest register yet; ask again in a moment"
  }
  return ""
}
