import MusterState

/// Accusations that wait for each other. A member that has crashed is accused by three observers
/// within a moment, and three floods would cost the cluster three times as much as one that
/// carries all of them. Until they are together, or one has waited long enough, only the observers
/// know; and when the subject answers meanwhile, nobody else ever hears of it. See "Detection" in
/// `proto/README.md`.
extension Peer {
  /// A fourth accusation would change nothing, and costs everybody as much as the first.
  mutating func accuse(_ node: NodeID) {
    let later = now + timing.probeInterval
    prober.targets[node]?.next = later
    guard let member = members[node], member.isLive, mayAccuse(node),
      agreement(on: node).agreeing < Limits.accusers
    else { return }
    let content = Suspicion(subject: node, stamp: member.stamp).encoded
    guard member.state == .alive, canWait(node) else {
      return publish(.suspicion(node), content)
    }
    draft(content, against: node)
  }

  /// Whoever accused it has begun another life or is forgotten. Those who know that it is dead know
  /// it still, but whoever comes now would find its card, nothing against it, and believe it alive.
  mutating func accuseAgain(_ node: NodeID) {
    guard let member = members[node], member.state == .dead, mayAccuse(node),
      observers(of: node, wide: false).contains(id)
    else { return }
    publish(.suspicion(node), Suspicion(subject: node, stamp: member.stamp).encoded)
  }

  /// Whether there is anybody to wait for.
  private func canWait(_ subject: NodeID) -> Bool { accusersWanted(of: subject) > 1 }

  private func accusersWanted(of subject: NodeID) -> Int {
    min(Limits.accusers, max(1, agreement(on: subject).observing))
  }

  /// Tells the other observers, and looks once more.
  private mutating func draft(_ content: [UInt8], against subject: NodeID) {
    let now = now
    prober.targets[subject]?.next = now
    guard prober.targets[subject]?.drafts[id] == nil,
      let record = sign(.suspicion(subject), content)
    else { return }
    let draft = Prober.Draft(record: record, until: now + timing.joining)
    let author = id
    prober.targets[subject]?.drafts[author] = draft
    for observer in otherObservers(of: subject) { send(records: [record], to: observer) }
    considerDrafts(against: subject)
  }

  /// Another observer's accusation, from itself: kept for a moment when it is the first to speak.
  /// What comes once more from it, or by others, is no draft any more.
  /// - Returns: whether it is kept, and nothing else is to be done with it.
  mutating func hold(_ record: Record, from sender: NodeID) -> Bool {
    guard case .suspicion(let subject) = record.name, sender == record.author,
      members[subject]?.state == .alive, let target = prober.targets[subject], canWait(subject),
      target.drafts[sender]?.record.stamp != record.stamp,
      otherObservers(of: subject).contains(sender)
    else { return false }
    let draft = Prober.Draft(record: record, until: now + timing.joining)
    prober.targets[subject]?.drafts[sender] = draft
    hearDoubt(of: subject)
    considerDrafts(against: subject)
    return true
  }

  private mutating func considerDrafts(against subject: NodeID) {
    guard let drafts = prober.targets[subject]?.drafts, drafts[id] != nil,
      drafts.count >= accusersWanted(of: subject)
    else { return }
    sayDrafts(against: subject)
  }

  /// Passes on all that waits: to be called also when somebody has accused the subject openly.
  mutating func sayDrafts(against subject: NodeID) {
    guard let drafts = prober.targets[subject]?.drafts, !drafts.isEmpty else { return }
    prober.targets[subject]?.drafts = SortedTable()
    // This node's comes first: what the others say would move it to write another one. Where it
    // has done so already, or they have said this one for it, there is nothing more to show.
    if let own = drafts[id], members[subject]?.isLive ?? false, mayAccuse(subject),
      agreement(on: subject).agreeing < Limits.accusers,
      isNewer(own.record)
    {
      show(own.record)
    }
    for (author, draft) in drafts where author != id { pass(on: draft.record, from: author) }
  }

  private func isNewer(_ record: Record) -> Bool {
    store[recordKey(record.author, record.name)].map { $0.stamp < record.stamp } ?? true
  }

  /// Whether it is an accusation that this node has told the other observers, and that still
  /// stands. They may have said it together with theirs after this node forgot it: then it stands
  /// here, too.
  func isOwnDraft(_ record: Record) -> Bool {
    guard case .suspicion(let subject) = record.name,
      record.version <= ownVersions[record.name] ?? 0,
      let said = try? Suspicion(decoding: record.content)
    else { return false }
    return said.subject == subject && said.stamp == members[subject]?.stamp
  }

  /// One that has waited long enough is said alone by its author.
  mutating func draftsDue() {
    for (subject, target) in prober.targets where !target.drafts.isEmpty {
      for (author, draft) in target.drafts where now >= draft.until {
        guard author == id else {
          prober.targets[subject]?.drafts[author] = nil
          continue
        }
        sayDrafts(against: subject)
        break
      }
    }
  }
}
