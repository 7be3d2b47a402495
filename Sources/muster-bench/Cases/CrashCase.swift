import MusterProtocol
import MusterReference
import MusterSimulator

/// One member crashes in a cluster that stands: who sees it first, who last, and what it costs.
enum CrashCase {
  private static let window = TimeSpan.seconds(20)
  /// Up to this size both are charged for the same time.
  private static let sameWindow = 2_000

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? (options.isShort ? [128] : [128, 1_000])
    let jobs = sizes.flatMap { size in
      BenchCase.jobs(
        "N \(size)", seeds: options.seeds(size > 2_000 ? 3 : 20, short: 5)
      ) { kind, seed in crash(kind, size, seed) }
    }
    return BenchCase(
      name: "1", title: "one member crashes; 1 ms there and back, no loss", jobs: jobs
    ) { setting in rows + spent(in: setting) }
  }

  /// Where the time is each one's own, the sooner pays less, and nothing is held against anybody.
  private static func spent(in setting: String) -> [RowRule] {
    let isSame = (Int(setting.dropFirst(2)) ?? 0) <= sameWindow
    let title =
      isSame ? "a member, 20 s from the crash" : "a member until all know, of unequal time"
    let targets: [Target] = isSame ? [.ratio(1_000)] : []
    return [
      RowRule("packets \(title)", .rate, targets) { $0.median("packets") },
      RowRule("bytes \(title)", .rate, targets) { $0.median("bytes") },
    ]
  }

  private static let rows = [
    RowRule("first suspects, median", .time) { $0.median("suspect") },
    RowRule("first dead, median", .time, [.atMost(3_000_000), .ratio(500)]) { $0.median("dead") },
    RowRule("first dead, p99", .time, [.atMost(4_000_000), .ratio(500)]) { $0.late("dead") },
    RowRule("last dead after first, worst", .time, [.atMost(200_000)]) { $0.most("spread") },
    RowRule("members that never saw it", .count, [.atMost(0)]) { $0.sum("missed") },
    RowRule("false dead", .count, [.atMost(0)]) { $0.sum("false") },
    RowRule("idle packets/s a member", .rate) { $0.median("idle packets") },
    RowRule("idle bytes/s a member", .rate) { $0.median("idle bytes") },
    RowRule("idle bytes/s in datagrams only", .rate) { $0.median("idle datagrams") },
  ]

  static func crash(_ kind: ContestantKind, _ size: Int, _ seed: UInt64) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let victim = Int(dice.below(UInt64(size)))
    var measured = Measured()
    let idleFrom = Instant(nanoseconds: 3_000_000_000)
    contestant.run(until: idleFrom)
    let before = contestant.traffic
    let crashAt = idleFrom + .seconds(5) + dice.upTo(.seconds(1))
    contestant.run(until: crashAt)
    let idle = Rates(
      contestant.traffic - before, members: size,
      microseconds: (crashAt - idleFrom).nanoseconds / 1_000)
    measured.add("idle packets", idle.packets)
    measured.add("idle bytes", idle.bytes)
    measured.add("idle datagrams", idle.datagramBytes)

    let atCrash = contestant.traffic
    contestant.crash(victim)
    var watch = DeathWatch(victim, of: size, since: crashAt)
    // Both are charged for the same time, so that who is done earlier gains nothing; ten thousand
    // members are too many to watch any longer than it takes.
    if size <= sameWindow {
      contestant.run(until: crashAt + window) { at, sighting in watch.see(at, sighting) }
    }
    if !watch.isOver {
      contestant.seek(until: crashAt + .seconds(60)) { at, sighting in
        watch.see(at, sighting)
        return watch.isOver
      }
    }
    watch.report(into: &measured)
    let spent = contestant.traffic - atCrash
    measured.add("packets", Int64(spent.packets) * 1_000 / Int64(size))
    measured.add("bytes", Int64(spent.bytes) * 1_000 / Int64(size))
    return measured
  }
}

/// Follows what is thought of one member that is dead, and of those that are not.
struct DeathWatch {
  private let victim: Int
  private let since: Instant
  private var waiting: Int
  private var firstSuspect: Instant?
  private var first: Instant?
  private var last: Instant?
  private var mistakes = 0

  init(_ victim: Int, of size: Int, since: Instant) {
    self.victim = victim
    self.since = since
    waiting = size - 1
  }

  var isOver: Bool { waiting == 0 }

  mutating func see(_ at: Instant, _ sighting: Sighting) {
    guard sighting.subject == victim else {
      if sighting.state == .dead { mistakes += 1 }
      return
    }
    switch sighting.state {
    case .suspect: firstSuspect = firstSuspect ?? at
    case .dead:
      first = first ?? at
      last = at
      waiting -= 1
    case .alive, .updated: break
    }
  }

  func report(into measured: inout Measured) {
    if let firstSuspect { measured.add("suspect", (firstSuspect - since).nanoseconds / 1_000) }
    if let first, let last {
      measured.add("dead", (first - since).nanoseconds / 1_000)
      measured.add("last", (last - since).nanoseconds / 1_000)
      measured.add("spread", (last - first).nanoseconds / 1_000)
      if let firstSuspect { measured.add("window", (first - firstSuspect).nanoseconds / 1_000) }
    }
    measured.add("missed", Int64(waiting))
    measured.add("false", Int64(mistakes))
  }
}
