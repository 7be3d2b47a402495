import MusterProtocol
import MusterReference
import MusterSimulator

/// Everyone starts at once and knows one address: when all report all.
enum BootstrapCase {
  private static let limit = TimeSpan.seconds(120)
  /// Starts are spread over so much: machines do not boot in the same instant.
  private static let spread = TimeSpan.milliseconds(500)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes =
      options.nodes
      ?? options.extent(
        short: [64], standard: [128, 256], full: [1_000, 1_500, 2_000])
    let jobs = sizes.flatMap { size in
      BenchCase.jobs("N \(size)", seeds: options.seeds(options.isFull ? 20 : 2, short: 1)) {
        kind, seed in start(kind, size, seed)
      }
    }
    return BenchCase(
      name: "5", title: "all start within half a second and know one address", jobs: jobs
    ) { setting in
      let size = Int64(setting.dropFirst(2)) ?? 0
      return [
        RowRule(
          "all report all, median", .time,
          [
            .atMost(size <= 1_000 ? 5_000_000 : size <= 1_500 ? 6_000_000 : 8_000_000),
            .ratio(1_000),
          ]
        ) { $0.median("whole") },
        RowRule("runs that were not whole in 120 s", .count, [.atMost(0)]) { $0.sum("failed") },
        RowRule("distinct sizes that a member reported, median", .count, [.atMost(20)]) {
          $0.median("sizes")
        },
        RowRule("the seed's packets to any other's", .rate, [.atMost(2_000)]) { $0.median("seed") },
        RowRule("bytes received in datagrams, most", .count) { $0.most("received") },
        RowRule("packets a member", .rate, [.ratio(1_000)]) { $0.mean("packets") },
        RowRule("bytes a member", .rate, [.ratio(1_000)]) { $0.mean("bytes") },
      ] + Parts.rows(options)
    }
  }

  private static func start(_ kind: ContestantKind, _ size: Int, _ seed: UInt64) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.make(size, seed: seed)
    var board = Board(size)
    var sizes = Array(repeating: Set<Int>(), count: size)
    var last = (observer: 0, at: Instant.zero, size: 0)
    var whole = 0
    var isWhole = Array(repeating: false, count: size)
    func see(_ at: Instant, _ sighting: Sighting) -> Bool {
      board.see(sighting)
      let observer = sighting.observer
      let now = board.seeing(observer)
      // What comes in one datagram is one new size.
      if last.observer != observer || last.at != at { sizes[last.observer].insert(last.size) }
      last = (observer, at, now)
      if (now == size - 1) != isWhole[observer] {
        isWhole[observer].toggle()
        whole += isWhole[observer] ? 1 : -1
      }
      return whole == size
    }
    contestant.join(0, through: 0)
    let starts = (1..<size).map { _ in dice.upTo(spread) }.sorted()
    for (index, start) in starts.enumerated() {
      contestant.run(until: .zero + start) { at, sighting in
        _ = see(at, sighting)
      }
      contestant.join(index + 1, through: 0)
    }
    contestant.seek(until: .zero + limit, unless: see)
    var measured = Measured()
    measured.add("failed", whole == size ? 0 : 1)
    if whole == size { measured.add("whole", contestant.now.nanoseconds / 1_000) }
    for sizes in sizes { measured.add("sizes", Int64(sizes.count)) }
    let most = (1..<size).map { contestant.sent($0).packets }.max() ?? 1
    measured.add("seed", Int64(contestant.sent(0).packets) * 1_000 / Int64(max(1, most)))
    measured.add("received", Int64((0..<size).map { contestant.received($0).bytes }.max() ?? 0))
    let traffic = contestant.traffic
    measured.add("packets", Int64(traffic.packets) * 1_000 / Int64(size))
    measured.add("bytes", Int64(traffic.bytes) * 1_000 / Int64(size))
    contestant.parts.note(in: &measured, each: Int64(size))
    return measured
  }
}
