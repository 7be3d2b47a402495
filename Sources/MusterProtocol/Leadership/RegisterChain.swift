import MusterState

/// How a node gets a newer register, and why it believes it: a chain of entries from its own to
/// the new one, each certified by the voters of the one before. See `proto/README.md`,
/// "Register".
extension Peer {
  /// R2: somebody shows a newer register; fetch it with the chain that leads to it.
  mutating func catchUp() {
    if let fetching = coordination.fetching {
      // Others have it by now, perhaps: the first to show it may be out of this node's reach.
      let others = newSources(of: fetching)
      coordination.fetching?.sources += others
      continueFetching()
      return
    }
    guard let founding = durable.founding, let newest = newestPointer else { return }
    fetch(newest, of: founding, from: holders(of: newest.digest), isTrusted: false)
  }

  /// A newer register than mine that somebody shows.
  var newestPointer: RegisterPointer? {
    guard var version = coordination.entry?.version else { return nil }
    if plants(.candidateIgnoresRegister), coordination.role != .leader, isUnbound { return nil }
    // A member that invents a register must not keep everyone from fetching the real one: a voter
    // is believed first.
    var newest: RegisterPointer?
    for node in voters where node != id && ring.contains(node) {
      guard let pointer = card(of: node)?.register, pointer.version > version,
        coordination.unreachable[pointer.digest].map({ now >= $0 }) ?? true
      else { continue }
      newest = pointer
      version = pointer.version
    }
    if let newest { return newest }
    return pointerOfTheRoster.flatMap { pointer in
      coordination.unreachable[pointer.digest].map { now >= $0 } ?? true ? pointer : nil
    }
  }

  /// What half of the roster's members in reach show or have gone beyond, when at least half of
  /// the roster is in reach: voters that I know may all be as far behind as I am, and one liar
  /// that is alone with me must not be believed.
  private var pointerOfTheRoster: RegisterPointer? {
    // This is asked in every step, and of thousands of cards nearly always none is newer.
    guard let entry = coordination.entry, coordinationCards.showsNewer(than: entry.version) else {
      return nil
    }
    let others = entry.body.roster.filter { $0 != id }
    let shown = others.compactMap { node in ring.contains(node) ? card(of: node)?.register : nil }
      .sorted { $0.version > $1.version }
    guard !shown.isEmpty, 2 * shown.count >= others.count else { return nil }
    let chosen = shown[shown.count / 2]
    return chosen.version > entry.version ? chosen : nil
  }

  private func newSources(of fetching: Coordination.Fetching) -> [NodeID] {
    guard !fetching.isTrusted else { return [] }
    return holders(of: fetching.pointer.digest).filter { !fetching.sources.contains($0) }
  }

  private func holders(of digest: Digest) -> [NodeID] {
    ring.filter { $0 != id && card(of: $0)?.register?.digest == digest }
  }

  mutating func fetch(
    _ pointer: RegisterPointer, of founding: FoundingID, from sources: [NodeID], isTrusted: Bool
  ) {
    if let current = coordination.fetching {
      guard current.pointer != pointer || current.sources != sources else {
        continueFetching()
        return
      }
    }
    coordination.fetching = Coordination.Fetching(
      founding: founding, pointer: pointer, chain: [], chainDigests: [], wanted: pointer.digest,
      sources: sources,
      turn: 0, askedAt: now - timing.chunkRetry, isTrusted: isTrusted)
    continueFetching()
  }

  /// Puts together what has arrived; asks for what has not, of another source each time.
  private mutating func continueFetching() {
    while var fetching = coordination.fetching {
      switch ChunkTree.assemble(fetching.wanted, from: chunks.chunks) {
      case .malformed:
        counters.drop(.malformed)
        giveUpFetching()
        return
      case .missing(let names):
        let isNew = names.contains { !coordination.wantedChunks.contains($0) }
        guard isNew || now - fetching.askedAt >= timing.chunkRetry else { return }
        guard fetching.turn < 8 * max(1, fetching.sources.count), !fetching.sources.isEmpty else {
          // Members that have restarted no longer hold the links between: the newest entry is
          // there and its certificate cannot be traced. That is a long absence by another name.
          let isCut = !fetching.chain.isEmpty
          giveUpFetching()
          if isCut { rejoin() }
          return
        }
        fetching.askedAt = now
        let source = fetching.sources[fetching.turn % fetching.sources.count]
        fetching.turn += 1
        coordination.fetching = fetching
        ask(for: names, of: source)
        return
      case .complete(let bytes):
        guard let entry = try? RegisterEntry(decoding: bytes) else {
          counters.drop(.malformed)
          giveUpFetching()
          return
        }
        arrive(entry)
      }
    }
  }

  private mutating func giveUpFetching() {
    // What could not be had or believed is left alone for a while, in favour of others.
    if let pointer = coordination.fetching?.pointer {
      if coordination.unreachable.count >= Limits.registers { coordination.unreachable = [:] }
      coordination.unreachable[pointer.digest] = now + timing.recontactInterval
    }
    coordination.fetching = nil
    coordination.wantedChunks = []
  }

  /// One entry of the chain is whole: adopt, or look for its parent.
  private mutating func arrive(_ entry: RegisterEntry) {
    guard var fetching = coordination.fetching else { return }
    if fetching.chain.isEmpty, entry.version != fetching.pointer.version {
      giveUpFetching()
      return
    }
    guard entry.body.founding == fetching.founding else {
      giveUpFetching()
      return
    }
    if fetching.isTrusted {
      coordination.fetching = nil
      coordination.wantedChunks = []
      note(fetched: [entry], [fetching.wanted], isTrusted: true)
      take(trusted: entry)
      return
    }
    fetching.chain.append(entry)
    fetching.chainDigests.append(fetching.wanted)
    let known = entry.parent.flatMap { parent in
      coordination.history.last { $0.digest == parent }?.entry
    }
    if let known {
      coordination.fetching = nil
      coordination.wantedChunks = []
      note(fetched: fetching.chain, fetching.chainDigests, isTrusted: false)
      adopt(chain: fetching, from: known)
      return
    }
    guard let parent = entry.parent, fetching.chain.count < Limits.registers else {
      // Away for longer than the chain reaches back: take what a majority shows.
      counters.drop(.uncertified)
      coordination.fetching = nil
      coordination.wantedChunks = []
      rejoin()
      return
    }
    fetching.wanted = parent
    fetching.askedAt = now - timing.chunkRetry
    coordination.fetching = fetching
  }

  /// A sealed founding is left only for one that continues it by the operator's signature.
  private mutating func take(trusted entry: RegisterEntry) {
    let isSealed = coordination.entry?.body.sealed ?? false
    let founding = entry.body.founding
    if isSealed, founding != durable.founding, !isContinued(by: entry.body) {
      refuseRecovery(founding)
    } else if isSignedByProposer(entry) {
      move(to: entry)
    }
  }

  /// Takes what is shown without a chain: a voter's word is enough, for voters speak the truth, and
  /// otherwise that of the roster.
  private mutating func rejoin() {
    guard let held = coordination.entry?.version else { return }
    let voted = voters.compactMap { node -> RegisterPointer? in
      node != id && ring.contains(node) ? card(of: node)?.register : nil
    }.max { $0.version < $1.version }
    let chosen = voted.flatMap { $0.version > held ? $0 : nil } ?? pointerOfTheRoster
    guard let chosen, chosen.version > held else { return }
    let sources = ring.filter { node in
      node != id && (card(of: node)?.register?.version ?? .none) >= chosen.version
    }
    guard let founding = durable.founding else { return }
    fetch(chosen, of: founding, from: sources, isTrusted: true)
  }

  /// Checks every link from what is known to what was fetched, oldest first.
  private mutating func adopt(chain fetching: Coordination.Fetching, from known: RegisterEntry) {
    var previous = known
    for (index, entry) in fetching.chain.enumerated().reversed() {
      guard isLinked(entry, to: previous), isSignedByProposer(entry) else {
        counters.drop(.uncertified)
        // Perhaps it was proposed or voted for by somebody whose key nobody here has any more.
        rejoin()
        return
      }
      previous = entry
      if index > 0 { remember(entry, fetching.chainDigests[index]) }
    }
    guard let newest = fetching.chain.first,
      newest.version > coordination.entry?.version ?? .none
    else { return }
    if coordination.role == .leader, newest.version.term <= durable.term {
      // Two registers of my own term that I did not both propose cannot exist.
      counters.drop(.uncertified)
      return
    }
    stepDown()
    adopt(newest)
  }

  /// A new term re-stamps the body under votes of the old voters; within a term the same leader
  /// goes on by one, changing at most one voter.
  private func isLinked(_ child: RegisterEntry, to parent: RegisterEntry) -> Bool {
    // Terms begin at 1: nobody was ever elected in term 0.
    guard let certificate = child.certificate, child.version.term > 0,
      certificate.term == child.version.term,
      certificate.leader == child.proposer, child.body.founding == parent.body.founding
    else { return false }
    if child.version.term == parent.version.term {
      let changed = Set(child.body.voters).symmetricDifference(parent.body.voters)
      return child.proposer == parent.proposer && changed.count <= 1
        && child.version.count == parent.version.count + 1
    }
    return child.version.term > parent.version.term
      && child.version.count == parent.version.count && child.body == parent.body
      && isValid(certificate, voters: parent.body.voters, founding: parent.body.founding)
  }

  private func isSignedByProposer(_ entry: RegisterEntry) -> Bool {
    let key =
      entry.proposer == id
      ? cryptography.publicKey : members[entry.proposer]?.card.key
    guard let key else { return false }
    return entry.isSigned(by: key, cluster: configuration.cluster, verifier: cryptography)
  }

  // MARK: - Holding

  /// Makes `entry` the register held; the step's end makes it durable before it is shown.
  mutating func adopt(_ entry: RegisterEntry) {
    let bytes = entry.encoded
    let digest = keep(tree: bytes)
    coordination.entry = entry
    coordination.digest = digest
    coordination.isEntryDurable = false
    durable.entry = bytes
    remember(entry, digest)
    coordination.isDirty = true
  }

  private mutating func remember(_ entry: RegisterEntry, _ digest: Digest) {
    guard !coordination.history.contains(where: { $0.digest == digest }) else { return }
    coordination.history.append((digest, entry))
    if coordination.history.count > Limits.registers { coordination.history.removeFirst() }
  }

  /// Learns that the register of this version is committed: from here on it is acted on.
  mutating func noteCommitted(_ version: RegisterVersion) {
    guard let entry = coordination.history.last(where: { $0.entry.version == version })?.entry
    else { return }
    durable.committed = version
    durable.committedEntry = entry.encoded
    coordination.committedEntry = entry
    applyForgotten(entry.body)
    emit(.registerCommitted(version))
  }

  /// Loads what the last life wrote.
  mutating func loadDurable() {
    coordination.wrote = durable
    if !durable.committedEntry.isEmpty,
      let entry = try? RegisterEntry(decoding: durable.committedEntry)
    {
      coordination.committedEntry = entry
      remember(entry, keep(tree: durable.committedEntry))
      applyForgotten(entry.body)
    }
    if !durable.entry.isEmpty, let entry = try? RegisterEntry(decoding: durable.entry) {
      adopt(entry)
      coordination.isEntryDurable = true
    }
    note(
      .boot(
        outcome, isFresh: configuration.isFreshIdentity, priority: configuration.priority))
    coordination.isDirty = true
  }
}
