import MusterProtocol

/// What many seeds came to. The order in which they end, and so the number of threads, changes
/// nothing here.
package struct SwarmSummary: Sendable {
  /// What one seed came to, without the cluster that it ran.
  package struct Seed: Sendable {
    package var seed: UInt64
    package var nodes: Int
    package var outcome: ScenarioRun.Outcome
    /// Whether fetches, starts and services were drawn to fail.
    package var hasHabits: Bool

    package init(_ scenario: Scenario, _ outcome: ScenarioRun.Outcome) {
      seed = scenario.seed
      nodes = scenario.nodes
      self.outcome = outcome
      hasHabits = scenario.habits != SimulatedAgent.Habits()
    }
  }

  package struct Failure: Hashable, Sendable {
    package var seed: UInt64
    package var violation: Violation
  }

  package private(set) var seeds = 0
  package private(set) var events = 0
  private var time = TimeSpan.zero
  private var looks = 0
  private var elections: UInt64 = 0
  private var commits: UInt64 = 0
  private var sizes: [Int: Int] = [:]
  private var deeds: [String: Int] = [:]
  private var wholes: [(after: TimeSpan, seed: UInt64)] = []
  private var broken: [Failure] = []

  package init() {}

  /// In the order of seeds.
  package var failures: [Failure] { broken.sorted { $0.seed < $1.seed } }

  package mutating func add(_ seed: Seed) {
    let outcome = seed.outcome
    seeds += 1
    events += outcome.events
    time = time + outcome.time
    looks += outcome.looks
    elections += outcome.elections
    commits += outcome.commits
    sizes[seed.nodes, default: 0] += 1
    for (kind, count) in outcome.faults { deeds[kind, default: 0] += count }
    if seed.hasHabits { deeds["failing-services", default: 0] += 1 }
    if let after = outcome.wholeAfter { wholes.append((after, seed.seed)) }
    if let violation = outcome.violation {
      broken.append(Failure(seed: seed.seed, violation: violation))
    }
  }

  // MARK: - Kinds

  /// What belongs to an operator's day; all that is not there, and no beginning or end, is a fault.
  private static let operations: Set<String> = [
    "leave", "forget", "set", "data", "release", "repair", "remove", "collect", "version",
    "upgrade", "plan", "step-down", "hand-over", "recover",
  ]
  private static let neutral: Set<String> = [
    "start", "join", "heal", "calm", "resume", "restart", "return", "plant",
  ]

  private var faults: [String: Int] {
    deeds.filter { !Self.operations.contains($0.key) && !Self.neutral.contains($0.key) }
  }

  private var operations: [String: Int] {
    deeds.filter { Self.operations.contains($0.key) }
  }

  /// How long it took to be whole again, in order.
  private var sortedWholes: [(after: TimeSpan, seed: UInt64)] {
    wholes.sorted { ($0.after, $0.seed) < ($1.after, $1.seed) }
  }

  /// The value that so many of a hundred do not exceed.
  private static func percentile(
    _ share: Int, of sorted: [(after: TimeSpan, seed: UInt64)]
  ) -> TimeSpan {
    sorted[min(sorted.count - 1, (sorted.count * share + 99) / 100 - 1)].after
  }

  private var sizesInOrder: [(nodes: Int, seeds: Int)] {
    sizes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  // MARK: - Reports

  /// For people.
  ///
  /// - Parameters:
  ///   - took: how long it took in real time, on so many threads.
  ///   - wanted: how many seeds were asked for.
  package func lines(took: TimeSpan, threads: Int, wanted: UInt64) -> [String] {
    let done = Figures.grouped(seeds)
    let ending =
      UInt64(seeds) < wanted ? "\(done) of \(Figures.grouped(wanted)); interrupted" : done
    var lines = [("seeds", ending)]
    lines.append(("sizes", sizesText))
    let rate = Figures.grouped(Figures.rate(events, in: took))
    let width = threads == 1 ? "one thread" : "\(threads) threads"
    lines.append(
      ("events", "\(Figures.grouped(events)), \(rate) a second on \(width)"))
    let ratio = Figures.grouped(time.nanoseconds / max(1, took.nanoseconds))
    lines.append(
      (
        "time",
        "\(Figures.span(time)) in \(Figures.span(took)), \(ratio) times as fast as real time"
      ))
    lines.append(("faults", faults.isEmpty ? "none" : Figures.list(faults)))
    lines.append(("operators", operations.isEmpty ? "idle" : Figures.list(operations)))
    lines.append(
      ("promises", "\(Checkers().names.count), checked \(Figures.grouped(looks)) times"))
    lines.append(("elections", Figures.grouped(elections)))
    lines.append(("commits", Figures.grouped(commits)))
    lines.append(("whole again", wholesText))
    lines.append(("violations", broken.isEmpty ? "none" : Figures.grouped(broken.count)))
    return lines.flatMap(Self.wrapped)
  }

  /// A name and its text, gone on with below where it is wider than a terminal.
  private static func wrapped(_ name: String, _ text: String) -> [String] {
    let indent = 13
    var lines = [name + String(repeating: " ", count: indent - name.count)]
    for word in text.split(separator: " ") {
      if lines[lines.count - 1].count + word.count > 96 {
        lines.append(String(repeating: " ", count: indent))
      }
      let isFirst = lines[lines.count - 1].count == indent
      lines[lines.count - 1] += (isFirst ? "" : " ") + word
    }
    return lines
  }

  private var sizesText: String {
    guard let least = sizesInOrder.first, let most = sizesInOrder.last else { return "none" }
    if least.nodes == most.nodes { return "\(least.nodes) nodes" }
    var rest = seeds / 2
    var median = least.nodes
    for size in sizesInOrder {
      median = size.nodes
      if rest < size.seeds { break }
      rest -= size.seeds
    }
    return "\(least.nodes) to \(most.nodes) nodes, median \(median)"
  }

  private var wholesText: String {
    let sorted = sortedWholes
    guard let most = sorted.last else { return "never looked for" }
    return "p50 \(Figures.span(Self.percentile(50, of: sorted))), "
      + "p99 \(Figures.span(Self.percentile(99, of: sorted))), "
      + "most \(Figures.span(most.after)) (seed \(most.seed))"
  }

  /// For programs.
  package func value(
    took: TimeSpan, threads: Int, wanted: UInt64, replay: (UInt64) -> String,
    files: [UInt64: String]
  ) -> [ReportEntry] {
    let sorted = sortedWholes
    let whole: ReportValue =
      sorted.last.map { most in
        .table([
          ReportEntry("p50_ms", .number(Self.percentile(50, of: sorted).milliseconds)),
          ReportEntry("p99_ms", .number(Self.percentile(99, of: sorted).milliseconds)),
          ReportEntry("most_ms", .number(most.after.milliseconds)),
          ReportEntry("most_seed", .number(most.seed)),
        ])
      } ?? .none
    return [
      ReportEntry("seeds", .number(seeds)), ReportEntry("wanted", .number(wanted)),
      ReportEntry(
        "sizes", .table(sizesInOrder.map { ReportEntry("\($0.nodes)", .number($0.seeds)) })),
      ReportEntry("events", .number(events)),
      ReportEntry("events_per_second", .number(Figures.rate(events, in: took))),
      ReportEntry("threads", .number(threads)),
      ReportEntry("virtual_ms", .number(time.milliseconds)),
      ReportEntry("real_ms", .number(took.milliseconds)),
      ReportEntry("faults", Self.table(faults)),
      ReportEntry("operations", Self.table(operations)),
      ReportEntry("promises", .number(Checkers().names.count)),
      ReportEntry("checks", .number(looks)), ReportEntry("elections", .number(elections)),
      ReportEntry("commits", .number(commits)), ReportEntry("whole_again", whole),
      ReportEntry("violations", .number(broken.count)),
      ReportEntry(
        "failures",
        .list(
          failures.map { failure in
            .table(
              failure.violation.entries + [
                ReportEntry("seed", .number(failure.seed)),
                ReportEntry("replay", .text(replay(failure.seed))),
                ReportEntry("scenario", files[failure.seed].map { .text($0) } ?? .none),
              ])
          })),
    ]
  }

  private static func table(_ counts: [String: Int]) -> ReportValue {
    .table(counts.keys.sorted().map { ReportEntry($0, .number(counts[$0] ?? 0)) })
  }
}

extension Violation {
  var entries: [ReportEntry] {
    [
      ReportEntry("promise", .text(checker)),
      ReportEntry("at_ms", .number((at - .zero).milliseconds)), ReportEntry("what", .text(text)),
    ]
  }
}
