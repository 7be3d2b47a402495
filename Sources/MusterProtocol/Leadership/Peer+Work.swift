import MusterDecisions
import MusterState

/// Duty and status: what the committed register gives this node, and what the agent makes of it.
struct WorkState: Sendable {
  /// Progress of a download is news only now and then.
  var publishAt: Instant?
  var lastPublished = Instant.zero
  /// Whether this node has ever said `stopped`, of whatever plan.
  var hasStopped = false
  /// The plan whose hold an operator has released here.
  var released: PlanID?

  var deadline: Instant? { publishAt }
}

extension Peer {
  /// Tells the agent when its duty changes. The duty follows from what is durable here and
  /// committed by a majority, and it names the term.
  mutating func showDuty() {
    guard coordination.waitingFor == nil else { return }
    // Of a founding that was left before it was sealed nothing is kept: what runs, runs on.
    let term = coordination.committedEntry?.version.term ?? 0
    guard committedBody != nil || leaving.hasBegun else { return }
    var next = MusterDecisions.duty(
      of: id, committed: bodyToObey, term: term, fetches: mayFetch,
      keepsOwnCopies: status.keepsOwnCopies)
    if plants(.startsUnadmitted), next.role == nil, let current = bodyToObey?.current {
      next.role = .worker
      next.run = current
    }
    if let plan = bodyToObey?.plan, plan.id == work.released, plan.part(of: id) == .stops {
      next.run = plan.from
    }
    if leaving.hasBegun { next = Duty(term: term) }
    if mayFetch { keepWhatRuns(in: &next) }
    guard next != duty else {
      // A phase may ask nothing new of this node, and yet make what it says mean something else.
      if duty.plan != nil, workCards[id]?.acknowledgement != ownAcknowledgement { publishWork() }
      return
    }
    duty = next
    effects.append(.duty(next))
    publishWork()
  }

  /// The previous copy of a release that was published anew still runs until each node starts
  /// again, and who was overtaken runs what nobody else does.
  private func keepWhatRuns(in duty: inout Duty) {
    let running = ring.compactMap { workCards[$0]?.running }
    duty.keep += Set(running).subtracting(duty.keep).sorted().prefix(Limits.kept)
  }

  /// An operator's override, for this life and this plan: who runs again says nothing of the plan
  /// any more, and moves when it hears what became of it.
  mutating func releaseHold(_ signature: Signature, _ ticket: UInt64) {
    let message = holdMessage(cluster: configuration.cluster, node: id)
    guard cryptography.isValid(signature, of: message, by: configuration.authority) else {
      return refuse(ticket, "the signature is not the authority's; use the key of this cluster")
    }
    guard let plan = committedBody?.plan, plan.part(of: id) == .stops, duty.run == nil else {
      return refuse(ticket, "no plan holds this node; 'muster upgrade status' shows its part")
    }
    work.released = plan.id
    coordination.isDirty = true
    effects.append(.reply(ticket: ticket, .done))
  }

  private var bodyToObey: RegisterBody? {
    if plants(.actsOnUncommitted) { return coordination.entry?.body }
    if plants(.stopsNotDurable), now - bornAt < .seconds(5), var body = committedBody {
      body.plan = nil
      return body
    }
    return committedBody
  }

  /// A proposal under way does not end a fetch that a committed register orders: only the loss of
  /// the lease or of the term does.
  private var mayFetch: Bool {
    if plants(.fetchInStaleTerm) { return coordination.committedEntry?.proposer == id }
    return hasValidLease && durable.committed.term == durable.term && committedBody?.sealed ?? false
  }

  mutating func take(_ status: LocalStatus) {
    guard status != self.status else { return }
    let before = self.status
    self.status = status
    coordination.isDirty = true
    // Where nothing is founded nobody does anything yet: hundreds that start at once spare each
    // other a record each.
    guard committedBody != nil else {
      work.publishAt = work.publishAt ?? now + timing.leisure + generator.upTo(timing.leisure)
      return
    }
    var quiet = before
    quiet.progress = status.progress
    guard quiet == status, status.progress != nil else {
      publishWork()
      return
    }
    // Only the progress has moved: once a second is enough for everyone else.
    work.publishAt = work.publishAt ?? max(now, work.lastPublished + .seconds(1))
  }

  mutating func workDue() {
    guard let publishAt = work.publishAt, now >= publishAt else { return }
    publishWork()
  }

  private var ownAcknowledgement: Acknowledgement? {
    if committedBody?.plan?.phase == .prepare {
      if plants(.acknowledgesBeforeStop) { return .stopped }
      if plants(.acknowledgesAnyPlan), work.hasStopped { return .stopped }
    }
    return acknowledgement(of: id, duty, committedBody, status: status)
  }

  private mutating func publishWork() {
    work.publishAt = nil
    work.lastPublished = now
    var card = WorkCard()
    card.plan = duty.plan
    card.acknowledgement = ownAcknowledgement
    if card.acknowledgement == .stopped { work.hasStopped = true }
    card.running = status.running
    card.role = status.runningRole
    card.isReady = status.ready
    card.reportedVersion = clipped(status.reportedVersion, to: 64)
    card.failure = clipped(complaint(of: duty, committedBody, status: status), to: 200)
    card.stopMilliseconds = status.stopMilliseconds
    card.knowsWaves = true
    card.storage = clipped(status.storage, to: 200)
    card.progress = status.progress
    card.volume = status.volume
    card.corrupt = status.corrupt
    card.offer = status.offer
    card.keepsOwnCopies = status.keepsOwnCopies
    card.index = clipped(status.index, to: Limits.verdictBytes)
    card.inspected = status.inspected
    card.inspected?.text = clipped(status.inspected?.text ?? "", to: Limits.verdictBytes)
    card.services = Array(status.services.prefix(6))
    // Long names give way: the others are worth more than the last service.
    while card.encoded.count > Limits.recordContentBytes, !card.services.isEmpty {
      card.services.removeLast()
    }
    if card.encoded.count > Limits.recordContentBytes { card.inspected?.text = "" }
    if card.encoded.count > Limits.recordContentBytes { card.index = "" }
    publish(.work, card.encoded)
  }

  mutating func note(work card: WorkCard, of node: NodeID) {
    let before = workCards[node]
    workCards[node] = card
    coordination.isDirty = true
    if let plan = card.plan, let said = card.acknowledgement,
      before?.plan != plan || before?.acknowledgement != said
    {
      emit(.acknowledged(node, plan: plan, said))
    }
  }

  // MARK: - Forgotten

  func isForgotten(_ node: NodeID) -> Bool {
    coordination.committedEntry?.body.forgotten.contains(node) ?? false
  }

  /// A committed tombstone: the identity is gone for good, and everything it said.
  mutating func applyForgotten(_ body: RegisterBody) {
    for node in body.forgotten where members[node] != nil {
      if node == id {
        stop(.forgotten)
        return
      }
      believe(node, .left)
      let said = store.records(of: node)
      for record in said { store.remove(key: recordKey(node, record.name)) }
      let unaccused = withdraw(said)
      for observer in accusations[node]?.keys.sorted() ?? [] {
        store.remove(key: recordKey(observer, .suspicion(node)))
      }
      accusations[node] = nil
      dropFindings(of: node)
      sessions[node] = nil
      senders[Envelope.hint(of: node)] = nil
      members[node] = nil
      dead.remove(node)
      coordinationCards[node] = nil
      workCards[node] = nil
      relations[node] = nil
      requests[node] = nil
      emit(.memberForgotten(node))
      for subject in unaccused { accuseAgain(subject) }
    }
  }
}
