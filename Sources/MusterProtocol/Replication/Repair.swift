import MusterState

/// Anti-entropy: fingerprints that travel on probes tell that two nodes differ; buckets, then
/// digests, then records settle it. See `proto/README.md`, "Repair".
struct Repair: Sendable {
  /// When the store last changed: floods under way are given a moment to arrive.
  var changedAt = Instant.zero
  /// When each peer was last asked to compare.
  private var asked: [NodeID: Instant] = [:]
  private var reminded: [NodeID: Instant] = [:]

  mutating func mayAsk(_ node: NodeID, at now: Instant, interval: TimeSpan) -> Bool {
    if let last = asked[node], now - last < interval { return false }
    if asked.count > 256 { asked = asked.filter { now - $0.value < interval } }
    asked[node] = now
    return true
  }

  mutating func mayRemind(_ node: NodeID, at now: Instant) -> Bool {
    if let last = reminded[node], now - last < .milliseconds(200) { return false }
    if reminded.count > 256 { reminded = reminded.filter { now - $0.value < .seconds(1) } }
    reminded[node] = now
    return true
  }
}

extension Peer {
  /// Compares fingerprints that a probe brought; starts a comparison when they differ.
  mutating func compare(fingerprint: UInt64, agreement bits: [UInt8], with node: NodeID) {
    if fingerprint == viewFingerprint {
      note(agreement: bits, of: node)
      return
    }
    guard now - repair.changedAt >= .milliseconds(50) else { return }
    askToCompare(node)
  }

  /// Sends this node's bucket fingerprints, as a question.
  mutating func askToCompare(_ node: NodeID) {
    guard repair.mayAsk(node, at: now, interval: timing.repairInterval) else { return }
    counters.repairs += 1
    var frame = Frame()
    frame.buckets = store.fingerprints
    send(frame, to: node)
  }

  /// Answers with digests of the buckets that differ, each digest complete for its range.
  mutating func answer(buckets: [UInt64], from sender: NodeID) {
    var pending: StateDigest?
    var sent = 0
    func fits(_ count: Int) -> Bool { count <= StateDigest.entriesPerFrame }
    for bucket in buckets.indices where buckets[bucket] != store.fingerprints[bucket] {
      guard sent < 32 else { break }
      let range = RecordStore.range(of: bucket)
      let entries = store.entries(from: range.lowerBound, through: range.upperBound).map {
        StateDigest.Entry(key: $0.key, stamp: $0.stamp)
      }
      // Adjoining ranges share a datagram while they fit; the gap between two that do not
      // adjoin would claim that everything in it is missing.
      if var open = pending {
        if open.last &+ 1 == range.lowerBound, fits(open.entries.count + entries.count) {
          open.last = range.upperBound
          open.entries += entries
          pending = open
          continue
        }
        send(digest: open, to: sender)
        sent += 1
      }
      pending = nil
      var first = range.lowerBound
      var rest = entries[...]
      while !fits(rest.count) {
        let part = rest.prefix(StateDigest.entriesPerFrame)
        let last = part.last?.key ?? first
        send(digest: StateDigest(first: first, last: last, entries: Array(part)), to: sender)
        sent += 1
        rest = rest.dropFirst(part.count)
        first = last + 1
      }
      pending = StateDigest(first: first, last: range.upperBound, entries: Array(rest))
    }
    if let pending { send(digest: pending, to: sender) }
  }

  private mutating func send(digest: StateDigest, to node: NodeID) {
    var frame = Frame()
    frame.digest = digest
    send(frame, to: node)
  }

  /// Sends what the other lacks or has older, and asks for what this node lacks. Cards go first,
  /// because no record counts without its author's card.
  mutating func answer(_ digest: StateDigest, from sender: NodeID) {
    var theirs: [UInt64: RecordStamp] = [:]
    for entry in digest.entries { theirs[entry.key] = entry.stamp }
    var wanted: [UInt64] = []
    for entry in digest.entries {
      guard let record = store[entry.key] else {
        wanted.append(entry.key)
        continue
      }
      if record.stamp < entry.stamp { wanted.append(entry.key) }
    }
    let newer = store.entries(from: digest.first, through: digest.last).filter { entry in
      theirs[entry.key].map { $0 < entry.stamp } ?? true
    }
    deliver(keys: newer.map(\.key), to: sender)
    guard !wanted.isEmpty else { return }
    var frame = Frame()
    frame.wanted = Array(wanted.prefix(StateDigest.entriesPerFrame))
    send(frame, to: sender)
  }

  mutating func deliver(keys: [UInt64], to node: NodeID) {
    let records = keys.prefix(256).compactMap { store[$0] }
    let cards = records.filter { $0.name == .member }
    let others = records.filter { $0.name != .member }
    send(records: cards + others, to: node)
  }

  // MARK: - Agreement

  /// The store and the ring in one number: what two nodes compare.
  var viewFingerprint: UInt64 { store.fingerprint &+ ringFingerprint }

  private mutating func refreshAgreement() {
    let fingerprint = viewFingerprint
    guard fingerprint != agreement.fingerprint else { return }
    agreement.fingerprint = fingerprint
    agreement.set = Agreement()
    agreement.set.insert(ring.place(of: id))
    agreement.since = nil
    noteCompleteness()
  }

  private mutating func noteCompleteness() {
    let live = min(ring.count, Agreement.members)
    let isComplete = agreement.set.count(limit: live) == live
    if isComplete, agreement.since == nil { agreement.since = now }
  }

  private mutating func note(agreement bits: [UInt8], of node: NodeID) {
    refreshAgreement()
    // A set that is complete has nothing to learn, and most of the time it is.
    guard agreement.since == nil else { return }
    let isUnion = agreement.set.formUnion(bits)
    let isNew = agreement.set.insert(ring.place(of: node))
    if isUnion || isNew { noteCompleteness() }
  }

  /// After a change the set is passed around quickly, one neighbour at a time, until it is
  /// complete or the change is old; probes carry on from there. A quiet cluster sends none.
  mutating func exchangeAgreement() {
    guard let due = agreement.deadline(after: repair.changedAt, timing), now >= due else { return }
    agreement.exchangedAt = now
    refreshAgreement()
    guard agreement.since == nil else { return }
    let neighbours = aliveNeighbours
    guard !neighbours.isEmpty else { return }
    var frame = Frame()
    frame.ping = Frame.Ping(
      sequence: 0, fingerprint: viewFingerprint, agreement: agreement.set.bits)
    send(frame, to: neighbours[Int(generator.below(UInt64(neighbours.count)))])
  }

  private var aliveNeighbours: [NodeID] {
    overlay.neighbours(of: id).filter { members[$0]?.state == .alive }
  }

  /// The set travels while it is incomplete here, or when the other side asks by sending its own.
  mutating func agreementToSend(isAsked: Bool) -> [UInt8] {
    refreshAgreement()
    return isAsked || agreement.since == nil ? agreement.set.bits : []
  }
}

/// Who shares this node's state, for one fingerprint.
struct AgreementState: Sendable {
  var fingerprint: UInt64 = 0
  var set = Agreement()
  var since: Instant?
  var exchangedAt = Instant.zero

  /// When to pass the set on next; `nil` when it is complete or the last change is long ago.
  func deadline(after change: Instant, _ timing: Timing) -> Instant? {
    guard since == nil, exchangedAt - change < timing.agreementSpan else { return nil }
    return max(change, exchangedAt) + timing.agreementInterval
  }
}
