import MusterState

/// States of members: who is believed alive, suspect, dead or gone, and why.
extension Peer {
  /// Takes a card that is newer than what is known of its author.
  mutating func adopt(
    card: MemberCard, stamp: RecordStamp, incarnation: Incarnation, via: Event.Discovery?
  ) {
    let author = cryptography.nodeID(of: card.key)
    var member =
      members[author]
      ?? Member(
        card: card, stamp: stamp, incarnation: incarnation, state: .dead, since: now)
    let isNew = members[author] == nil
    if !isNew, member.incarnation != incarnation || member.address != card.address {
      sessions[author] = nil
    }
    if member.incarnation.counter != incarnation.counter { dropFindings(of: author) }
    if !isNew, member.incarnation == incarnation, !card.hasLeft { noteTardiness(of: &member) }
    member.card = card
    member.stamp = stamp
    member.incarnation = incarnation
    members[author] = member
    prober.acquit(author)
    if isNew { dead.insert(author) }
    senders[Envelope.hint(of: author)] = author
    if accusations[author] != nil { dropRefutedAccusations(of: author, newerThan: stamp) }
    if card.hasLeft {
      believe(author, .left, via: via)
    } else if isUnfit(author) {
      // No word of its own brings it back.
    } else if accusations[author]?.isEmpty ?? true {
      believe(author, .alive, via: via)
    } else {
      reconsider(author)
    }
    if author != id { greetNamesake(author) }
  }

  /// Another word of the same life: it took so long to answer the accusation. Who was believed dead
  /// for long, or with most others, was cut off, not slow.
  private mutating func noteTardiness(of member: inout Member) {
    if member.state == .suspect { prober.loss.noteRefutation() }
    if let since = member.suspectedAt {
      member.tardiness.note(now - since, at: now)
    } else if member.state == .dead, now - member.since < timing.tardinessLimit,
      dead.count * 2 <= members.count
    {
      member.tardiness.note(now - member.since + timing.refutationWindow, at: now)
      member.returnedAt = now
    }
  }

  /// Changes what is believed, keeps ring and overlay in step, and tells.
  mutating func believe(_ node: NodeID, _ state: MemberState, via: Event.Discovery? = nil) {
    guard var member = members[node] else { return }
    guard member.state != state else { return }
    let wasLive = ring.contains(node)
    let old = member.state
    member.state = state
    member.since = now
    if state != .suspect {
      member.suspectedAt = nil
      member.reminders = 0
    }
    members[node] = member
    if member.isLive != wasLive {
      repair.changedAt = now
      let mark = mixed(node.bytes.low)
      if member.isLive {
        ring.insert(node)
        ringFingerprint &+= mark
        overlay.insert(node)
      } else {
        ring.remove(node)
        ringFingerprint &-= mark
        overlay.remove(node)
      }
    }
    if state == .dead { dead.insert(node) } else { dead.remove(node) }
    prober.isStale = true
    if state == .suspect { suspects.insertSorted(node) } else { suspects.removeSorted(node) }
    coordination.isDirty = true
    guard node != id else { return }
    switch state {
    case .alive:
      if old != .suspect { emit(.memberAlive(node, name: member.name, via: via ?? .gossip)) }
    case .suspect: break
    case .dead:
      emit(
        .memberDead(node, name: member.name, accusers: accusations[node]?.count ?? 0))
    case .left: emit(.memberLeft(node, name: member.name))
    }
    contacting.isStale = true
  }

  // MARK: - Accusations

  /// Takes a verified accusation; one against this node is answered with a newer card.
  mutating func accuse(_ suspicion: Suspicion, by accuser: NodeID) {
    guard let subject = members[suspicion.subject] else { return }
    guard suspicion.stamp >= subject.stamp else { return }
    accusations[suspicion.subject, default: [:]][accuser] = suspicion.stamp
    if durable.founding != nil, !observers(of: suspicion.subject, wide: true).contains(accuser) {
      counters.drop(.notObserver)
    }
    if suspicion.subject == id {
      refute()
      return
    }
    if subject.state == .alive {
      emit(.memberSuspect(suspicion.subject, name: subject.name, by: accuser))
    }
    reconsider(suspicion.subject)
    if accuser != id { hearDoubt(of: suspicion.subject) }
  }

  private mutating func refute() {
    guard !leaving.hasSaidGoodbye, !plants(.deadForEver) else { return }
    counters.suspicionsRefuted += 1
    publish(.member, ownCard(hasLeft: false).encoded, isForced: true)
  }

  private mutating func dropRefutedAccusations(of subject: NodeID, newerThan stamp: RecordStamp) {
    guard let standing = accusations[subject] else { return }
    for (accuser, accused) in standing.sorted(by: { $0.key < $1.key }) where accused < stamp {
      accusations[subject]?[accuser] = nil
      store.remove(key: recordKey(accuser, .suspicion(subject)))
    }
    if accusations[subject]?.isEmpty ?? true { accusations[subject] = nil }
  }

  /// Alive, suspect or dead, by the accusations that stand against the newest card.
  private mutating func reconsider(_ subject: NodeID) {
    guard let member = members[subject], member.state != .left, subject != id else { return }
    guard !(accusations[subject]?.isEmpty ?? true) else {
      believe(subject, .alive)
      return
    }
    if member.state == .alive || member.suspectedAt == nil && member.state != .dead {
      members[subject]?.suspectedAt = now
      suspicionAlarm = nil
      believe(subject, .suspect)
    }
    judge(subject)
  }

  mutating func judgeSuspects() {
    // Nothing is asked of each suspect in the many turns before the first of them is due.
    guard let due = suspicionsDue(), now >= due else { return }
    for subject in suspects {
      if let reminder = nextReminder(of: subject), now >= reminder { remind(subject) }
      judge(subject)
    }
  }

  /// A flood can miss the suspect, or its answer miss somebody. Who watches the suspect, or is next
  /// to it, asks it directly while the window runs; it answers with its newest card.
  private func nextReminder(of subject: NodeID) -> Instant? {
    guard let member = members[subject], let since = member.suspectedAt else { return nil }
    let reminders = Int64(member.reminders)
    guard reminders < Limits.suspicionReminders else { return nil }
    return since + timing.refutationWindow * (reminders + 1) / (Limits.suspicionReminders + 1)
  }

  private mutating func remind(_ subject: NodeID) {
    members[subject]?.reminders += 1
    suspicionAlarm = nil
    guard prober.targets[subject] != nil || overlay.neighbours(of: id).contains(subject) else {
      return
    }
    sendAccusations(to: subject)
  }

  private mutating func judge(_ subject: NodeID) {
    guard let deadline = verdictDeadline(of: subject), now >= deadline else { return }
    // Who hears nobody else doubts itself first and holds its verdicts.
    guard hearsOthers(than: subject) else { return }
    believe(subject, .dead)
    considerFlapping(of: subject)
  }

  /// The short window needs three observers, or all there are; otherwise the long one runs. Who
  /// observes nothing is a question to those who do: its word alone waits for them for very long.
  /// It is not thrown away, for its author may have observed when it was written.
  private func verdictDeadline(of subject: NodeID) -> Instant? {
    guard let since = members[subject]?.suspectedAt else { return nil }
    let (agreeing, observing) = agreement(on: subject)
    let wanted = min(Limits.accusers, max(1, observing))
    if agreeing == 0, durable.founding != nil { return since + timing.strangerSuspicionWindow }
    let window =
      (agreeing >= wanted ? timing.refutationWindow : timing.loneSuspicionWindow)
      + (members[subject]?.tardiness.left(at: now) ?? .zero)
    return since + window + timing.refutationWindow * prober.loss.windows + crowding
      + prober.stalls.left(at: now) * 2
  }

  /// That many fail at one time is seldom, and that many are slow, because they share a machine or
  /// a network that is overloaded, is common: the more are suspected at once, the longer a verdict
  /// waits for what they have to say.
  private var crowding: TimeSpan {
    let crowd = min(max(0, suspects.count - Limits.suspectsAtOnce), 3 * Limits.suspectsAtOnce)
    return timing.refutationWindow * Int64(crowd) / Int64(Limits.suspectsAtOnce)
  }

  /// How many of a suspect's wide observers accuse it, and how many narrow ones it has: what
  /// `observers(of:wide:)` gives, counted without making the lists.
  func agreement(on subject: NodeID) -> (agreeing: Int, observing: Int) {
    let accusers = accusations[subject] ?? [:]
    let count = ring.count
    var (agreeing, observing, passed) = (0, 0, 0)
    var index = ring.place(of: subject)
    for _ in 0..<count {
      guard passed < Limits.observers * 4 || observing < Limits.observers else { break }
      if index >= count { index = 0 }
      let node = ring[index]
      index += 1
      guard node != subject else { continue }
      if passed < Limits.observers * 4, accusers[node] != nil { agreeing += 1 }
      passed += 1
      if observing < Limits.observers, members[node]?.state == .alive { observing += 1 }
    }
    return (agreeing, observing)
  }

  /// When the first verdict or reminder is due, which may have passed. It is looked for again only
  /// when something that it rests on has changed: with many suspects this is most of a turn.
  mutating func suspicionsDue() -> Instant? {
    let basis = SuspicionAlarm.Basis(
      founding: durable.founding, windows: prober.loss.windows, stall: prober.stalls.left(at: now))
    if let known = suspicionAlarm, known.basis == basis,
      known.expires.map({ now < $0 }) ?? true
    {
      return known.due
    }
    var alarm = SuspicionAlarm(basis: basis)
    for subject in suspects {
      for due in [verdictDeadline(of: subject), nextReminder(of: subject)] {
        if let due { alarm.due = min(due, alarm.due ?? due) }
      }
      if let change = members[subject]?.tardiness.nextHalving(after: now) {
        alarm.expires = min(change, alarm.expires ?? change)
      }
    }
    suspicionAlarm = alarm
    return alarm.due
  }

  mutating func suspicionDeadline() -> Instant? {
    guard let due = suspicionsDue(), due <= now else { return suspicionsDue() }
    var earliest: Instant?
    for subject in suspects {
      guard let verdict = verdictDeadline(of: subject) else { continue }
      // A held verdict is looked at again soon.
      var deadline = verdict > now ? verdict : now + .milliseconds(100)
      if let reminder = nextReminder(of: subject) { deadline = min(deadline, reminder) }
      earliest = min(deadline, earliest ?? deadline)
    }
    return earliest
  }

  /// Whether anything was heard lately from somebody else than `subject`. With nobody else to
  /// hear, there is nothing to hold a verdict for.
  func hearsOthers(than subject: NodeID) -> Bool {
    let others = ring.contains { $0 != id && $0 != subject && members[$0]?.state == .alive }
    guard others else { return true }
    guard let heard = prober.lastHeard(exceptFrom: subject) else { return false }
    return now - heard < timing.probeInterval + timing.probeTimeoutMaximum
  }

  // MARK: - Observers

  /// The live members that watch `subject`: the next ones behind it on the ring. `wide` also
  /// takes those that would follow them, because views differ for a moment after a change.
  func observers(of subject: NodeID, wide: Bool) -> [NodeID] {
    let wanted = wide ? Limits.observers * 4 : Limits.observers
    var result: [NodeID] = []
    let count = ring.count
    var index = ring.place(of: subject)
    for _ in 0..<count {
      guard result.count < wanted else { break }
      if index >= count { index = 0 }
      let node = ring[index]
      index += 1
      guard node != subject, wide || members[node]?.state == .alive else { continue }
      result.append(node)
    }
    return result
  }

  /// The members that this node watches: those before it on the ring for which it is among the
  /// first `Limits.observers` that are not suspect.
  var subjects: [NodeID] {
    guard ring.count > 1, ring.contains(id) else { return [] }
    let own = ring.place(of: id)
    var result: [NodeID] = []
    var between = 0
    for step in 1..<ring.count {
      let node = ring[(own + ring.count - step) % ring.count]
      result.append(node)
      if members[node]?.state == .alive { between += 1 }
      if between >= Limits.observers { break }
    }
    return result
  }

  // MARK: - Names

  /// A card that others pass on may be that of the dead, whose name this node takes over: whether
  /// somebody is there only an answer to a hello can tell. Nobody else is at this node's own
  /// address.
  private mutating func greetNamesake(_ other: NodeID) {
    guard let card = namesake(other), card.address != configuration.address else { return }
    contact(card.address, via: .gossip, tries: 3)
  }

  private func namesake(_ other: NodeID) -> MemberCard? {
    guard let member = members[other], member.card.name == configuration.name, member.isLive,
      !member.card.hasLeft
    else { return nil }
    return member.card
  }

  /// A second node with a live name is refused. Only a node in its first seconds stops by
  /// itself: later, nobody could make a member stop by claiming its name.
  mutating func settleName(with newcomer: NodeID) {
    guard let card = namesake(newcomer) else { return }
    emit(.nameConflict(name: card.name, holder: id, claimant: newcomer))
    if now - bornAt < .seconds(5), newcomer < id || durable.founding == nil && isFounded(newcomer) {
      stop(.nameTaken(name: card.name, holder: newcomer))
    }
  }

  private func isFounded(_ node: NodeID) -> Bool { coordinationCards[node]?.founding != nil }

  /// Who holds `name` alive, other than `newcomer`.
  func holder(of name: String, except newcomer: NodeID) -> NodeID? {
    ring.first { $0 != newcomer && members[$0]?.name == name }
  }
}

/// What `suspicionsDue` has found, while nothing that it rests on changes.
struct SuspicionAlarm: Sendable {
  /// What all verdicts rest on, and what is cheap to compare.
  struct Basis: Hashable, Sendable {
    var founding: FoundingID?
    var windows: Int64
    var stall: TimeSpan
  }

  var due: Instant?
  var basis: Basis
  /// When a suspect's tardiness counts less, and the verdict on it comes sooner.
  var expires: Instant?

  init(basis: Basis) { self.basis = basis }
}
