import MusterState

/// Records: publishing one's own, taking and passing on those of others.
extension Peer {
  func recordKey(_ author: NodeID, _ name: RecordName) -> UInt64 {
    MusterProtocol.recordKey(author, name, cryptography)
  }

  /// Publishes this node's record of a name. The same content again is no news, unless forced.
  mutating func publish(_ name: RecordName, _ content: [UInt8], isForced: Bool = false) {
    guard isForced || ownContents[name] != content, let record = sign(name, content) else { return }
    show(record)
  }

  /// A new version of one of this node's records, that nobody knows yet; `nil`: there are too many.
  mutating func sign(_ name: RecordName, _ content: [UInt8]) -> Record? {
    if store[recordKey(id, name)] == nil, store.count(of: id) >= Limits.recordsPerAuthor {
      // The others would refuse it: then nobody may have it.
      counters.drop(.recordLimit)
      return nil
    }
    let version = (ownVersions[name] ?? 0) + 1
    ownVersions[name] = version
    return Record.make(
      author: id, incarnation: configuration.incarnation, name: name, version: version,
      content: content, cluster: configuration.cluster, signer: cryptography)
  }

  /// Makes one of this node's records known, here and to the others.
  mutating func show(_ record: Record) {
    precondition(
      store[recordKey(id, record.name)].map { $0.stamp < record.stamp } ?? true,
      "nobody shows an older version of what it has shown")
    ownContents[record.name] = record.content
    if case .suspicion(let subject) = record.name { retireSuspicions(except: subject) }
    let before = coordinationCards[id]
    let fingerprint = viewFingerprint
    insert(record)
    interpret(record, via: nil)
    noteNews(record, since: fingerprint)
    let haste = passOn(record, instead: before, heldBy: nil)
    // Whoever counts the votes of a change waits for nobody else's sake.
    if haste == .idle, isVoter, let leader = leaderHint, leader != id {
      send(records: [record], to: leader)
    }
    if case .suspicion(let subject) = record.name { sayDrafts(against: subject) }
  }

  /// An author has a limited number of records: accusations that no longer stand make room.
  private mutating func retireSuspicions(except subject: NodeID) {
    for name in ownVersions.keys.sorted(by: { $0.text < $1.text }) {
      guard case .suspicion(let other) = name, other != subject,
        accusations[other]?[id] == nil
      else { continue }
      ownContents[name] = nil
    }
  }

  private mutating func insert(_ record: Record) {
    let key = recordKey(record.author, record.name)
    store.insert(record, key: key, hash: recordHash(key: key, stamp: record.stamp))
  }

  private mutating func noteNews(_ record: Record, since fingerprint: UInt64) {
    repair.note(
      news: recordKey(record.author, record.name), change: viewFingerprint &- fingerprint, at: now)
  }

  /// Takes a record from somebody: refused before any state changes, or applied and passed on.
  mutating func take(_ record: Record, from sender: NodeID?, via: Event.Discovery = .gossip) {
    let key = recordKey(record.author, record.name)
    guard isAcceptable(record, from: sender) else { return }
    let outcome = store.outcome(of: record, key: key)
    switch outcome {
    case .duplicate where plants(.forwardAgain):
      counters.recordsForwarded += 1
      outbox.add(key, heldBy: sender)
      return
    case .stale where plants(.lowerIncarnation): break
    case .duplicate:
      if let sender { outbox.note(key, heldBy: sender) }
      return
    case .stale: return
    case .full:
      counters.drop(.recordLimit)
      return
    case .applied, .equivocation, .cloned: break
    }
    guard let signer = signerKey(of: record) else { return }
    counters.signaturesVerified += 1
    guard
      plants(.unverifiedRecord)
        || record.isSigned(by: signer, cluster: configuration.cluster, verifier: cryptography)
    else {
      counters.drop(.badSignature)
      return
    }
    guard record.author != id else {
      meetOwnRecord(record, outcome, from: sender)
      return
    }
    switch outcome {
    case .equivocation:
      counters.drop(.equivocation)
      members[record.author]?.isQuarantined = true
      emit(.equivocation(record.author))
      return
    case .cloned:
      counters.drop(.staleIncarnation)
      return
    case .stale where plants(.lowerIncarnation): break
    case .duplicate, .stale, .full: return
    case .applied: break
    }
    if let sender, hold(record, from: sender) { return }
    enter(record, from: sender, via: via)
  }

  /// What waited here: it may have been answered, or have come by others, meanwhile.
  mutating func pass(on record: Record, from sender: NodeID) {
    guard isAcceptable(record, from: sender),
      case .applied = store.outcome(of: record, key: recordKey(record.author, record.name))
    else { return }
    enter(record, from: sender, via: .gossip)
  }

  /// Applies a record that has passed every check, and passes it on.
  private mutating func enter(_ record: Record, from sender: NodeID?, via: Event.Discovery) {
    let before = record.name == .coordination ? coordinationCards[record.author] : nil
    let fingerprint = viewFingerprint
    let unaccused = record.name == .member ? forgetEarlierLives(of: record) : []
    insert(record)
    counters.recordsApplied += 1
    interpret(record, via: via)
    noteNews(record, since: fingerprint)
    for subject in unaccused { accuseAgain(subject) }
    if spendAllowance(of: record.author) {
      counters.recordsForwarded += 1
      _ = passOn(record, instead: before, heldBy: sender)
    }
    if case .suspicion(let subject) = record.name { sayDrafts(against: subject) }
  }

  /// How soon a record is passed on.
  private enum Haste {
    case urgent, usual, idle
  }

  private mutating func passOn(
    _ record: Record, instead before: CoordinationCard?, heldBy holder: NodeID?
  ) -> Haste {
    let haste = haste(of: record, before)
    outbox.add(
      recordKey(record.author, record.name), heldBy: holder, isUrgent: haste == .urgent,
      idleFrom: haste == .idle ? now : nil)
    return haste
  }

  /// Votes, and what they decide, wait for nothing. How far somebody has come with the register
  /// interests the leader alone, unless it is a plan that it waits to be heard of; and in a large
  /// cluster it would be a storm.
  private func haste(of record: Record, _ before: CoordinationCard?) -> Haste {
    // Whoever is left out stays so for half a minute.
    if case .unfit = record.name { return .idle }
    guard record.name == .coordination, let card = coordinationCards[record.author] else {
      return .usual
    }
    let isAwaited = coordination.entry?.body.plan != nil
    if !isAwaited, let before, card.isProgress(since: before) { return .idle }
    if voters.contains(record.author) { return .urgent }
    let isSettled = card.role == .follower && !card.isLeaving && card.founding != nil
    return isSettled && !isAwaited && card.founding == durable.founding ? .idle : .usual
  }

  /// Checks that need no signature: is this about a member, a life and a subject that count?
  private mutating func isAcceptable(_ record: Record, from sender: NodeID?) -> Bool {
    if isForgotten(record.author) {
      counters.drop(.forgotten)
      return false
    }
    if record.author == id { return true }
    let member = members[record.author]
    if member?.isQuarantined ?? false {
      counters.drop(.equivocation)
      return false
    }
    if record.name == .member {
      if member == nil, members.count >= Limits.members {
        counters.drop(.memberLimit)
        return false
      }
      return true
    }
    // Without the author's card there is no key to check with; repair brings both in order.
    guard let member,
      member.incarnation.counter == record.incarnation.counter || plants(.lowerIncarnation)
    else {
      counters.drop(.staleIncarnation)
      return false
    }
    // An accusation is about the card at hand: an older one is refuted already, and one of a card
    // that nobody has seen could never be. Who lacks the card gets it first, by repair.
    if case .suspicion(let subject) = record.name {
      guard let accused = members[subject],
        let suspicion = try? Suspicion(decoding: record.content), suspicion.subject == subject,
        suspicion.stamp == accused.stamp
      else {
        if subject == id, let sender { answerOldAccusation(of: sender) }
        return false
      }
    }
    // A finding is about one life; who lacks the card of a newer one gets it first, too.
    if case .unfit(let subject) = record.name {
      guard let found = members[subject], let finding = try? Finding(decoding: record.content),
        finding.subject == subject, finding.life == found.incarnation.counter
      else { return false }
    }
    return true
  }

  /// Somebody has not heard that I refuted this: it gets my newest card straight from me.
  private mutating func answerOldAccusation(of sender: NodeID) {
    guard repair.mayRemind(sender, at: now), let card = store[recordKey(id, .member)] else {
      return
    }
    send(records: [card], to: sender)
  }

  /// A card carries its own key, which must hash to its author.
  private mutating func signerKey(of record: Record) -> PublicKey? {
    if record.author == id { return cryptography.publicKey }
    guard record.name == .member else { return members[record.author]?.card.key }
    guard let card = try? MemberCard(decoding: record.content),
      cryptography.nodeID(of: card.key) == record.author
    else {
      counters.drop(.malformed)
      return nil
    }
    return card.key
  }

  /// Somebody shows a record that this node signed in another life, or that it did not sign in
  /// this one: a restored or cloned disk. Or others have said for it what it had told only them.
  private mutating func meetOwnRecord(
    _ record: Record, _ outcome: RecordStore.Outcome, from sender: NodeID?
  ) {
    let own = configuration.incarnation
    if record.incarnation.counter > own.counter { stop(.cloned) }
    if record.incarnation.counter == own.counter, record.incarnation.boot != own.boot {
      stop(.cloned)
    }
    guard record.incarnation == own, case .applied = outcome, isOwnDraft(record) else { return }
    ownContents[record.name] = record.content
    enter(record, from: sender, via: .gossip)
  }

  /// - Returns: what `withdraw` does.
  private mutating func forgetEarlierLives(of record: Record) -> [NodeID] {
    let author = record.author
    guard let member = members[author], record.incarnation.counter > member.incarnation.counter
    else { return [] }
    coordinationCards[author] = nil
    workCards[author] = nil
    relations[author] = nil
    requests[author] = nil
    return withdraw(store.removeOlder(of: author, than: record.incarnation.counter))
  }

  /// What somebody said of others goes with its records.
  /// - Returns: the dead whom nobody accuses any more.
  mutating func withdraw(_ records: [Record]) -> [NodeID] {
    var unaccused: [NodeID] = []
    for record in records {
      if case .unfit(let subject) = record.name { unfitness.drop(subject, by: record.author) }
      guard case .suspicion(let subject) = record.name else { continue }
      accusations[subject]?[record.author] = nil
      guard accusations[subject]?.isEmpty ?? false else { continue }
      accusations[subject] = nil
      switch members[subject]?.state {
      // The verdict must not run on by itself.
      case .suspect: believe(subject, .alive)
      case .dead: unaccused.append(subject)
      default: break
      }
    }
    return unaccused
  }

  /// Reads the content of a record that was kept.
  private mutating func interpret(_ record: Record, via: Event.Discovery?) {
    let author = record.author
    do throws(WireError) {
      switch record.name {
      case .member:
        let card = try MemberCard(decoding: record.content)
        adopt(card: card, stamp: record.stamp, incarnation: record.incarnation, via: via)
        noteUnfounded(author, card)
      case .coordination:
        coordinationCards[author] = try CoordinationCard(decoding: record.content)
        coordination.isDirty = true
      case .work:
        note(work: try WorkCard(decoding: record.content), of: author)
      case .data:
        relations[author] = try RelationContent(decoding: record.content).settings
        emit(.recordUpdated(author, name: record.name.text))
      case .request:
        requests[author] = try RequestCard(decoding: record.content)
        coordination.isDirty = true
      case .suspicion:
        accuse(try Suspicion(decoding: record.content), by: author)
      case .unfit:
        take(try Finding(decoding: record.content), by: author)
      case .other: break
      }
    } catch {
      // Signed, so the author's mistake: kept for its version, and read as nothing.
      counters.drop(.malformed)
    }
  }

  /// Five a second with a burst of twenty, for each author: what exceeds it waits for repair.
  private mutating func spendAllowance(of author: NodeID) -> Bool {
    guard members[author] != nil else { return false }
    let mayForward = allowances.spend(of: author, at: now)
    if !mayForward { counters.drop(.rateLimited) }
    return mayForward
  }

  // MARK: - Sending

  /// Sends what was learned to the neighbours on the overlay: at once, or together with what comes
  /// in the next moment when there is much of it.
  mutating func flush() {
    // In a small cluster there is never so much of it.
    let isSmall = ring.count <= Limits.smallCluster
    let atOnce = isGathering ? 0 : isSmall ? 4 * Limits.forwardsAtOnce : Limits.forwardsAtOnce
    guard outbox.isDue(at: now, atOnce: atOnce, pause: forwardPause, idlePause: timing.idlePause)
    else { return }
    let items = outbox.take()
    for neighbour in audience {
      var records = items.filter { !$0.holders.contains(neighbour) }.compactMap { store[$0.key] }
      #if MUSTER_PLANTED_BUGS
        if plants(.insiderForgesRecords) { records += records.map(forged) }
      #endif
      send(records: records.filter { $0.author != neighbour }, to: neighbour)
    }
  }

  /// Packs records into as few datagrams as they fit.
  mutating func send(records: [Record], to node: NodeID) {
    var frame = Frame()
    var size = 0
    for record in records {
      if size + record.encodedSize > Envelope.capacity, !frame.records.isEmpty {
        send(frame, to: node)
        frame = Frame()
        size = 0
      }
      frame.records.append(record)
      size += record.encodedSize
    }
    if !frame.records.isEmpty { send(frame, to: node) }
  }
}

/// The place of an author's record of a name in every store of the cluster: keyed, so that an
/// outsider cannot aim at one.
func recordKey(_ author: NodeID, _ name: RecordName, _ cryptography: any Cryptography) -> UInt64 {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(16 + Limits.recordNameBytes)
  author.bytes.append(to: &bytes)
  bytes.append(contentsOf: name.text.utf8)
  return cryptography.digest(bytes, key: cryptography.clusterKey).bytes.first.high
}

/// What one version of a record adds to the fingerprints.
func recordHash(key: UInt64, stamp: RecordStamp) -> UInt64 {
  mixed(key ^ mixed(stamp.counter ^ mixed(stamp.version)))
}
