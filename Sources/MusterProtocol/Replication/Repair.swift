import MusterState

/// Anti-entropy: fingerprints that travel on probes tell that two nodes differ; buckets, then
/// digests, then records settle it. See `proto/README.md`, "Repair".
struct Repair: Sendable {
  /// When the store last changed: floods under way are given a moment to arrive.
  var changedAt = Instant.zero
  /// When each peer was last asked to compare.
  private var asked: [NodeID: Instant] = [:]
  private var reminded: [NodeID: Instant] = [:]
  /// Comparisons that have not been answered yet.
  private(set) var open = SortedTable<NodeID, Comparison>()
  private var news = News()
  private var offered: [NodeID: Instant] = [:]

  mutating func mayAsk(_ node: NodeID, at now: Instant, interval: TimeSpan) -> Bool {
    if let last = asked[node], now - last < interval { return false }
    if asked.count > 256 { asked = asked.filter { now - $0.value < interval } }
    asked[node] = now
    return true
  }

  /// A question to one member that may be lost, and so may its answers.
  struct Comparison: Sendable {
    var again: Instant
    var left = Limits.comparisonTries
  }

  var deadline: Instant? {
    var earliest: Instant?
    for (_, comparison) in open { earliest = min(comparison.again, earliest ?? comparison.again) }
    return earliest
  }

  mutating func begin(with node: NodeID, again: Instant) {
    guard open[node] == nil, open.count < Limits.comparisons else { return }
    open[node] = Comparison(again: again)
  }

  /// Nothing came of it in time; false once it has been tried often enough, and is over.
  mutating func retry(with node: NodeID, again: Instant) -> Bool {
    guard let left = open[node]?.left, left > 0 else {
      open[node] = nil
      return false
    }
    open[node] = Comparison(again: again, left: left - 1)
    return true
  }

  /// Something has come of it: it waits for more until `again`, or is over.
  mutating func answered(by node: NodeID, again: Instant?) {
    guard open[node] != nil else { return }
    open[node] = again.map { Comparison(again: $0) }
  }

  func due(at now: Instant) -> [NodeID] {
    open.keys.filter { open[$0].map { now >= $0.again } ?? false }
  }

  /// - Parameter change: what it has added to this node's fingerprint.
  mutating func note(news key: UInt64, change: UInt64, at now: Instant) {
    changedAt = now
    news.note(key, change: change, at: now)
  }

  /// What exactly a node lacks whose fingerprint is behind by `difference`, when that can be told
  /// from what changed lately; empty when it was sent just now.
  mutating func lacking(
    _ difference: UInt64, of node: NodeID, settling: TimeSpan, at now: Instant
  ) -> [UInt64]? {
    guard let keys = news.keys(making: difference, settling: settling, at: now) else { return nil }
    return mayOffer(to: node, at: now) ? keys : []
  }

  /// What changed lately, for somebody who differs; `nil`: too much, or nothing, and buckets are
  /// the better question; empty when it was offered just now.
  mutating func offer(to node: NodeID, most: Int, at now: Instant) -> [UInt64]? {
    guard let keys = news.offer(most: most, at: now) else { return nil }
    return mayOffer(to: node, at: now) ? keys : []
  }

  private mutating func mayOffer(to node: NodeID, at now: Instant) -> Bool {
    if let last = offered[node], now - last < .milliseconds(90) { return false }
    if offered.count > 256 { offered = offered.filter { now - $0.value < .seconds(1) } }
    offered[node] = now
    return true
  }

  mutating func noteOffered(_ count: Int) { news.noteOffered(count) }

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
    if sendLacking(by: viewFingerprint &- fingerprint, to: node) { return }
    guard now - repair.changedAt >= settling else { return }
    // The views of those who are left out always differ.
    if isLeftOut || unfitness.leftOut.containsSorted(node) {
      if unfitness.mayTell(node, at: now) { askToCompare(node) }
      return
    }
    if offerNews(to: node) { return }
    askToCompare(node)
  }

  /// Whoever differs shortly after a change has most likely missed it, or has what was missed here:
  /// each sends the other at once what it has heard last. Buckets, digests and records take three
  /// datagrams one after the other, and where half of all are lost that nearly never works.
  private mutating func offerNews(to node: NodeID) -> Bool {
    let most = prober.loss.isLossy ? Limits.newsLossy : Limits.news
    guard let keys = repair.offer(to: node, most: most, at: now) else { return false }
    repair.noteOffered(sendOne(keys, to: node))
    return true
  }

  /// Fingerprints are sums, so a difference tells what it is made of when it is one or two changes
  /// of late that the other has missed: then it gets these and nothing else.
  private mutating func sendLacking(by difference: UInt64, to node: NodeID) -> Bool {
    guard !isLeftOut, !unfitness.leftOut.containsSorted(node),
      let keys = repair.lacking(difference, of: node, settling: settling, at: now)
    else { return false }
    _ = sendOne(keys, to: node)
    return true
  }

  /// - Returns: how many of them fit one datagram.
  private mutating func sendOne(_ keys: [UInt64], to node: NodeID) -> Int {
    var size = 0
    let records = keys.compactMap { store[$0] }.prefix { record in
      size += record.encodedSize
      return size <= Envelope.capacity
    }
    send(records: Array(records), to: node)
    return records.count
  }

  /// Sends this node's bucket fingerprints, as a question.
  mutating func askToCompare(_ node: NodeID) {
    guard repair.mayAsk(node, at: now, interval: timing.repairInterval) else { return }
    counters.repairs += 1
    repair.begin(with: node, again: now + timing.repairRetry)
    var frame = Frame()
    frame.buckets = store.fingerprints
    send(frame, to: node)
  }

  mutating func repairDue() {
    guard let due = repair.deadline, now >= due else { return }
    for node in repair.due(at: now) {
      guard members[node]?.isLive ?? false else {
        repair.answered(by: node, again: nil)
        continue
      }
      if repair.retry(with: node, again: now + timing.repairRetry) { askToCompare(node) }
    }
  }

  /// Answers with digests of the buckets that differ, each digest complete for its range.
  mutating func answer(buckets: [UInt64], from sender: NodeID) {
    let differing = buckets.indices.filter { buckets[$0] != store.fingerprints[$0] }
    if isNewcomers(buckets, differing) {
      tellEverything(in: differing, to: sender)
      return
    }
    guard !differing.isEmpty else {
      // It asked, so it is told that there is nothing.
      state(to: sender)
      return
    }
    // Where one answer cannot name everything it does not always begin with the first: what the
    // other refuses there must not hide for ever what lies behind.
    let most = Limits.digestsTold
    let entries = store.count * differing.count / store.fingerprints.count
    let isMuch = entries > most / 2 * StateDigest.entriesPerFrame
    let start = isMuch ? Int(generator.below(UInt64(differing.count))) : 0
    let sent = send(digestsOf: differing[start...], most: most, to: sender)
    _ = send(digestsOf: differing[..<start], most: most - sent, to: sender)
  }

  /// - Parameter buckets: ascending.
  /// - Returns: how many datagrams it took.
  private mutating func send(
    digestsOf buckets: ArraySlice<Int>, most: Int, to sender: NodeID
  ) -> Int {
    var pending: StateDigest?
    var sent = 0
    func fits(_ count: Int) -> Bool { count <= StateDigest.entriesPerFrame }
    for bucket in buckets {
      guard sent < most else { break }
      let range = RecordStore.range(of: bucket)
      let entries = store.entries(from: range.lowerBound, through: range.upperBound).map {
        StateDigest.Entry(key: $0.key, stamp: $0.stamp)
      }
      // Adjoining ranges share a datagram while they fit; the gap between two that do not
      // adjoin would claim that everything in it is missing.
      if var open = pending {
        // What lies between two ranges may be the same on both sides: to list it is cheaper than
        // another datagram.
        let between =
          range.lowerBound == open.last &+ 1
          ? [] : store.entries(from: open.last + 1, through: range.lowerBound - 1)
        if fits(open.entries.count + between.count + entries.count) {
          open.last = range.upperBound
          open.entries += between.map { StateDigest.Entry(key: $0.key, stamp: $0.stamp) } + entries
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
    guard let pending else { return sent }
    send(digest: pending, to: sender)
    return sent + 1
  }

  /// Who has nothing in nearly all buckets that differ lacks everything: there is nothing to
  /// compare. What it has itself is asked for only by digests, so this is for hundreds that have
  /// little more than their cards.
  private func isNewcomers(_ buckets: [UInt64], _ differing: [Int]) -> Bool {
    let empty = differing.count { buckets[$0] == 0 }
    return isGathering && empty * 4 > differing.count * 3
  }

  /// Bucket after bucket, as much as an answer may be; the rest is for the next question.
  private mutating func tellEverything(in buckets: [Int], to node: NodeID) {
    var keys: [UInt64] = []
    for bucket in buckets where keys.count < Limits.recordsTold {
      let range = RecordStore.range(of: bucket)
      keys += store.entries(from: range.lowerBound, through: range.upperBound).map(\.key)
    }
    deliver(keys: keys, to: node)
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
    repair.answered(by: sender, again: now + timing.repairRetry)
    guard !wanted.isEmpty else { return }
    var frame = Frame()
    frame.wanted = Array(wanted.prefix(StateDigest.entriesPerFrame))
    send(frame, to: sender)
  }

  mutating func deliver(keys: [UInt64], to node: NodeID) {
    let records = keys.prefix(Limits.recordsTold).compactMap { store[$0] }
    var cards = records.filter { $0.name == .member }
    let others = records.filter { $0.name != .member }
    // Where one answer cannot hold everything a card may lie in another one, and would come too
    // late: the records would be refused, and their buckets named again and again.
    if store.count > Limits.recordsTold {
      let told = Set(cards.map(\.author))
      let authors = Set(others.map(\.author)).subtracting(told).sorted()
      cards += authors.compactMap { store[recordKey($0, .member)] }
    }
    send(records: cards + others, to: node)
  }
}
