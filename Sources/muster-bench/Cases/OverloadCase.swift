import MusterProtocol
import MusterReference
import MusterSimulator

/// More changes than the network takes: every member has 64 keys and changes one a second, for a
/// while two, and later each link carries half. The paper that asked this first bounds what one
/// exchange may carry, so that ordinary changes take 64 % of it; here it is the sender's link that
/// is bounded, for whoever would fill it.
enum OverloadCase {
  private static let keys = 64
  /// Ours puts 64 % of it on the wire at the ordinary rate with 128 members.
  private static let uplink = 1_000_000
  private static let look = TimeSpan.milliseconds(500)
  /// Staleness up to this is the ordinary one.
  private static let ordinary = TimeSpan.seconds(2)

  /// When what happens, in seconds from the first change.
  private struct Schedule: Sendable {
    var doubles: Int64 = 25
    var eases: Int64 = 75
    var halves: Int64 = 90
    var ends: Int64 = 120
  }

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? [options.isShort ? 32 : 128]
    let schedule =
      options.isShort ? Schedule(doubles: 5, eases: 10, halves: 15, ends: 20) : Schedule()
    let jobs = sizes.flatMap { size in
      [false, true].flatMap { isBounded in
        BenchCase.jobs(
          "N \(size), \(isBounded ? "bounded links" : "free links")",
          seeds: options.seeds(options.isFull ? 5 : 1, short: 1)
        ) { kind, seed in overload(kind, size, isBounded ? uplink * size / 128 : 0, schedule, seed)
        }
      }
    }
    return BenchCase(
      name: "8",
      title: "\(keys) keys a member, one changed a second, two from \(schedule.doubles) to "
        + "\(schedule.eases) s, to \(schedule.ends) s; bounded: \(uplink / 1_000) kB/s a member of "
        + "128, half of it from \(schedule.halves) s",
      jobs: jobs
    ) { _ in rows }
  }

  private static let rows = [
    RowRule("staleness at the ordinary rate, most", .time) { $0.most("stale ordinary") },
    RowRule("staleness at the double rate, most", .time, [.atMost(12_000_000), .ratio(1_000)]) {
      $0.most("stale double")
    },
    RowRule("stale keys at one member, most", .count, [.atMost(1_500), .ratio(1_000)]) {
      $0.most("keys")
    },
    RowRule("recovered after the double rate", .time, [.atMost(10_000_000), .ratio(1_000)]) {
      $0.most("recovered")
    },
    RowRule("changes/s that all have, double rate", .rate, [.atLeast(1_200)]) {
      $0.least("flow double")
    },
    RowRule("changes/s that all have, half the link", .rate, [.atLeast(600)]) {
      $0.least("flow half")
    },
    RowRule("staleness at half the link, most", .time) { $0.most("stale half") },
    RowRule("settled at half the link", .time, [.atMost(10_000_000)]) { $0.most("settled") },
    RowRule("taken for dead", .count, [.atMost(0)]) { $0.sum("false") },
    RowRule("packets/s a member, ordinary", .rate, [.ratio(1_000)]) { $0.mean("packets ordinary") },
    RowRule("bytes/s a member, ordinary", .rate, [.ratio(1_000)]) { $0.mean("bytes ordinary") },
    RowRule("bytes/s a member, double", .rate, [.ratio(1_000)]) { $0.mean("bytes double") },
    RowRule("bytes/s a member, half the link", .rate) { $0.mean("bytes half") },
  ]

  private static func overload(
    _ kind: ContestantKind, _ size: Int, _ uplink: Int, _ schedule: Schedule, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    contestant.run(until: .zero + .seconds(2))
    var ledger = ChangeLedger(members: size, keys: keys)
    // All keys are there before anything is measured; an update of the reference is one change.
    for author in 0..<size {
      for key in 0..<keys {
        let serial = ledger.note(author, key: key, at: contestant.now)
        contestant.change(author, key: key, serial: serial)
      }
    }
    contestant.run(until: .zero + .seconds(15))
    contestant.network.bytesPerSecond = uplink
    let from = contestant.now
    var queue = EventQueue<Int>()
    for author in 0..<size { queue.schedule(author, at: from + dice.upTo(.seconds(1))) }
    var tally = OverloadTally(from: from, ordinary: ordinary, contestant, ledger)
    let end = from + .seconds(schedule.ends)
    while contestant.now < end {
      let elapsed = (contestant.now - from).milliseconds
      let isDouble =
        elapsed >= schedule.doubles * 1_000 && elapsed < schedule.eases * 1_000
      let phase: OverloadTally.Phase =
        elapsed < schedule.doubles * 1_000
        ? .ordinary
        : isDouble ? .double : elapsed < schedule.halves * 1_000 ? .eased : .half
      if phase == .half, uplink > 0 { contestant.network.bytesPerSecond = uplink / 2 }
      tally.enter(phase, contestant, ledger)
      let next = contestant.now + look
      while let at = queue.next, at < next, let event = queue.popFirst() {
        contestant.run(until: event.at) { _, sighting in tally.see(sighting) }
        let author = event.payload
        let key = Int(dice.below(UInt64(keys)))
        let serial = ledger.note(author, key: key, at: event.at)
        contestant.change(author, key: key, serial: serial)
        // Not in step with each other, and neither with anybody's probes.
        let pause = TimeSpan.milliseconds(isDouble ? 400 : 900)
        queue.schedule(author, at: event.at + pause + dice.upTo(.milliseconds(200)))
      }
      contestant.run(until: next) { _, sighting in tally.see(sighting) }
      tally.look(contestant, ledger)
    }
    tally.enter(.after, contestant, ledger)
    return tally.measured
  }
}

/// Which change of whose key was made when.
struct ChangeLedger {
  private var changes: [[(key: Int, at: Instant)]]
  private let keys: Int

  init(members: Int, keys: Int) {
    changes = Array(repeating: [], count: members)
    self.keys = keys
  }

  var members: Int { changes.count }

  /// - Returns: the number of the change, from 1.
  mutating func note(_ author: Int, key: Int, at: Instant) -> Int {
    changes[author].append((key, at))
    return changes[author].count
  }

  /// When the oldest change was made that one lacks who knows of so many; `nil`: lacks none.
  func oldestMissed(of author: Int, knowing: Int) -> Instant? {
    knowing < changes[author].count ? changes[author][knowing].at : nil
  }

  /// How many keys have another value than the one that this knows of.
  func staleKeys(of author: Int, knowing: Int) -> Int {
    var isStale = Array(repeating: false, count: keys)
    var count = 0
    for change in changes[author].dropFirst(knowing) where !isStale[change.key] {
      isStale[change.key] = true
      count += 1
    }
    return count
  }
}

/// What is seen of an overload, twice a second.
struct OverloadTally {
  enum Phase: Hashable {
    case ordinary, double, eased, half, after
  }

  private let from: Instant
  private let ordinary: TimeSpan
  private var phase = Phase.ordinary
  private var began: Instant
  private var traffic = Traffic()
  private var shared = 0
  /// The last look of this phase that found more than the ordinary staleness.
  private var staleAt: Instant?
  private var most = TimeSpan.zero
  private var staleKeys = 0
  private var mistakes: Int64 = 0
  private(set) var measured = Measured()

  init(
    from: Instant, ordinary: TimeSpan, _ contestant: any Contestant, _ ledger: ChangeLedger
  ) {
    self.from = from
    self.ordinary = ordinary
    began = from
    traffic = contestant.traffic
    shared = Self.shared(contestant, ledger)
  }

  mutating func see(_ sighting: Sighting) {
    if sighting.state == .dead { mistakes += 1 }
  }

  /// How many changes are with everybody.
  private static func shared(_ contestant: any Contestant, _ ledger: ChangeLedger) -> Int {
    var least = Array(repeating: Int.max, count: ledger.members)
    for observer in 0..<ledger.members {
      let known = contestant.changes(knownBy: observer)
      for author in least.indices where author != observer {
        least[author] = min(least[author], known[author])
      }
    }
    return least.reduce(0, +)
  }

  mutating func look(_ contestant: any Contestant, _ ledger: ChangeLedger) {
    var oldest: Instant?
    for observer in 0..<ledger.members {
      let known = contestant.changes(knownBy: observer)
      var keys = 0
      for author in 0..<ledger.members where author != observer {
        guard let missed = ledger.oldestMissed(of: author, knowing: known[author]) else { continue }
        oldest = min(missed, oldest ?? missed)
        keys += ledger.staleKeys(of: author, knowing: known[author])
      }
      staleKeys = max(staleKeys, keys)
    }
    let staleness = oldest.map { contestant.now - $0 } ?? .zero
    most = max(most, staleness)
    if staleness > ordinary { staleAt = contestant.now }
  }

  mutating func enter(_ next: Phase, _ contestant: any Contestant, _ ledger: ChangeLedger) {
    guard next != phase else { return }
    let now = contestant.now
    let name = "\(phase)"
    measured.add("stale \(name)", most.nanoseconds / 1_000)
    let rates = Rates(
      contestant.traffic - traffic, members: ledger.members,
      microseconds: (now - began).nanoseconds / 1_000)
    measured.add("packets \(name)", rates.packets)
    measured.add("bytes \(name)", rates.bytes)
    let all = Self.shared(contestant, ledger)
    let span = (now - began).milliseconds * Int64(ledger.members)
    measured.add("flow \(name)", Int64(all - shared) * 1_000_000 / max(1, span))
    // Who is stale to the end of a phase has not recovered in it, and is charged all of it.
    let until = (staleAt.map { $0 - began } ?? .zero).nanoseconds / 1_000
    if phase == .eased { measured.add("recovered", until) }
    if phase == .half { measured.add("settled", until) }
    if next == .after {
      measured.add("keys", Int64(staleKeys))
      measured.add("false", mistakes)
    }
    phase = next
    began = now
    traffic = contestant.traffic
    shared = all
    staleAt = nil
    most = .zero
  }
}
