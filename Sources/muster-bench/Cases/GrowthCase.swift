import MusterProtocol
import MusterReference
import MusterSimulator

/// What a member of a calm cluster sends, from a few members to thousands: by theory as much in
/// each of them, because it has as many observers, subjects and neighbours.
enum GrowthCase {
  private static let settling = TimeSpan.seconds(5)
  private static let span = TimeSpan.seconds(10)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes =
      options.nodes
      ?? options.extent(
        short: [8, 32, 128], standard: [8, 16, 32, 64, 128, 256, 512, 1_024, 2_048],
        full: [8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 10_000])
    let jobs = sizes.flatMap { size in
      BenchCase.jobs("N \(size)", seeds: options.seeds(1, short: 1)) { kind, seed in
        rest(kind, size, seed)
      }
    }
    return BenchCase(
      name: "growth", title: "a calm cluster for \(span.milliseconds / 1_000) s", jobs: jobs
    ) { _ in
      [
        RowRule("packets/s a member", .rate) { $0.mean("packets") },
        RowRule("bytes/s a member", .rate) { $0.mean("bytes") },
        RowRule("packets/s of the busiest member", .rate) { $0.most("most") },
      ] + Parts.rows(options)
    }
  }

  private static func rest(_ kind: ContestantKind, _ size: Int, _ seed: UInt64) -> Measured {
    var contestant = kind.formed(size, seed: seed)
    contestant.run(until: .zero + settling)
    let before = (0..<size).map { contestant.sent($0) }
    let partsBefore = contestant.parts
    contestant.run(until: contestant.now + span)
    var total = Traffic()
    var most = 0
    for index in 0..<size {
      let sent = contestant.sent(index) - before[index]
      total = total + sent
      most = max(most, sent.packets)
    }
    let microseconds = span.nanoseconds / 1_000
    let rates = Rates(total, members: size, microseconds: microseconds)
    var measured = Measured()
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    measured.add("most", Int64(most) * 1_000_000_000 / microseconds)
    let parts = contestant.parts - partsBefore
    parts.note(in: &measured, each: Int64(size) * microseconds / 1_000_000)
    return measured
  }
}
