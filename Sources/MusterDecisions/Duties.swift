import MusterState

/// What one node should do, from the committed register alone: a function that every node
/// computes alike.
///
/// - Parameters:
///   - fetches: whether this node is the effective leader and so obeys a fetch order.
///   - keepsOwnCopies: whether no other node shares its releases.
package func duty(
  of node: NodeID, committed body: RegisterBody?, term: UInt64, fetches: Bool,
  keepsOwnCopies: Bool = false
) -> Duty {
  guard let body, body.sealed, let role = body.role(of: node) else { return Duty(term: term) }
  var duty = duty(of: node, as: role, body, term: term, fetches: fetches)
  let needed = [duty.run, duty.verify].compactMap { $0?.version }
  duty.sources = body.releases.filter { needed.contains($0.version) }
  if fetches { duty.index = body.indexOrder }
  if let order = body.inspection, !order.isOver { duty.inspect = order }
  if keepsOwnCopies { duty.tidy = body.tidyOrder }
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
  if plan.phase == .downloading, plan.reference == nil, fetches {
    duty.fetch = FetchOrder(plan: plan.id, term: term, release: plan.to, repair: plan.to.repair)
  }
  switch plan.part(of: node) {
  case .waits: duty.verify = plan.reference
  case .stops:
    duty.verify = plan.reference
    // Who was overtaken runs on; it moves with its wave once it hears of it.
    if !plan.overtaken.contains(node) { duty.run = nil }
  case .moves: duty.run = plan.reference
  case .returns: break
  case .none:
    // Who was admitted meanwhile starts with the new release.
    if plan.phase != .rollingBack { duty.verify = plan.reference }
    if plan.phase == .prepare, plan.isLastWave { duty.run = nil }
  }
  return duty
}

/// What a node may say of the plan in its duty, from what it does.
package func acknowledgement(
  of node: NodeID, _ duty: Duty, _ body: RegisterBody?, status: LocalStatus
) -> Acknowledgement? {
  guard duty.plan != nil, let body, let plan = body.plan else { return nil }
  let part = plan.part(of: node)
  // What is done counts first: a service of the old release that stumbles meanwhile is no reason
  // to call a verified release a failure.
  if plan.phase == .downloading {
    guard let reference = duty.verify else { return nil }
    if status.verified.contains(reference) { return .verified }
    return status.failure.isEmpty ? nil : .failed
  }
  if part == .waits {
    return duty.verify.map { status.verified.contains($0) } ?? false ? .verified : nil
  }
  if part == .stops || part == .none && plan.phase == .prepare {
    return duty.run == nil && status.running == nil ? .stopped : nil
  }
  if let run = duty.run, status.running?.isCopy(of: run) ?? false,
    status.runningRole == duty.role, status.ready
  {
    return isAnotherRelease(status.reportedVersion, than: run, body) ? .failed : .running
  }
  return status.failure.isEmpty ? nil : .failed
}

/// Why a node says `failed`, for people.
package func complaint(of duty: Duty, _ body: RegisterBody?, status: LocalStatus) -> String {
  guard status.failure.isEmpty, status.ready, let run = duty.run, let body,
    isAnotherRelease(status.reportedVersion, than: run, body)
  else { return status.failure }
  return "the service says that it is \(status.reportedVersion), not \(run.version)"
}

/// Only what names another known release is wrong: what programs print of themselves need not be
/// what their releases are called.
private func isAnotherRelease(
  _ version: String, than run: ReleaseReference, _ body: RegisterBody
) -> Bool {
  version != run.version && body.releases.contains { $0.version == version }
}
