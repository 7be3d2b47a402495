import MusterState

/// Everything about the election, the lease and the register that need not survive a crash.
struct Coordination: Sendable {
  /// A promise to follow one heartbeat of one leader.
  struct Bound: Hashable, Sendable {
    var leader: NodeID
    var term: UInt64
    var number: UInt64
  }

  /// Something the rules read has changed.
  var isDirty = true
  var quarantineUntil = Instant.zero
  var role = ElectionRole.follower
  var certificate: Certificate?
  var verdicts = Verdicts()
  var bound: Bound?
  var boundUntil = Instant.zero
  var resigned: UInt64 = 0
  /// Whom this node asked to take over when it resigned.
  var successor: NodeID?
  /// The newest heartbeat that has not been answered yet.
  var heartbeat: PendingHeartbeat?

  // Candidate.
  var campaignAt: Instant?
  var candidateUntil = Instant.zero
  var holdOffUntil = Instant.zero
  /// The leader that resigned has named this node.
  var isNamed = false

  // Leader.
  var number: UInt64 = 0
  var sentAt: [UInt64: Instant] = [:]
  var promised: [NodeID: UInt64] = [:]
  var nextHeartbeat = Instant.zero
  var electedAt = Instant.zero
  var relaying = Relaying()
  /// Who is to become a voter as soon as it has promised, too.
  var newcomer: NodeID?
  var admissions = Admissions()
  var stuckSince: Instant?
  var lastStuck: Instant?
  var phaseSince = Instant.zero
  var phase: PlanStage?

  // Register.
  var entry: RegisterEntry?
  var digest: Digest?
  /// Whether `entry` is on disk.
  var isEntryDurable = false
  /// The entry of version `durable.committed`.
  var committedEntry: RegisterEntry?
  /// The chain behind the register held, newest last, by digest.
  var history: [(digest: Digest, entry: RegisterEntry)] = []
  var wantedChunks: Set<Digest> = []
  /// A tree that is being put together.
  var fetching: Fetching?
  /// Registers that could not be fetched or certified, and when to try them again.
  var unreachable: [Digest: Instant] = [:]

  // Founding.
  var gate: [NodeID] = []
  var gateSince = Instant.zero
  var quietSince: Instant?
  var conflict: FoundingID?
  /// An operator's recovery that waits for a write under way.
  var recovery: Peer.PendingRecovery?
  /// Foundings that claim to continue this one and do not, and until when that is believed.
  var unrelated: [FoundingID: Instant] = [:]

  // Durability.
  var ticket: UInt64 = 0
  var waitingFor: UInt64?
  var wrote = Durable()
  /// Non-voters publish mere progress of the register at leisure.
  var publishAt: Instant?
  /// The voters of the register that the shown card names.
  var shownVoters: [NodeID] = []
  var shownLeader: NodeID?
  var shownTerm: UInt64 = 0
  var shownPlan: Plan?
  var shownPlanAt = Instant.zero
  var shownRoles: [NodeID: Role] = [:]
  /// The register that `shownRoles` were taken from.
  var shownRolesOf: Shown?
  var shownCurrent: ReleaseReference?
  var shownSealed = false
  var wakeAt: Instant?
  var notes = Notes()

  struct PendingHeartbeat: Sendable {
    var leader: NodeID
    var beat: Frame.Heartbeat
    /// Whether it came straight from the leader.
    var isDirect: Bool
    /// The members that passed it on.
    var relays: [NodeID]
  }

  struct Shown: Hashable, Sendable {
    var founding: FoundingID
    var version: RegisterVersion
  }

  struct PlanStage: Hashable, Sendable {
    var plan: PlanID
    var phase: Plan.Phase
    var hasReference: Bool
    var wave: UInt8
    var isPaused: Bool

    init(_ plan: Plan) {
      self.plan = plan.id
      phase = plan.phase
      hasReference = plan.reference != nil
      wave = plan.wave
      isPaused = plan.isPaused
    }
  }

  struct Fetching: Sendable {
    var founding: FoundingID
    var pointer: RegisterPointer
    /// The digest wanted now: the pointer's, or an ancestor's on the way to what is known.
    var chain: [RegisterEntry]
    var chainDigests: [Digest]
    var wanted: Digest
    var sources: [NodeID]
    var turn: Int
    var askedAt: Instant
    /// A newcomer takes what a majority shows, without a chain.
    var isTrusted: Bool
  }

  var deadline: Instant? { waitingFor != nil ? nil : isDirty ? .zero : wakeAt }
}

extension Peer {
  // MARK: - Rules' vocabulary

  var voters: [NodeID] { coordination.entry?.body.voters ?? [] }
  var isVoter: Bool { voters.contains(id) }

  /// My promise and my quarantine are over (`unbound` in the proof).
  var isUnbound: Bool {
    plants(.noTime)
      || now >= coordination.boundUntil && now >= coordination.quarantineUntil
  }

  /// Measured from before the heartbeat was sent, never from its answer.
  func leaseUntil(_ voters: [NodeID]) -> Instant? {
    guard coordination.role == .leader, !voters.isEmpty else { return nil }
    let promised = voters.map { voter in
      voter == id ? coordination.number : coordination.promised[voter] ?? 0
    }.sorted(by: >)
    let quorum = promised[voters.count / 2]
    let length = plants(.noDriftMargin) ? timing.promise : timing.lease
    return coordination.sentAt[quorum].map { $0 + length }
  }

  var hasValidLease: Bool {
    if plants(.noTime) { return coordination.role == .leader }
    return leaseUntil(voters).map { now < $0 } ?? false
  }

  /// May act: leader, lease, a register committed in this term, sealed.
  var isEffectiveLeader: Bool {
    hasValidLease && durable.committed.term == durable.term
      && durable.committed == coordination.entry?.version
      && coordination.entry?.body.sealed ?? false
  }

  func isMajority(_ condition: (NodeID) -> Bool) -> Bool {
    voters.filter(condition).count >= voters.count / 2 + 1
  }

  /// A card of my founding; other foundings do not speak to this register.
  func card(of node: NodeID) -> CoordinationCard? {
    guard let card = coordinationCards[node], card.founding == durable.founding else { return nil }
    return card
  }

  // MARK: - The step

  /// Applies the rules until nothing changes. While a write is under way nothing is decided:
  /// what is not durable must not be shown, and what is not shown need not be decided yet.
  mutating func coordinate() {
    for _ in 0..<8 {
      guard !isStopped, coordination.waitingFor == nil else { return }
      guard coordination.isDirty || coordination.wakeAt.map({ now >= $0 }) ?? false else { return }
      coordination.isDirty = false
      recoverIfAsked()
      beginRuleStep()
      if durable.founding == nil {
        found()
      } else {
        considerFoundings()
        catchUp()
        checkCertificates()
        follow()
        vote()
        campaign()
        lead()
      }
      finishStep()
      endRuleStep()
    }
  }

  /// Writes what changed, or shows it at once when nothing durable did.
  private mutating func finishStep() {
    if durable == coordination.wrote { answerWritten() }
    if durable != coordination.wrote {
      coordination.ticket += 1
      coordination.waitingFor = coordination.ticket
      coordination.wrote = durable
      effects.append(.persist(durable.encoded, ticket: coordination.ticket))
      if plants(.voteBeforeDisk) { show() }
      return
    }
    show()
    coordination.wakeAt = nextWake()
  }

  mutating func persisted(_ ticket: UInt64) {
    guard coordination.waitingFor == ticket else { return }
    coordination.waitingFor = nil
    coordination.isDirty = true
    coordination.isEntryDurable = true
    note(.persisted)
    show()
    if durable == coordination.wrote { answerWritten() }
  }

  // MARK: - Showing

  /// Publishes the coordination card, and tells the agent what the committed register gives it.
  private mutating func show() {
    var card = CoordinationCard()
    card.founding = durable.founding
    card.term = durable.term
    card.vote = durable.vote
    card.voteSignature = durable.voteSignature
    if let entry = coordination.entry, let digest = coordination.digest {
      card.register = RegisterPointer(version: entry.version, digest: digest)
      card.isSealed = entry.body.sealed
      card.recoveries = UInt32(entry.body.recoveries.count)
    }
    card.committed = durable.committed
    card.role = coordination.role
    card.isFree = isUnbound
    card.resigned = coordination.resigned
    card.certificate = coordination.role == .leader ? coordination.certificate : nil
    card.expect = configuration.expect
    card.isLeaving = leaving.hasBegun
    card.priority = configuration.priority
    card.successor = coordination.successor
    #if MUSTER_PLANTED_BUGS
      lie(in: &card)
    #endif
    if !isSaidByMemberCard(card), isWorthShowingNow(card) {
      coordination.publishAt = nil
      coordination.shownVoters = voters
      publish(.coordination, card.encoded)
    }
    showDuty()
    showChanges()
  }

  private mutating func showChanges() {
    let leader = leaderHint
    let term = leader.flatMap { card(of: $0)?.term } ?? durable.term
    if leader != coordination.shownLeader || leader != nil && term != coordination.shownTerm {
      coordination.shownLeader = leader
      coordination.shownTerm = term
      emit(.leaderChanged(leader, term: term))
    }
    guard let body = committedBody else { return }
    if body.sealed, !coordination.shownSealed {
      coordination.shownSealed = true
      emit(.sealed(body.founding))
    }
    if body.plan != coordination.shownPlan {
      let previous = coordination.shownPlan
      coordination.shownPlan = body.plan
      // Who is overtaken meanwhile gives the others no more time.
      let stages = [body.plan, previous].map { $0.map(Coordination.PlanStage.init) }
      if stages[0] != stages[1] { coordination.shownPlanAt = now }
      emit(.planChanged(body.plan, previous: previous?.phase))
    }
    if body.current != coordination.shownCurrent {
      coordination.shownCurrent = body.current
      emit(.releaseChanged(body.current))
    }
    showRoles(of: body)
  }

  /// Roles follow from the committed register alone: in between there is nothing to look for.
  private mutating func showRoles(of body: RegisterBody) {
    let shown = Coordination.Shown(founding: body.founding, version: durable.committed)
    guard shown != coordination.shownRolesOf else { return }
    coordination.shownRolesOf = shown
    for node in body.roster {
      let role = body.role(of: node)
      guard coordination.shownRoles[node] != role else { continue }
      coordination.shownRoles[node] = role
      emit(.roleChanged(node, role: role))
    }
    for node in coordination.shownRoles.keys.sorted() where !body.roster.containsSorted(node) {
      coordination.shownRoles[node] = nil
      emit(.roleChanged(node, role: nil))
    }
  }

  /// The node that shows the highest certified term as leader: a hint, it authorises nothing.
  var leaderHint: NodeID? {
    if coordination.role == .leader { return id }
    if let bound = coordination.bound, bound.term == durable.term,
      card(of: bound.leader)?.role == .leader
    {
      return bound.leader
    }
    return highestCertifiedLeader
  }

  /// The newest body this node knows to be committed: what it acts on.
  var committedBody: RegisterBody? { coordination.committedEntry?.body }

  // MARK: - Waking

  private func nextWake() -> Instant? {
    var earliest: Instant?
    func consider(_ instant: Instant?) {
      guard let instant, instant > now else { return }
      earliest = min(instant, earliest ?? instant)
    }
    consider(coordination.publishAt)
    consider(coordination.fetching.map { $0.askedAt + timing.chunkRetry })
    // What could not be fetched is tried again, also when nothing else happens here.
    for retry in coordination.unreachable.values { consider(retry) }
    if durable.founding == nil {
      consider(gateDeadline)
      return earliest
    }
    // A promise or quarantine that ends makes this node free to vote.
    consider(coordination.boundUntil)
    consider(coordination.quarantineUntil)
    consider(coordination.campaignAt)
    consider(coordination.holdOffUntil)
    switch coordination.role {
    case .candidate: consider(coordination.candidateUntil)
    case .leader:
      consider(coordination.nextHeartbeat)
      consider(coordination.admissions.next)
      consider(leaseUntil(voters))
      consider(coordination.electedAt + timing.lease)
      consider(coordination.quietSince.map { $0 + sealDelay })
      consider(coordination.stuckSince.map { $0 + timing.heartbeat * 3 })
      if let plan = coordination.entry?.body.plan {
        let limit = plan.phase == .prepare ? timing.stopTimeout : timing.acknowledgementTimeout
        consider(coordination.phaseSince + limit)
      }
      consider(electorateDeadline)
    case .follower: break
    }
    return earliest
  }
}
