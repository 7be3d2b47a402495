import MusterState

/// A lost majority: an operator lets the founding go on as another one. See "Recovery" in
/// `proto/README.md`.
extension Peer {
  /// The first term of a recovered founding is so far above the last that was seen of the old one
  /// that no order of the old one can be above an order of the new: terms fence across both.
  static let termLeap: UInt64 = 1 << 20

  struct PendingRecovery: Sendable {
    var recovery: Recovery
    var isForced: Bool
    var ticket: UInt64
  }

  // MARK: - On the node where it is ordered

  /// Waits for a write under way, like every decision.
  mutating func recoverIfAsked() {
    guard let pending = coordination.recovery else { return }
    coordination.recovery = nil
    if let refusal = refuse(pending) {
      effects.append(.reply(ticket: pending.ticket, .refused(refusal)))
      return
    }
    guard let root = rootEntry(of: pending.recovery) else {
      preconditionFailure("what can be recovered has a register")
    }
    move(to: root)
    // The operator's signature stands in for a majority: this is committed.
    noteCommitted(root.version)
    asking.unwritten.append(pending.ticket)
  }

  private func refuse(_ pending: PendingRecovery) -> String? {
    let recovery = pending.recovery
    guard let own = durable.founding, let held = coordination.entry else {
      return "the cluster is not founded yet: there is nothing to recover"
    }
    guard held.body.sealed else {
      return "the founding is not sealed, so nothing has run yet: stop the agents, remove their "
        + "state directories, and start them again"
    }
    guard recovery.voter == id, recovery.from == own, recovery.to != own,
      !durable.left.contains(where: { $0.founding == recovery.to }),
      !recovery.absorbed.contains(own), !recovery.absorbed.contains(recovery.to)
    else { return "this was signed for another node or another founding; run the command again" }
    guard recovery.version == held.version, recovery.digest == coordination.digest else {
      return "the register has changed since this was signed; run the command again"
    }
    guard isSigned(recovery) else { return "this is not signed by this cluster's authority key" }
    guard configuration.priority > 0 else {
      return "this node's priority is 0, so it could never lead; run this on another node"
    }
    if leaving.hasBegun { return "this node is leaving" }
    if !pending.isForced, let leader = leaderHint, isFresh(leader, at: now) {
      return "\(name(of: leader)) leads and was heard of just now: no majority is lost; with "
        + "--force it is given up all the same"
    }
    return nil
  }

  private func isSigned(_ recovery: Recovery) -> Bool {
    cryptography.isValid(
      recovery.signature, of: recovery.message(cluster: configuration.cluster),
      by: configuration.authority)
  }

  /// The register held goes on whole, seal, roster, settings and releases included, committed or
  /// not: what the lost voters may have committed is not undone. Only a plan ends, because those
  /// whom it counted may be lost too.
  private func rootEntry(of recovery: Recovery) -> RegisterEntry? {
    guard let held = coordination.entry, let digest = coordination.digest else { return nil }
    var body = plants(.recoversCommitted) ? committedBody ?? held.body : held.body
    body.founding = recovery.to
    body.voters = [id]
    body.recoveries = Array((body.recoveries + [recovery]).suffix(Limits.recoveries))
    if let plan = body.plan {
      body.plan = nil
      body.failure =
        "the plan to \(plan.to.version) ended when the cluster was recovered; set the version again"
    }
    let leap = plants(.noTermLeap) ? 1 : Self.termLeap
    let version = RegisterVersion(
      term: max(held.version.term, durable.term) + leap, count: held.version.count + 1)
    return RegisterEntry.make(
      version: version, parent: digest, body: body, certificate: nil, proposer: id,
      cluster: configuration.cluster, signer: cryptography)
  }

  // MARK: - On the others

  /// Somebody shows a founding that claims to continue mine: fetch its register, which has the
  /// operator's signature or does not count.
  mutating func followRecovery() {
    guard coordination.fetching == nil, coordination.entry?.body.sealed ?? false,
      let founding = claimedSuccessor, let choice = shownRegister(of: founding),
      coordination.unreachable[choice.pointer.digest].map({ now >= $0 }) ?? true
    else { return }
    fetch(choice.pointer, of: founding, from: choice.sources, isTrusted: true)
  }

  /// The most often recovered of the foreign foundings that may be mine continued.
  private var claimedSuccessor: FoundingID? {
    var best: (count: UInt32, founding: FoundingID)?
    for node in ring where node != id {
      guard let card = coordinationCards[node], card.recoveries > 0, let founding = card.founding,
        founding != durable.founding, !isAbandoned(founding), !isUnrelated(founding),
        members[node]?.isLive ?? false
      else { continue }
      if let known = best, known.count > card.recoveries { continue }
      if let known = best, known.count == card.recoveries, known.founding < founding { continue }
      best = (card.recoveries, founding)
    }
    return best?.founding
  }

  /// A founding that this node has left by an operator's decision: nothing leads back.
  func isAbandoned(_ founding: FoundingID) -> Bool {
    coordination.entry?.body.recoveries.contains { $0.ends(founding) } ?? false
      || durable.left.contains { $0.founding == founding && $0.isFinal }
  }

  func isUnrelated(_ founding: FoundingID) -> Bool {
    coordination.unrelated[founding].map { now < $0 } ?? false
  }

  /// Whether a register of another founding is this node's continued: by signed recoveries, each
  /// beginning where the one before has ended.
  mutating func isContinued(by body: RegisterBody) -> Bool {
    guard let own = durable.founding,
      let start = body.recoveries.firstIndex(where: { $0.ends(own) })
    else { return false }
    let path = body.recoveries[start...]
    guard path.last?.to == body.founding,
      zip(path, path.dropFirst()).allSatisfy({ $1.ends($0.to) })
    else { return false }
    guard areSigned(path) else {
      counters.drop(.badSignature)
      return false
    }
    return true
  }

  private func areSigned(_ recoveries: ArraySlice<Recovery>) -> Bool {
    recoveries.allSatisfy { isSigned($0) }
  }

  /// A claim that does not hold is looked at again only after a while.
  mutating func refuseRecovery(_ founding: FoundingID) {
    if coordination.unrelated.count >= Limits.registers { coordination.unrelated = [:] }
    coordination.unrelated[founding] = now + timing.voterDemotion
    coordination.isDirty = true
  }
}
