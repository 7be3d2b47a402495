import MusterState

/// Members that are neither well nor dead, and accusations that only their author takes back. See
/// "Unfit members" in `proto/README.md`.
struct Unfitness: Sendable {
  /// By subject, then witness: whether the finding stands, or has been taken back. All are about
  /// the life of the subject that is known here.
  private(set) var findings = SortedTable<NodeID, [NodeID: Bool]>()
  /// When it is looked at again who counts among the accusers.
  var nextLook: Instant?
  /// Who is left out, sorted; perhaps this node itself.
  var leftOut: [NodeID] = []
  private var told: [NodeID: Instant] = [:]
  /// Who is believed dead and speaks: since when without a pause, and when last.
  private var speaking: [NodeID: (since: Instant, last: Instant)] = [:]

  /// Members of whom a finding stands, in order.
  var accused: [NodeID] { findings.keys.filter(isAccused) }

  func isAccused(_ subject: NodeID) -> Bool {
    findings[subject]?.values.contains(true) ?? false
  }

  func stands(_ subject: NodeID, by witness: NodeID) -> Bool {
    findings[subject]?[witness] ?? false
  }

  mutating func note(_ finding: Finding, by witness: NodeID) {
    var known = findings[finding.subject] ?? [:]
    known[witness] = finding.stands
    findings[finding.subject] = known
  }

  /// The witness has begun another life.
  mutating func drop(_ subject: NodeID, by witness: NodeID) {
    findings[subject]?[witness] = nil
    if findings[subject]?.isEmpty ?? false { findings[subject] = nil }
  }

  mutating func forget(_ subject: NodeID) {
    findings[subject] = nil
    told[subject] = nil
  }

  /// A member that is believed dead was heard.
  /// - Returns: For how long it has been speaking, with pauses of two seconds at most.
  mutating func hear(_ subject: NodeID, at now: Instant) -> TimeSpan {
    let known = speaking[subject].flatMap { now - $0.last > .seconds(2) ? nil : $0 }
    let since = known?.since ?? now
    if speaking.count > 64 { speaking = speaking.filter { now - $0.value.last <= .seconds(2) } }
    speaking[subject] = (since, now)
    return now - since
  }

  /// Who is left out and speaks is told why now and then: there is nothing that it could answer.
  mutating func mayTell(_ subject: NodeID, at now: Instant) -> Bool {
    if let last = told[subject], now - last < .seconds(5) { return false }
    told[subject] = now
    return true
  }
}

extension Peer {
  /// Whether enough observers find that this life of the member cannot be relied on. One alone may
  /// be cut off from it, so there have to be two at least, as many as a quick verdict takes.
  func isUnfit(_ subject: NodeID) -> Bool {
    guard unfitness.isAccused(subject) else { return false }
    let observers = observers(of: subject, wide: true)
    let witnesses = Set(observers).union(ringBefore(subject))
    let agreeing = witnesses.count { unfitness.stands(subject, by: $0) }
    let observing = observers.prefix(Limits.observers).count
    return observing > 1 && agreeing >= min(Limits.accusers, observing)
  }

  /// Those that the subject itself watches: they hear it when it hears nobody.
  private func ringBefore(_ subject: NodeID) -> [NodeID] {
    let place = ring.place(of: subject)
    return (1...Limits.observers).compactMap { step in
      step < ring.count ? ring[(place + ring.count - step) % ring.count] : nil
    }
  }

  /// Takes a verified finding.
  mutating func take(_ finding: Finding, by witness: NodeID) {
    let stood = unfitness.stands(finding.subject, by: witness)
    unfitness.note(finding, by: witness)
    if finding.stands {
      hearAccusation(of: finding.subject, by: witness)
    } else if stood {
      hearWithdrawal(of: finding.subject)
    }
  }

  /// Another life of the member, or none: what was found of this one is no record of anybody's any
  /// more. All drop it when they learn of that, and take none of it afterwards.
  mutating func dropFindings(of subject: NodeID) {
    for witness in unfitness.findings[subject]?.keys.sorted() ?? [] {
      store.remove(key: recordKey(witness, .unfit(subject)))
    }
    unfitness.forget(subject)
  }

  private mutating func hearAccusation(of subject: NodeID, by witness: NodeID) {
    prober.isStale = true
    if witness != id { considerFitness(of: subject) }
    unfitness.nextLook = now
    leaveOutUnfit()
  }

  /// The subject has answered it for long enough.
  private mutating func hearWithdrawal(of subject: NodeID) {
    prober.isStale = true
    guard members[subject]?.state == .dead, accusations[subject] == nil, !isUnfit(subject) else {
      return
    }
    believe(subject, .alive)
  }

  /// Who counts among the observers changes with the membership, so it is looked at now and then
  /// while anybody is accused in this way.
  mutating func leaveOutUnfit() {
    guard let due = unfitness.nextLook, now >= due else { return }
    let accused = unfitness.accused
    unfitness.nextLook = accused.isEmpty ? nil : now + timing.probeInterval
    let unfit = accused.filter(isUnfit)
    for subject in unfit where !unfitness.leftOut.containsSorted(subject) {
      emit(.memberUnfit(subject, name: name(of: subject)))
      if members[subject]?.isLive ?? false, subject != id { believe(subject, .dead) }
    }
    // Whoever is left out does not stand for election, and may when it is no longer.
    if unfit != unfitness.leftOut { coordination.isDirty = true }
    unfitness.leftOut = unfit
    // Whom the others leave out lets somebody lead whom they can hear.
    guard unfit.containsSorted(id), coordination.role == .leader else { return }
    note(.resigned(at: now))
    resign()
    coordination.isDirty = true
  }

  /// Whether the others leave this node out.
  var isLeftOut: Bool { unfitness.leftOut.containsSorted(id) }

  // MARK: - What an observer finds

  /// Whether this node itself holds something against the member that no card refutes.
  func findsUnfit(_ subject: NodeID) -> Bool { unfitness.stands(subject, by: id) }

  /// Whom this node goes on probing though it may be no live member any more.
  var unfitSubjects: [NodeID] {
    unfitness.accused.filter { subject in
      guard let member = members[subject], member.state != .left, subject != id else {
        return false
      }
      return findsUnfit(subject) || observers(of: subject, wide: false).contains(id)
    }
  }

  /// A probe has ended: enough of them have gone wrong, while those of other members went well?
  mutating func considerFitness(of node: NodeID) {
    guard let target = prober.targets[node], !findsUnfit(node),
      members[node]?.isLive ?? false || unfitness.isAccused(node),
      target.path.isUnfit(asks: leastAsks(of: node), at: now)
    else { return }
    let others = prober.targets.keys.filter { $0 != node && !findsUnfit($0) }
    let well = others.count { prober.targets[$0]?.path.isWell(at: now) ?? false }
    guard well > 0, well * 2 >= others.count else { return }
    accuse(unfit: node)
  }

  /// Another's finding is half a proof.
  private func leastAsks(of node: NodeID) -> Int {
    unfitness.isAccused(node) ? Limits.unfitAsks / 2 : Limits.unfitAsks
  }

  /// Back from the dead, and dead again: it is not to come and go all the time.
  mutating func considerFlapping(of node: NodeID) {
    guard let member = members[node], let returnedAt = member.returnedAt,
      now - returnedAt < timing.flapping, accusations[node]?[id] != nil
    else { return }
    accuse(unfit: node)
  }

  /// Who is believed dead and goes on speaking though it is told so does not hear: otherwise it
  /// would have answered. It would come back with each moment in which it does, only to go again.
  mutating func considerDeafness(of node: NodeID) {
    guard unfitness.hear(node, at: now) >= timing.deafness, !findsUnfit(node),
      dead.count * 4 <= members.count
    else { return }
    accuse(unfit: node)
  }

  /// Only where most are alive, and enough voters are without it: half a cluster that fails at once
  /// has a reason that is no member's own.
  private mutating func accuse(unfit node: NodeID) {
    guard dead.count * 2 <= members.count else { return }
    if voters.contains(node) {
      let others = voters.count { $0 != node && ($0 == id || members[$0]?.state == .alive) }
      guard others > voters.count / 2 else { return }
    }
    prober.targets[node]?.path = PathRecord()
    publish(unfit: node, true)
  }

  /// It has answered for long enough.
  mutating func considerWithdrawal(from node: NodeID) {
    guard findsUnfit(node), let since = prober.targets[node]?.path.cleanSince,
      now - since >= timing.proofOfFitness
    else { return }
    publish(unfit: node, false)
  }

  private mutating func publish(unfit node: NodeID, _ stands: Bool) {
    guard let life = members[node]?.incarnation.counter else { return }
    publish(.unfit(node), Finding(subject: node, life: life, stands: stands).encoded)
  }
}
