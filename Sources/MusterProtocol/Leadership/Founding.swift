import MusterState

/// How a cluster begins, and how two beginnings become one before either is sealed. See
/// `proto/README.md`, "Founding".
extension Peer {
  /// F1 and F2: join the founding that others show, or found when exactly the planned nodes see
  /// each other for long enough and this one is the first of them.
  mutating func found() {
    if let best = bestFounding(), best != durable.founding {
      join(best)
      return
    }
    if configuration.expect == 1 {
      if configuration.founds { foundNow(with: [id]) }
      return
    }
    // Hundreds that start at once ask this with every card that comes: whom they see matters only
    // when there are enough of them.
    let unfounded = ring.count >= Int(clamping: configuration.expect) ? unfoundedNodes : []
    if unfounded != coordination.gate {
      coordination.gate = unfounded
      coordination.gateSince = now
    }
    guard unfounded.count >= Int(clamping: configuration.expect), unfounded.first == id,
      let due = gateDeadline, now >= due
    else { return }
    foundNow(with: unfounded)
  }

  /// The card of a node without a founding stands for the coordination card that it does not
  /// publish: hundreds that start at once spare each other a record each.
  mutating func noteUnfounded(_ node: NodeID, _ card: MemberCard) {
    guard card.expect > 0, coordinationCards[node] == nil else { return }
    var unfounded = CoordinationCard()
    unfounded.expect = card.expect
    coordinationCards[node] = unfounded
    coordination.isDirty = true
  }

  /// All that a node without a founding has to say, unless its priority is another: the first
  /// election comes at once behind the founding.
  func isSaidByMemberCard(_ card: CoordinationCard) -> Bool {
    card.founding == nil && !card.isLeaving && card.priority == LeaderPriority.standard
      && ownContents[.coordination] == nil
  }

  /// Live nodes without a founding and with the same plan, this one included; sorted.
  private var unfoundedNodes: [NodeID] {
    ring.filter { node in
      if node == id { return true }
      guard members[node]?.state == .alive, let card = coordinationCards[node] else {
        return false
      }
      return card.founding == nil && card.expect == configuration.expect
    }
  }

  var gateDeadline: Instant? {
    let seen = coordination.gate.count
    guard seen >= Int(clamping: configuration.expect), configuration.expect > 1 else { return nil }
    let isCrowded = seen > Int(clamping: configuration.expect)
    return coordination.gateSince + (isCrowded ? timing.settleCrowded : timing.settle)
  }

  private mutating func foundNow(with nodes: [NodeID]) {
    let odd = nodes.count.isMultiple(of: 2) ? nodes.count - 1 : nodes.count
    let body = RegisterBody(
      founding: FoundingID(generator.bytes16()),
      promiseMilliseconds: UInt32(clamping: timing.promise.milliseconds),
      expect: configuration.expect, voters: Array(nodes.prefix(min(max(odd, 1), Limits.voters))),
      roster: Array(nodes.prefix(Limits.roster)))
    note(proposal: body)
    durable.founding = body.founding
    adopt(
      RegisterEntry.make(
        version: RegisterVersion(term: 0, count: 1), parent: nil, body: body, certificate: nil,
        proposer: id, cluster: configuration.cluster, signer: cryptography))
    emit(.founded(body.founding, voters: body.voters))
  }

  /// F3: a node whose register is not sealed moves to a better founding. Two sealed ones never
  /// merge by themselves: that is an alarm.
  mutating func considerFoundings() {
    guard let own = durable.founding, !coordinationCards.showsOnly(own) else { return }
    guard coordination.entry?.body.sealed ?? false else {
      if let best = bestFounding(), best != own { join(best) }
      return
    }
    followRecovery()
    guard let other = conflictingFounding, coordination.conflict != other else { return }
    coordination.conflict = other
    emit(.clusterConflict(other))
  }

  /// A sealed founding of this cluster that neither continues this one nor was left for it.
  private var conflictingFounding: FoundingID? {
    var found: FoundingID?
    for node in ring where node != id {
      guard let card = coordinationCards[node], card.isSealed, let founding = card.founding,
        founding != durable.founding, !isAbandoned(founding),
        card.recoveries == 0 || isUnrelated(founding)
      else { continue }
      found = min(found ?? founding, founding)
    }
    return found
  }

  /// Sealed before unsealed, then the one that was recovered more often, then the smaller
  /// identifier: an order that nothing can change.
  private func bestFounding() -> FoundingID? {
    var best: (isSealed: Bool, recoveries: UInt32, founding: FoundingID)?
    func consider(_ isSealed: Bool, _ recoveries: UInt32, _ founding: FoundingID) {
      guard let known = best else {
        best = (isSealed, recoveries, founding)
        return
      }
      let isBetter =
        isSealed != known.isSealed
        ? isSealed
        : recoveries != known.recoveries
          ? recoveries > known.recoveries : founding < known.founding
      if isBetter { best = (isSealed, recoveries, founding) }
    }
    for node in coordinationCards.showsFounding ? ring : SortedSet() where node != id {
      guard let card = coordinationCards[node], let founding = card.founding,
        !isAbandoned(founding)
      else { continue }
      consider(card.isSealed, card.recoveries, founding)
    }
    if let own = durable.founding, let body = coordination.entry?.body {
      consider(body.sealed, UInt32(body.recoveries.count), own)
    }
    return best?.founding
  }

  /// Takes the register that most of the founded members in reach show. A newcomer has nothing
  /// to check a certificate with: this is the trust that the guarantees state.
  private mutating func join(_ founding: FoundingID) {
    guard let choice = shownRegister(of: founding) else { return }
    fetch(choice.pointer, of: founding, from: choice.sources, isTrusted: true)
  }

  func shownRegister(
    of founding: FoundingID
  ) -> (pointer: RegisterPointer, sources: [NodeID])? {
    let shown = ring.compactMap { node -> (pointer: RegisterPointer, node: NodeID)? in
      guard node != id, members[node]?.isLive ?? false, let card = coordinationCards[node],
        card.founding == founding, let pointer = card.register
      else { return nil }
      return (pointer, node)
    }.sorted { $0.pointer.version > $1.pointer.version }
    // A majority shows this version or a newer one.
    guard !shown.isEmpty else { return nil }
    let chosen = shown[shown.count / 2].pointer
    return (chosen, shown.filter { $0.pointer.version >= chosen.version }.map(\.node))
  }

  /// Takes a register without a chain: of another founding, or of this one after a long absence.
  /// What the old founding gave to run, and whom it forgot, stands until the one that continues it
  /// is known to have committed something: also over a restart in between.
  /// In this one, term, vote and promise stand: what was said once is not unsaid.
  mutating func move(to entry: RegisterEntry) {
    guard durable.founding != entry.body.founding else {
      // This node may have come further than what it once asked for, even as a leader.
      guard entry.version > coordination.entry?.version ?? .none else { return }
      stepDown()
      if entry.version.term > durable.term {
        durable.term = entry.version.term
        durable.vote = nil
        durable.voteSignature = nil
      }
      adopt(entry)
      return
    }
    let recovery = entry.body.recoveries.last
    let isRecovered = durable.founding.map { old in
      entry.body.recoveries.contains { $0.ends(old) }
    }
    leave(durable.founding, isFinal: isRecovered ?? false)
    stepDown()
    let returned = durable.left.last { $0.founding == entry.body.founding }
    durable.founding = entry.body.founding
    durable.term = max(returned?.term ?? 0, entry.version.term)
    durable.vote = returned.flatMap { $0.term == durable.term ? $0.vote : nil }
    durable.voteSignature = nil
    durable.committed = .none
    if !(isRecovered ?? false) {
      durable.committedEntry = []
      coordination.committedEntry = nil
    }
    coordination.history = []
    // The promise itself stands: who comes back while it lasts must not vote against its leader.
    coordination.bound = nil
    coordination.heartbeat = nil
    coordination.conflict = nil
    if isRecovered ?? false, returned == nil {
      // Nobody has promised anything in a founding that begins now, and none leads back.
      coordination.quarantineUntil = now
      coordination.boundUntil = now
    }
    let old = durable.left.last?.founding
    adopt(entry)
    if isRecovered ?? false, let old, let recovery {
      emit(.recovered(from: old, to: entry.body.founding, by: recovery.voter))
    } else {
      emit(.joined(entry.body.founding))
    }
  }

  /// Its term and vote are kept: what was said there once is not said again otherwise.
  private mutating func leave(_ founding: FoundingID?, isFinal: Bool) {
    guard let founding else { return }
    durable.left.append(
      Durable.LeftFounding(
        founding: founding, term: durable.term, vote: durable.vote, isFinal: isFinal))
    durable.left = Array(durable.left.suffix(Limits.foundingsLeft))
  }

  // MARK: - Seal

  /// F4: everyone planned shows this founding, and nobody shows another or none, for the delay.
  mutating func noteFoundingQuiet(_ body: RegisterBody) {
    guard !body.sealed else { return }
    let shown = ring.filter { node in
      node == id || coordinationCards[node]?.founding == body.founding
    }
    let isQuiet = shown.count == ring.count && shown.count >= Int(clamping: body.expect)
    if !isQuiet {
      coordination.quietSince = nil
    } else if coordination.quietSince == nil {
      coordination.quietSince = now
    }
  }

  var sealDelay: TimeSpan {
    ring.count > Int(clamping: configuration.expect) ? timing.sealCrowded : timing.seal
  }

  func maySeal(_ body: RegisterBody) -> Bool {
    guard let since = coordination.quietSince else { return false }
    return body.expect == 1 && configuration.founds || now - since >= sealDelay
  }

  /// Why there is no cluster yet, for the operator; empty once it is founded.
  var waitingFor: String {
    guard durable.founding == nil else { return "" }
    if configuration.expect == 1 {
      return "an agent that founds the cluster: start one with --found"
    }
    let seen = unfoundedNodes
    let names = seen.map { name(of: $0) }.joined(separator: ", ")
    let missing = Int(clamping: configuration.expect) - seen.count
    if missing > 0 {
      return "\(missing) more of \(configuration.expect) planned nodes; here: \(names)"
    }
    return "the view to settle; here: \(names)"
  }
}
