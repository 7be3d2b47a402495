import MusterProtocol
import MusterReference
import MusterSimulator

/// One newcomer in a cluster that stands and that nothing else happens to: when it knows all.
enum NewcomerCase {
  private static let settling = TimeSpan.seconds(4)
  private static let patience = TimeSpan.seconds(10)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes =
      options.nodes
      ?? options.extent(short: [1_000], standard: [500, 1_000], full: [1_000, 10_000])
    let jobs = sizes.flatMap { size in
      BenchCase.jobs("N \(size)", seeds: options.seeds(1, short: 1)) { kind, seed in
        join(kind, size, seed)
      }
    }
    return BenchCase(
      name: "9, newcomer", title: "one newcomer joins, and nothing else happens", jobs: jobs
    ) { _ in rows }
  }

  private static let rows = [
    RowRule("it is known everywhere", .time, [.atMost(2_000_000)]) { $0.most("joined") },
    RowRule("it knows all", .time, [.atMost(2_000_000)]) { $0.most("learned") },
    RowRule("of all members it knows after 10 s, share", .rate, [.atLeast(1_000)]) {
      $0.least("known")
    },
    RowRule("datagrams that it received in 10 s", .count) { $0.most("received") },
    RowRule("the same, in bytes", .count) { $0.most("bytes") },
  ]

  private static func join(_ kind: ContestantKind, _ size: Int, _ seed: UInt64) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.make(size + 1, seed: seed)
    contestant.form(size)
    contestant.run(until: .zero + settling)
    var watch = ChurnWatch(members: size, newcomers: 1)
    watch.comes(size, at: contestant.now)
    contestant.join(size, through: Int(dice.below(UInt64(size))))
    contestant.run(until: contestant.now + patience) { at, sighting in watch.see(at, sighting) }
    var measured = Measured()
    watch.report(into: &measured)
    measured.add("received", Int64(contestant.received(size).packets))
    measured.add("bytes", Int64(contestant.received(size).bytes))
    return measured
  }
}
