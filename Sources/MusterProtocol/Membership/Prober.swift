import MusterState

/// Whom this node watches, which probes are under way, and when its own observers come. See
/// `proto/README.md`, "Detection".
struct Prober: Sendable {
  /// One member that this node watches.
  struct Target: Sendable {
    var next: Instant
    var probe: Probe?
    /// The last probe that came to nothing: an answer that comes late tells how long one takes.
    var missed: Probe?
    /// Which of its pings were answered.
    var path = PathRecord()
    /// How long its answers took.
    var slowness = Patience()
    /// Probes that failed in a row, and when the last one did.
    var failures = 0
    var failedAt: Instant?
    /// When another observer said last that its own probe has failed.
    var doubtedAt: Instant?
    /// Accusations by this node and by other observers that wait for each other.
    var drafts = SortedTable<NodeID, Draft>()
  }

  /// An accusation that only the observers know of.
  struct Draft: Sendable {
    var record: Record
    /// When it waits no longer for others: the author says it alone then, whoever holds it for the
    /// author forgets it.
    var until: Instant
  }

  /// An unanswered probe.
  struct Probe: Sendable {
    /// The sequence of the first ping; each further one has the next.
    var sequence: UInt32
    /// When each was sent: directly at first, and from the second time on through others, too.
    var asked: [Instant]
    /// When it is asked again, or has failed.
    var expires: Instant

    /// When the ping was sent that this answers; `nil`: none of them.
    func asked(by sequence: UInt32) -> Instant? {
      let round = Int(sequence &- self.sequence)
      return round < asked.count ? asked[round] : nil
    }
  }

  /// A ping sent on behalf of another observer.
  struct Errand: Sendable {
    var requester: NodeID
    var sequence: UInt32
    var subject: NodeID
    var expires: Instant
  }

  var targets = SortedTable<NodeID, Target>()
  var sequence: UInt32 = 0
  var errands: [UInt32: Errand] = [:]
  /// The ring has changed since `targets` was derived from it.
  var isStale = false
  /// How late this node's own turns were.
  var stalls = Patience()
  /// What share of pings comes to nothing on the way, for live members.
  var loss = LossEstimate()
  /// When each observer of this node is expected next, so that they take turns.
  var planned: [(observer: NodeID, at: Instant)] = []
  /// The two members heard last, and when: enough to ask about "anyone but one".
  private var heard: [(node: NodeID, at: Instant)] = []

  var deadline: Instant? {
    var earliest: Instant?
    for (_, target) in targets {
      var instant = target.probe?.expires ?? target.next
      for (_, draft) in target.drafts { instant = min(instant, draft.until) }
      earliest = min(instant, earliest ?? instant)
    }
    return earliest
  }

  mutating func hear(_ node: NodeID, at now: Instant) {
    if let index = heard.firstIndex(where: { $0.node == node }) {
      heard[index].at = now
    } else {
      heard.append((node, now))
      if heard.count > 2, let oldest = heard.indices.min(by: { heard[$0].at < heard[$1].at }) {
        heard.remove(at: oldest)
      }
    }
  }

  /// When anybody was heard last.
  var lastHeard: Instant? { heard.map(\.at).max() }

  func lastHeard(exceptFrom node: NodeID) -> Instant? {
    var latest: Instant?
    for entry in heard where entry.node != node { latest = max(entry.at, latest ?? entry.at) }
    return latest
  }

  mutating func nextSequence() -> UInt32 {
    // Room for the rounds of a probe; 0 is what no probe has.
    sequence = sequence < UInt32.max - 2 * 16 ? sequence + 16 : 16
    return sequence
  }

  /// Nothing stands against it any more.
  mutating func acquit(_ node: NodeID) {
    guard targets[node]?.failedAt != nil || targets[node]?.doubtedAt != nil else { return }
    targets[node]?.failures = 0
    targets[node]?.failedAt = nil
    targets[node]?.doubtedAt = nil
    targets[node]?.drafts = SortedTable()
  }

  mutating func lookNow(at subject: NodeID, now: Instant) {
    guard targets[subject]?.probe == nil, targets[subject] != nil else { return }
    targets[subject]?.next = now
  }

  /// Moves what runs by a stall, but nothing further than `limit` plus its own length.
  mutating func shift(by delay: TimeSpan, limit: Instant) {
    for (node, target) in targets {
      if let probe = target.probe { targets[node]?.probe?.expires = probe.expires + delay }
      for (author, draft) in target.drafts {
        targets[node]?.drafts[author]?.until = draft.until + delay
      }
    }
  }

  /// When an observer that probes now should probe next: one interval behind the latest turn that
  /// is planned for the others, so that turns spread evenly without any common clock.
  mutating func turn(of observer: NodeID, at now: Instant, interval: TimeSpan) -> TimeSpan {
    planned.removeAll { $0.at <= now || $0.observer == observer }
    var latest = now
    for turn in planned { latest = max(latest, turn.at) }
    let next = latest + interval
    planned.append((observer, next))
    return next - now
  }
}
