import MusterDecisions
import MusterState

extension Peer {
  /// The records held, by author and name, with their stamps: for tests and for an operator who
  /// asks in what two nodes differ.
  package var holdings: [String] {
    records.map { "\($0.author.short) \($0.name.text) \($0.stamp.counter).\($0.stamp.version)" }
  }

  /// A snapshot for the operator.
  package func view(at now: Instant) -> ClusterView {
    let body = committedBody
    let leader = leaderHint
    let lease = leaseUntil(voters)
    return ClusterView(
      node: id, name: configuration.name, cluster: configuration.cluster,
      clusterName: configuration.clusterName, founding: durable.founding,
      isSealed: body?.sealed ?? false, waitingFor: waitingFor, term: durable.term,
      leader: leader, leaderIsFresh: isFresh(leader, at: now),
      holdsLease: lease.map { now < $0 } ?? false,
      leaseRemaining: lease.map { max(.zero, $0 - now) },
      register: coordination.entry?.version ?? .none, committed: durable.committed, body: body,
      members: members.keys.compactMap { memberView($0, body, leader) },
      agree: min(agreement.set.count(limit: ring.count), ring.count), live: ring.count,
      convergedSince: viewFingerprint == agreement.fingerprint ? agreement.since : nil,
      duty: duty, counters: counters, leadership: leaderView(leader, at: now),
      phaseRemaining: phaseRemaining(body?.plan, at: now))
  }

  private func phaseRemaining(_ plan: Plan?, at now: Instant) -> TimeSpan? {
    guard let plan, plan.phase != .downloading || plan.reference != nil else { return nil }
    guard plan.phase == .prepare else {
      let limit = committedBody.map { timing.deliberation.acknowledging($0) }
      return coordination.shownPlanAt
        + (limit.map(TimeSpan.milliseconds) ?? timing.acknowledgementTimeout) - now
    }
    let own = plan.participants.filter { plan.part(of: $0) == .stops }
      .map { timing.deliberation.stopping(Int64(workCards[$0]?.stopMilliseconds ?? 0)) }
    return coordination.shownPlanAt + (own.max().map(TimeSpan.milliseconds) ?? timing.stopTimeout)
      - now
  }

  /// A leader is fresh while its own lease stands, or a promise made to it here.
  func isFresh(_ leader: NodeID?, at now: Instant) -> Bool {
    guard let leader else { return false }
    if leader == id { return leaseUntil(voters).map { now < $0 } ?? false }
    if isVoter { return coordination.bound?.leader == leader && now < coordination.boundUntil }
    return members[leader]?.state == .alive
  }

  private func memberView(_ node: NodeID, _ body: RegisterBody?, _ leader: NodeID?) -> MemberView? {
    guard let member = members[node] else { return nil }
    let work = workCards[node]
    return MemberView(
      id: node, name: member.name, address: member.address, state: member.state,
      incarnation: member.incarnation, software: member.card.software, since: member.since,
      role: body?.role(of: node), isLeader: node == leader,
      isVoter: body?.voters.contains(node) ?? false,
      runningVersion: work?.reportedVersion ?? "", running: work?.running,
      corrupt: work?.corrupt, isReady: work?.isReady ?? false,
      acknowledgement: work?.plan == body?.plan?.id ? work?.acknowledgement : nil,
      progress: work?.progress,
      storage: work?.storage ?? "", volume: work?.volume, failure: work?.failure ?? "",
      services: work?.services ?? [], data: relations[node] ?? [],
      knowsWaves: work?.knowsWaves ?? false, offer: work?.offer,
      keepsOwnCopies: work?.keepsOwnCopies ?? false, inspected: work?.inspected,
      index: work?.index ?? "")
  }
}
