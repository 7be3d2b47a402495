import MusterState

/// What one node should do, from the committed register alone: a function that every node
/// computes alike.
///
/// - Parameter fetches: whether this node is the effective leader and so obeys a fetch order.
package func duty(
  of node: NodeID, committed body: RegisterBody?, term: UInt64, fetches: Bool
) -> Duty {
  guard let body, body.sealed, let role = body.role(of: node) else { return Duty(term: term) }
  var duty = duty(of: node, as: role, body, term: term, fetches: fetches)
  let needed = [duty.run, duty.verify].compactMap { $0?.version }
  duty.sources = body.releases.filter { needed.contains($0.version) }
  return duty
}

private func duty(
  of node: NodeID, as role: Role, _ body: RegisterBody, term: UInt64, fetches: Bool
) -> Duty {
  var duty = Duty(term: term, role: role, run: body.current, keep: body.published)
  guard let plan = body.plan else {
    if fetches { duty.addReleaseOrders(of: body, term: term) }
    return duty
  }
  duty.plan = plan.id
  if let reference = plan.reference { duty.keep.append(reference) }
  let isOvertaken = plan.overtaken.contains(node)
  let participates = plan.participants.contains(node)
  switch plan.phase {
  case .downloading:
    if let reference = plan.reference {
      duty.verify = reference
    } else if fetches {
      duty.fetch = FetchOrder(plan: plan.id, term: term, release: plan.to, repair: plan.to.repair)
    }
  case .prepare:
    duty.verify = plan.reference
    // Who was overtaken runs the old release until the new one is committed; who was admitted
    // meanwhile starts with it.
    duty.run = isOvertaken ? plan.from : nil
    if !participates { duty.run = nil }
  case .complete, .rollingBack: break
  }
  return duty
}

/// What a node may say of the plan in its duty, from what it does.
package func acknowledgement(
  of duty: Duty, phase: Plan.Phase?, status: LocalStatus
) -> Acknowledgement? {
  guard duty.plan != nil, let phase else { return nil }
  // What is done counts first: a service of the old release that stumbles meanwhile is no reason
  // to call a verified release a failure.
  switch phase {
  case .downloading:
    guard let reference = duty.verify else { return nil }
    if status.verified.contains(reference) { return .verified }
  case .prepare:
    return duty.run == nil && status.running == nil ? .stopped : nil
  case .complete, .rollingBack:
    if let run = duty.run, status.running?.isCopy(of: run) ?? false,
      status.runningRole == duty.role, status.ready
    {
      return .running
    }
  }
  return status.failure.isEmpty ? nil : .failed
}
