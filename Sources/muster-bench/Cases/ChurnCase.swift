import MusterProtocol
import MusterReference
import MusterSimulator

/// Members go, by goodbye or by a crash, and as many newcomers come, in a cluster that stands: how
/// long until every one of these changes is known everywhere, and what it costs all members.
enum ChurnCase {
  private static let settling = TimeSpan.seconds(4)
  /// One member in ten an hour.
  private static let share: Int64 = 10

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? [options.extent(short: 64, standard: 128, full: 10_000)]
    let jobs = sizes.flatMap { size in
      BenchCase.jobs("N \(size)", seeds: options.seeds(1, short: 1)) { kind, seed in
        churn(kind, size, span(size, options), seed)
      }
    }
    return BenchCase(
      name: "9", title: "one member in \(share) is replaced an hour, half of them by a crash",
      jobs: jobs
    ) { _ in rows + Parts.rows(options) }
  }

  /// Ten replacements, or four.
  private static func span(_ size: Int, _ options: BenchOptions) -> TimeSpan {
    pace(size) * Int64(options.isShort ? 4 : 10)
  }

  private static func pace(_ size: Int) -> TimeSpan {
    .milliseconds(3_600_000 * share / Int64(size))
  }

  private static let rows =
    spread("a newcomer is known everywhere", "joined", 2_000_000)
    + spread("a goodbye is known everywhere", "left", 2_000_000)
    + spread("a death, from its first verdict", "spread", 2_000_000)
    + spread("a death, from the crash", "died", 4_000_000)
    + [
      RowRule("a newcomer knows all, most", .time) { $0.most("learned") },
      RowRule("newcomers that do not know all in the end", .count, [.atMost(0)]) {
        $0.sum("ignorant")
      },
      RowRule("of all members, known to the worst of them", .rate) { $0.least("known") },
      RowRule("changes not known everywhere in the end", .count, [.atMost(0)]) { $0.sum("open") },
      RowRule("living members taken for dead", .count, [.atMost(0)]) { $0.sum("false") },
      RowRule("packets/s a member", .rate, [.ratio(1_000)]) { $0.mean("packets") },
      RowRule("bytes/s a member", .rate, [.ratio(1_000)]) { $0.mean("bytes") },
      RowRule("bytes/s of a member, p99", .rate, [.atMost(4_096_000)]) { $0.late("each") },
      RowRule("bytes/s of the busiest member", .rate) { $0.most("each") },
    ]

  private static func spread(_ title: String, _ name: String, _ bound: Int64) -> [RowRule] {
    [
      RowRule("\(title), median", .time) { $0.median(name) },
      RowRule("the same, p99", .time) { $0.late(name) },
      RowRule("the same, most", .time, [.atMost(bound)]) { $0.most(name) },
    ]
  }

  private static func churn(
    _ kind: ContestantKind, _ size: Int, _ span: TimeSpan, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    let pace = pace(size)
    let replacements = Int(span.nanoseconds / pace.nanoseconds)
    var contestant = kind.make(size + replacements, seed: seed)
    contestant.form(size)
    contestant.run(until: .zero + settling)
    let before = (0..<size).map { contestant.sent($0) }
    let partsBefore = contestant.parts
    let from = contestant.now
    var watch = ChurnWatch(members: size, newcomers: replacements)
    for number in 0..<replacements {
      contestant.run(until: from + pace * Int64(number)) { at, sighting in
        watch.see(at, sighting)
      }
      let gone = watch.someone(&dice)
      watch.goes(gone, by: number.isMultiple(of: 2) ? .crash : .goodbye, at: contestant.now)
      if number.isMultiple(of: 2) { contestant.crash(gone) } else { contestant.leave(gone) }
      // The newcomer follows in the middle: neither has to wait for the other's noise.
      contestant.run(until: from + pace * Int64(number) + pace / 2) { at, sighting in
        watch.see(at, sighting)
      }
      watch.comes(size + number, at: contestant.now)
      contestant.join(size + number, through: watch.someone(&dice, before: size))
    }
    contestant.run(until: from + span) { at, sighting in watch.see(at, sighting) }
    let rest = contestant.now - from
    var measured = Measured()
    var total = Traffic()
    for index in 0..<size where watch.isThere(index) {
      let sent = contestant.sent(index) - before[index]
      total = total + sent
      measured.add(
        "each",
        Rates(sent, members: 1, microseconds: rest.nanoseconds / 1_000).bytes)
    }
    let count = measured["each"].count
    let rates = Rates(total, members: count, microseconds: rest.nanoseconds / 1_000)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    let parts = contestant.parts - partsBefore
    parts.note(in: &measured, each: Int64(count) * (rest.nanoseconds / 1_000_000_000))
    // What is under way may end, the last death with it.
    contestant.run(until: contestant.now + .seconds(size > 2_000 ? 25 : 40)) { at, sighting in
      watch.see(at, sighting)
    }
    watch.report(into: &measured)
    return measured
  }
}

/// Who has heard of which change.
struct ChurnWatch {
  enum Kind: Hashable {
    case crash, goodbye, arrival
  }

  private struct Change {
    var subject: Int
    var kind: Kind
    var at: Instant
    var first: Instant?
    /// Who has not heard of it, of those who were there.
    var lacks: [Bool]
    var open: Int
    /// When the last of them had.
    var tookAll: Instant?
  }

  private struct Newcomer {
    var index: Int
    var at: Instant
    var knows: [Bool]
    var count = 0
    var learned: Instant?
  }

  private var runs: [Bool]
  private var there: Int
  private var changes: [Change] = []
  private var newcomers: [Newcomer] = []
  private var mistakes: Int64 = 0

  init(members: Int, newcomers: Int) {
    runs =
      Array(repeating: true, count: members)
      + Array(repeating: false, count: newcomers)
    there = members
  }

  func isThere(_ index: Int) -> Bool { runs[index] }

  func someone(_ dice: inout SimulatedDice, before bound: Int? = nil) -> Int {
    while true {
      let index = Int(dice.below(UInt64(bound ?? runs.count)))
      if runs[index] { return index }
    }
  }

  mutating func goes(_ index: Int, by kind: Kind, at: Instant) {
    runs[index] = false
    there -= 1
    for place in changes.indices { settle(place, index, at) }
    for place in newcomers.indices where newcomers[place].knows[index] {
      newcomers[place].knows[index] = false
      newcomers[place].count -= 1
    }
    open(index, kind, at)
  }

  mutating func comes(_ index: Int, at: Instant) {
    open(index, .arrival, at)
    runs[index] = true
    there += 1
    newcomers.append(
      Newcomer(index: index, at: at, knows: Array(repeating: false, count: runs.count)))
  }

  private mutating func open(_ index: Int, _ kind: Kind, _ at: Instant) {
    changes.append(
      Change(subject: index, kind: kind, at: at, lacks: runs, open: runs.count { $0 }))
  }

  /// This one has heard of it, or is not waited for any more.
  private mutating func settle(_ place: Int, _ observer: Int, _ at: Instant) {
    guard changes[place].lacks[observer] else { return }
    changes[place].lacks[observer] = false
    changes[place].open -= 1
    if changes[place].open == 0 { changes[place].tookAll = at }
  }

  mutating func see(_ at: Instant, _ sighting: Sighting) {
    guard sighting.state == .alive || sighting.state == .dead, runs[sighting.observer] else {
      return
    }
    let isDead = sighting.state == .dead
    if isDead, runs[sighting.subject] { mistakes += 1 }
    for place in changes.indices
    where changes[place].subject == sighting.subject
      && (changes[place].kind != .arrival) == isDead
    {
      if changes[place].first == nil { changes[place].first = at }
      settle(place, sighting.observer, at)
    }
    guard !isDead else { return }
    for place in newcomers.indices
    where newcomers[place].index == sighting.observer && newcomers[place].learned == nil {
      if runs[sighting.subject], !newcomers[place].knows[sighting.subject] {
        newcomers[place].knows[sighting.subject] = true
        newcomers[place].count += 1
      }
      if newcomers[place].count >= there - 1 { newcomers[place].learned = at }
    }
  }

  func report(into measured: inout Measured) {
    for change in changes {
      guard let all = change.tookAll, let first = change.first else { continue }
      let took = (all - change.at).nanoseconds / 1_000
      switch change.kind {
      case .arrival: measured.add("joined", took)
      case .goodbye: measured.add("left", took)
      case .crash:
        measured.add("died", took)
        measured.add("spread", (all - first).nanoseconds / 1_000)
      }
    }
    for newcomer in newcomers {
      if let at = newcomer.learned {
        measured.add("learned", (at - newcomer.at).nanoseconds / 1_000)
      }
    }
    for newcomer in newcomers where runs[newcomer.index] {
      measured.add("known", Int64(newcomer.count) * 1_000 / Int64(max(1, there - 1)))
    }
    measured.add("ignorant", Int64(newcomers.count { runs[$0.index] && $0.learned == nil }))
    measured.add("open", Int64(changes.count { $0.tookAll == nil }))
    measured.add("false", mistakes)
  }
}
