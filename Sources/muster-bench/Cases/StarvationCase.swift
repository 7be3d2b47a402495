import MusterProtocol
import MusterReference
import MusterSimulator

/// Members whose processor is busy: every turn comes up to `delay` late, and then everything that
/// waits is handled at once.
enum StarvationCase {
  private static let size = 100
  private static let delay = TimeSpan.seconds(20)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let starved = options.extent(
      short: [8, 32], standard: [1, 4, 16, 32], full: [1, 2, 4, 8, 16, 32])
    let span = TimeSpan.seconds(options.extent(short: 60, standard: 120, full: 300))
    let jobs = starved.flatMap { starved in
      BenchCase.jobs(
        "\(starved) starved", seeds: options.seeds(options.isFull ? 20 : 3, short: 1),
        sides: BenchCase.trio
      ) { kind, seed in starve(kind, starved, for: span, seed) }
    }
    return BenchCase(
      name: "3",
      title: "\(size) members, some of them up to \(delay.milliseconds / 1_000) s late at every "
        + "turn, for \(span.milliseconds / 1_000) s; of one run",
      jobs: jobs
    ) { setting in
      let isHeavy = setting.hasPrefix("32")
      return [
        RowRule("healthy taken for dead, mean", .count, [.atMost(isHeavy ? 120 : 0)]) {
          $0.mean("false")
        },
        RowRule("the same, at healthy members, mean", .count, [.atMost(isHeavy ? 5 : 0)]) {
          $0.mean("false at healthy")
        },
        RowRule("starved taken for dead, mean", .count) { $0.mean("blocked dead") },
        RowRule("packets/s a member", .rate) { $0.mean("packets") },
        RowRule("bytes/s a member", .rate) { $0.mean("bytes") },
      ]
    }
  }

  private static func starve(
    _ kind: ContestantKind, _ starved: Int, for span: TimeSpan, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let ailing = dice.several(starved, below: size)
    contestant.run(until: .zero + .seconds(2))
    let before = contestant.traffic
    for index in ailing { contestant.starve(index, delay) }
    var tally = FalseTally(ailing, of: size)
    contestant.run(until: contestant.now + span) { _, sighting in tally.see(sighting) }
    var measured = Measured()
    tally.report(into: &measured)
    let rates = Rates(
      contestant.traffic - before, members: size, microseconds: span.nanoseconds / 1_000)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    return measured
  }
}
