import MusterDecisions
import MusterState

/// What a leader does: heartbeats, the lease, commits, and the next register.
extension Peer {
  mutating func lead() {
    guard coordination.role == .leader else { return }
    // R11 first: a lease that lapsed is not taken up again in its term, not even by a sole voter
    // that would only have to ask itself.
    if isLeaseOver {
      stepDownWithoutQuorum()
      return
    }
    beat()
    commit()
    checkStuckVoters()
    guard coordination.role == .leader else { return }
    if hasValidLease { propose() }
    // Who has just handed over waits for a promise, not only for a candidacy.
    if coordination.role == .leader, isLeaseOver { stepDownWithoutQuorum() }
  }

  /// Without a quorum of promises within the lease there is no leader here.
  private var isLeaseOver: Bool {
    let end = max(leaseUntil(voters) ?? .zero, coordination.electedAt + timing.lease)
    return now >= end && !plants(.noTime)
  }

  private mutating func stepDownWithoutQuorum() {
    stepDown()
    coordination.holdOffUntil = now + timing.candidateTimeoutMaximum
  }

  /// R9: a numbered heartbeat; its time is taken before it is sent.
  private mutating func beat() {
    let voters = self.voters
    let answered = voters.map { $0 == id ? coordination.number : coordination.promised[$0] ?? 0 }
      .sorted(by: >)
    let quorum = answered.isEmpty ? 0 : answered[voters.count / 2]
    guard now >= coordination.nextHeartbeat,
      coordination.number - quorum < timing.heartbeatWindow
    else { return }
    coordination.number += 1
    coordination.sentAt[coordination.number] = now
    coordination.sentAt = coordination.sentAt.filter {
      $0.key + 4 * timing.heartbeatWindow >= coordination.number || $0.key == quorum
    }
    coordination.nextHeartbeat = now + timing.heartbeat
    coordination.bound = Coordination.Bound(
      leader: id, term: durable.term, number: coordination.number)
    coordination.boundUntil = now + timing.promise
    var frame = Frame()
    frame.heartbeat = Frame.Heartbeat(term: durable.term, number: coordination.number)
    for voter in voters where voter != id { send(frame, to: voter) }
    if let newcomer = coordination.newcomer { send(frame, to: newcomer) }
    relayHeartbeats()
  }

  /// - Parameter relay: the member that passed it on; `nil`: it came straight from `leader`.
  mutating func take(heartbeat: Frame.Heartbeat, from leader: NodeID, via relay: NodeID?) {
    note(.heartbeat(leader, term: heartbeat.term, number: heartbeat.number))
    guard heartbeat.term >= leastLeaderTerm else {
      counters.drop(.staleTerm)
      return
    }
    var pending = Coordination.PendingHeartbeat(
      leader: leader, beat: heartbeat, isDirect: relay == nil, relays: relay.map { [$0] } ?? [])
    // One heartbeat takes several ways: the answer goes back on all of them.
    if let known = coordination.heartbeat, known.leader == leader, known.beat.term == heartbeat.term
    {
      pending.beat.number = max(known.beat.number, heartbeat.number)
      pending.isDirect = pending.isDirect || known.isDirect
      pending.relays = known.relays.filter { $0 != relay } + pending.relays
      pending.relays = Array(pending.relays.suffix(Limits.relays))
    }
    coordination.heartbeat = pending
    coordination.isDirty = true
  }

  /// R10: a promise counts for the current voters, the highest number of each.
  mutating func take(promise: Frame.Heartbeat, from sender: NodeID, via way: PromiseWay) {
    note(.promise(sender, term: promise.term, number: promise.number))
    guard coordination.role == .leader, promise.term == durable.term,
      promise.number <= coordination.number
    else {
      counters.drop(.staleTerm)
      return
    }
    if plants(.leaseFromReceipt) { coordination.sentAt[promise.number] = now }
    coordination.promised[sender] = max(coordination.promised[sender] ?? 0, promise.number)
    coordination.relaying.note(promiseOf: sender, via: way, at: now)
    // An answer can extend the lease and end a wait in `beat`.
    coordination.isDirty = true
  }

  /// R12: committed when a majority shows this register in this term, and my own copy is durable:
  /// one that was adopted in this very step is not.
  private mutating func commit() {
    guard let entry = coordination.entry, entry.version.term == durable.term,
      durable.committed != entry.version, coordination.isEntryDurable
    else { return }
    guard isHeldByMajority else { return }
    counters.commits += 1
    noteCommitted(entry.version)
  }

  private var isHeldByMajority: Bool {
    isMajority { voter in
      voter == id || holdsMyRegister(voter)
    }
  }

  func holdsMyRegister(_ node: NodeID) -> Bool {
    guard let card = card(of: node) else { return false }
    return (card.term == durable.term || plants(.commitWithoutTerm))
      && card.register?.digest == coordination.digest
  }

  private var hasStuckVoter: Bool {
    voters.contains { $0 != id && (card(of: $0)?.term ?? 0) > durable.term }
  }

  /// R15: a voter at a higher term with no leader there cannot follow me; stand again, above it.
  private mutating func checkStuckVoters() {
    guard hasValidLease, hasStuckVoter else {
      coordination.stuckSince = nil
      return
    }
    guard let since = coordination.stuckSince else {
      coordination.stuckSince = now
      return
    }
    let isRested = coordination.lastStuck.map { now - $0 > .seconds(30) } ?? true
    guard now - since >= timing.heartbeat * 3, isRested else { return }
    coordination.stuckSince = nil
    coordination.lastStuck = now
    resign()
    coordination.holdOffUntil = now
  }

  /// R13: the next register, when the last one is committed and a lease is held.
  private mutating func propose() {
    guard let entry = coordination.entry,
      durable.committed == entry.version || plants(.changeBeforeCommit),
      entry.version.term == durable.term, let parent = coordination.digest
    else { return }
    notePhase(of: entry.body)
    noteFoundingQuiet(entry.body)
    let fresh = PlanID(generator.bytes16())
    let sight = observation(of: entry.body, freshPlan: fresh)
    if let handOver = handOver(entry.body, seeing: sight) {
      note(.handOver(handOver.successor))
      resign(inFavourOf: handOver.successor)
      return
    }
    var next = deliberate(entry.body, seeing: sight)
    if plants(.manyVotersAtOnce), next.voters != entry.body.voters {
      next.voters = deliberate(next, seeing: observation(of: next, freshPlan: fresh)).voters
    }
    coordination.newcomer = nil
    guard next != entry.body else { return }
    note(proposal: next)
    guard
      plants(.noLeaseCarry) || plants(.manyVotersAtOnce)
        || carriesLease(from: entry.body.voters, to: next.voters)
    else {
      // Its promise is needed first: a sole voter's lease would never carry over without.
      coordination.newcomer = next.voters.first { !entry.body.voters.contains($0) }
      return
    }
    let proposed = RegisterEntry.make(
      version: RegisterVersion(term: durable.term, count: entry.version.count + 1),
      parent: parent, body: next, certificate: coordination.certificate, proposer: id,
      cluster: configuration.cluster, signer: cryptography)
    // The next leader re-stamps this body under a certificate that may be larger.
    guard proposed.encoded.count <= Limits.treeBytes - Limits.certificateMargin else { return }
    // Once it is shown it binds a majority, and no disk could give it back.
    precondition(
      (try? RegisterEntry(decoding: proposed.encoded)) != nil, "no register that cannot be read")
    if next.roster != entry.body.roster { coordination.admissions.note(at: now, timing) }
    adopt(proposed)
  }

  /// A change of voters must not shorten a lease that somebody was promised.
  private func carriesLease(from old: [NodeID], to new: [NodeID]) -> Bool {
    guard old != new, !plants(.noTime) else { return true }
    precondition(Set(old).symmetricDifference(new).count == 1, "one voter changes at a time")
    precondition(new.contains(id), "a leader does not vote itself out")
    guard let before = leaseUntil(old), let after = leaseUntil(new) else { return false }
    return after >= before
  }

  /// Members become fit to vote by the passing of time alone.
  var electorateDeadline: Instant? {
    var earliest: Instant?
    for (_, member) in members {
      let wait = member.state == .alive ? timing.voterStable : timing.voterDemotion
      let due = member.since + wait
      if due > now { earliest = min(due, earliest ?? due) }
    }
    return earliest
  }

  private mutating func notePhase(of body: RegisterBody) {
    let stage = body.plan.map(Coordination.PlanStage.init)
    guard stage != coordination.phase else { return }
    coordination.phase = stage
    coordination.phaseSince = now
  }

  private func observation(of body: RegisterBody, freshPlan: PlanID) -> Observation {
    let nodes = members.keys.compactMap { node -> Observation.Node? in
      guard let member = members[node] else { return nil }
      let work = workCards[node]
      return Observation.Node(
        id: node, isAlive: member.isLive && (node == id || card(of: node) != nil),
        isLeaving: member.state == .left || card(of: node)?.isLeaving ?? false,
        sinceMilliseconds: (now - member.since).milliseconds, plan: work?.plan,
        acknowledgement: work?.acknowledgement, failure: work?.failure ?? "",
        priority: node == id ? configuration.priority : card(of: node)?.priority ?? 0,
        holdsRegister: node == id || holdsMyRegister(node), running: work?.running,
        corrupt: work?.corrupt, stopMilliseconds: Int64(work?.stopMilliseconds ?? 0),
        storage: work?.storage ?? "", freeBytes: work?.volume?.freeBytes,
        knowsWaves: work?.knowsWaves ?? false, keepsOwnCopies: work?.keepsOwnCopies ?? false,
        inspected: work?.inspected?.id)
    }
    return Observation(
      leader: id, term: durable.term, nodes: nodes + unheardVoters(of: body),
      maySeal: maySeal(body), mayAdmit: !body.sealed || now >= coordination.admissions.next,
      requests: openRequests(body),
      fetched: status.fetched,
      collected: status.collected, freshPlan: freshPlan,
      phaseMilliseconds: (now - coordination.phaseSince).milliseconds,
      limits: timing.deliberation)
  }

  /// Voters that this life has not met: it cannot know for how long they are gone, but no longer
  /// than it has itself been here without hearing of them. A leader that has just restarted must
  /// not throw them out.
  private func unheardVoters(of body: RegisterBody) -> [Observation.Node] {
    body.voters.filter { members[$0] == nil && !isForgotten($0) }.map { voter in
      Observation.Node(
        id: voter, isAlive: false, isLeaving: false,
        sinceMilliseconds: (now - bornAt).milliseconds, plan: nil, acknowledgement: nil,
        failure: "", priority: 0, holdsRegister: false)
    }
  }

  /// Requests in members' records that the register has not answered.
  private func openRequests(_ body: RegisterBody) -> [Request] {
    requests.keys.compactMap { node in
      guard let card = requests[node], members[node]?.isLive ?? false,
        body.roster.contains(node),
        !body.answers.contains(where: { $0.node == node && $0.nonce >= card.nonce })
      else { return nil }
      let action: Request.Action
      switch card.action {
      case nil: return nil
      case .set(let setting): action = .set(setting)
      case .addRelease(let release): action = .addRelease(release)
      case .removeRelease(let version): action = .removeRelease(version)
      case .repairRelease(let version): action = .repairRelease(version)
      case .collect: action = .collect
      case .inspect(let version): action = .inspect(version)
      case .follow(let release): action = .follow(release)
      case .upgrade(let version, let options): action = .upgrade(version, options)
      case .steer(let order, let plan): action = .steer(order, plan)
      case .forget(let subject, let authority):
        let isAuthorised = authority.map {
          cryptography.isValid(
            $0, of: forgetMessage(cluster: configuration.cluster, node: subject),
            by: configuration.authority)
        }
        action = .forget(subject, isAuthorised: isAuthorised ?? false)
      case .stepDown(let term, let successor): action = .stepDown(term: term, to: successor)
      }
      return Request(node: node, nonce: card.nonce, action: action)
    }
  }
}
