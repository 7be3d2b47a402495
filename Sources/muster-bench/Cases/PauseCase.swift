import MusterProtocol
import MusterReference
import MusterSimulator

/// How long a member may stand still and nobody takes it for dead, and how much later than that a
/// crash is seen. A faster verdict must not be bought with patience alone.
enum PauseCase {
  private static let step = TimeSpan.milliseconds(20)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? [128]
    let jobs = sizes.flatMap { size in
      BenchCase.jobs("N \(size)", seeds: options.seeds(20, short: 5)) { kind, seed in
        measure(kind, size, seed)
      }
    }
    return BenchCase(
      name: "1b", title: "the longest pause that every member survives, and a crash beside it",
      jobs: jobs
    ) { _ in rows }
  }

  private static let rows = [
    RowRule("longest pause that all survive", .time) { $0.least("tolerance") },
    RowRule("longest pause survived, median", .time) { $0.median("tolerance") },
    RowRule("first dead after a crash, mean", .time) { $0.mean("dead") },
    RowRule("detection less tolerance, mean", .time, [.atMost(700_000), .ratio(1_000)]) { values in
      difference(values.mean("dead"), values.least("tolerance"))
    },
    RowRule("detection less tolerance, p99", .time, [.atMost(1_300_000), .ratio(1_000)]) { values in
      difference(values.late("dead"), values.least("tolerance"))
    },
  ]

  private static func difference(_ left: Int64?, _ right: Int64?) -> Int64? {
    guard let left, let right else { return nil }
    return left - right
  }

  private static func measure(_ kind: ContestantKind, _ size: Int, _ seed: UInt64) -> Measured {
    var measured = CrashCase.crash(kind, size, seed)
    let detection = (measured["dead"].first ?? 60_000_000) * 1_000
    // The least number of steps at which somebody takes the member for dead.
    var low: Int64 = 0
    var high = detection / step.nanoseconds + 2
    while high - low > 1 {
      let middle = (low + high) / 2
      if survives(kind, size, seed, pause: step * middle) { low = middle } else { high = middle }
    }
    measured.add("tolerance", (step * low).nanoseconds / 1_000)
    return measured
  }

  private static func survives(
    _ kind: ContestantKind, _ size: Int, _ seed: UInt64, pause: TimeSpan
  ) -> Bool {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let victim = Int(dice.below(UInt64(size)))
    let from = Instant.zero + .seconds(8) + dice.upTo(.seconds(1))
    contestant.run(until: from)
    contestant.pause(victim)
    contestant.run(until: from + pause)
    contestant.resume(victim)
    var isDead = false
    // What was decided before it could answer shows within a few seconds.
    contestant.seek(until: from + pause + .seconds(3)) { _, sighting in
      if sighting.subject == victim, sighting.state == .dead { isDead = true }
      return isDead
    }
    return !isDead
  }
}
