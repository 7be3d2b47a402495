import MusterProtocol
import MusterReference
import MusterSimulator

/// The experiments of the Lifeguard papers: members that are blocked, all at once, and again and
/// again, in a cluster in which nobody is dead.
enum BlockCase {
  private static let size = 128

  // MARK: - The grid: verdicts that are wrong

  struct Rhythm: Sendable {
    var members: Int
    /// Milliseconds blocked, and milliseconds running after it.
    var blocked: Int64
    var runs: Int64
  }

  static func grid(
    _ options: BenchOptions, sides: [(Side, ContestantKind)] = BenchCase.trio
  ) -> BenchCase {
    let members = options.extent(short: [16], standard: [4, 16, 32], full: [1, 4, 8, 16, 32])
    var blocked: [Int64] = options.extent(
      short: [512, 16_384], standard: [512, 2_048, 16_384, 32_768],
      full: [128, 512, 2_048, 8_192, 16_384, 32_768])
    var runs: [Int64] = options.extent(
      short: [64, 4_096], standard: [64, 1_024, 16_384], full: [64, 256, 1_024, 4_096, 16_384])
    if options.isTiny {
      blocked = [16_384]
      runs = [1_024]
    }
    let span = TimeSpan.seconds(options.isShort ? 60 : 120)
    let jobs = members.flatMap { members in
      blocked.flatMap { blocked in
        runs.flatMap { runs in
          BenchCase.jobs(
            "C \(members)", seeds: options.seeds(options.isFull ? 10 : 2, short: 1),
            sides: sides
          ) { kind, seed in
            let rhythm = Rhythm(members: members, blocked: blocked, runs: runs)
            return block(kind, rhythm, for: span, seed)
          }
        }
      }
    }
    return BenchCase(
      name: "2",
      title: "C of \(size) members blocked for D and let run for I, again and again; "
        + "D \(list(blocked)) ms, I \(list(runs)) ms, \(span.milliseconds / 1_000) s",
      jobs: jobs, hasTotal: true
    ) { setting in setting == "all" ? rows : rows.map(\.withoutTargets) }
  }

  private static func list(_ numbers: [Int64]) -> String {
    numbers.map(String.init).joined(separator: ", ")
  }

  private static let rows = [
    RowRule("healthy taken for dead (FP)", .count, [.ofSwim(500)]) { $0.sum("false") },
    RowRule("the same, at healthy members (FP-)", .count, [.ofSwim(500)]) {
      $0.sum("false at healthy")
    },
    RowRule("blocked taken for dead", .count) { $0.sum("blocked dead") },
    RowRule("packets/s a member", .rate, [.ofSwim(100_000), .ratio(1_000)]) { $0.mean("packets") },
    RowRule("bytes/s a member", .rate, [.ofSwim(95_000), .ratio(1_000)]) { $0.mean("bytes") },
  ]

  private static func block(
    _ kind: ContestantKind, _ rhythm: Rhythm, for span: TimeSpan, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let ailing = dice.several(rhythm.members, below: size)
    contestant.run(until: .zero + .seconds(2))
    let before = contestant.traffic
    let end = contestant.now + span
    var tally = FalseTally(ailing, of: size)
    var isBlocked = false
    while contestant.now < end {
      isBlocked.toggle()
      for index in ailing {
        if isBlocked { contestant.block(index) } else { contestant.unblock(index) }
      }
      let next = contestant.now + .milliseconds(isBlocked ? rhythm.blocked : rhythm.runs)
      contestant.run(until: min(end, next)) { _, sighting in tally.see(sighting) }
    }
    var measured = Measured()
    tally.report(into: &measured)
    let rates = Rates(
      contestant.traffic - before, members: size, microseconds: span.nanoseconds / 1_000)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    return measured
  }

  // MARK: - One long block: verdicts that are right

  static func latency(_ options: BenchOptions) -> BenchCase {
    let members = options.extent(short: [4], standard: [1, 8, 32], full: [1, 4, 8, 16, 32])
    let jobs = members.flatMap { members in
      BenchCase.jobs(
        "C \(members)", seeds: options.seeds(options.isFull ? 10 : 5, short: 2),
        sides: BenchCase.trio
      ) { kind, seed in blockOnce(kind, members, seed) }
    }
    return BenchCase(
      name: "2, latency", title: "C of \(size) members blocked once, for 32.768 s", jobs: jobs
    ) { _ in
      [
        RowRule("a healthy member sees it, median", .time, [.ofSwim(50_000)]) {
          $0.median("first")
        },
        RowRule("all healthy members see it, median", .time, [.ofSwim(50_000)]) {
          $0.median("all")
        },
        RowRule("blocked that not all saw", .count) { $0.sum("unseen") },
        RowRule("healthy taken for dead (FP)", .count, [.atMost(0)]) { $0.sum("false") },
      ]
    }
  }

  private static func blockOnce(
    _ kind: ContestantKind, _ members: Int, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let ailing = dice.several(members, below: size)
    contestant.run(until: .zero + .seconds(2))
    for index in ailing { contestant.block(index) }
    let from = contestant.now
    var first: [Int: Instant] = [:]
    var seen: [Int: Int] = [:]
    var measured = Measured()
    var mistakes: Int64 = 0
    contestant.run(until: from + .milliseconds(32_768)) { at, sighting in
      guard sighting.state == .dead, !ailing.contains(sighting.observer) else { return }
      let subject = sighting.subject
      guard ailing.contains(subject) else {
        mistakes += 1
        return
      }
      if first[subject] == nil { first[subject] = at }
      seen[subject, default: 0] += 1
      if seen[subject] == size - members {
        measured.add("all", (at - from).nanoseconds / 1_000)
      }
    }
    for index in ailing {
      if let at = first[index] { measured.add("first", (at - from).nanoseconds / 1_000) }
    }
    measured.add("unseen", Int64(ailing.count { (seen[$0] ?? 0) < size - members }))
    measured.add("false", mistakes)
    return measured
  }
}

/// Wrong verdicts, by who is wrong and about whom.
struct FalseTally {
  private var isAiling: [Bool]
  private var counts: [String: Int64] = ["false": 0, "false at healthy": 0, "blocked dead": 0]

  init(_ ailing: [Int], of size: Int) {
    isAiling = Array(repeating: false, count: size)
    for index in ailing { isAiling[index] = true }
  }

  mutating func see(_ sighting: Sighting) {
    guard sighting.state == .dead else { return }
    if isAiling[sighting.subject] {
      counts["blocked dead", default: 0] += 1
      return
    }
    counts["false", default: 0] += 1
    if !isAiling[sighting.observer] { counts["false at healthy", default: 0] += 1 }
  }

  func report(into measured: inout Measured) {
    for name in counts.keys.sorted() { measured.add(name, counts[name] ?? 0) }
  }
}

extension SimulatedDice {
  /// So many different numbers.
  mutating func several(_ count: Int, below bound: Int) -> [Int] {
    var drawn: [Int] = []
    while drawn.count < min(count, bound) {
      let number = Int(below(UInt64(bound)))
      if !drawn.contains(number) { drawn.append(number) }
    }
    return drawn.sorted()
  }
}
