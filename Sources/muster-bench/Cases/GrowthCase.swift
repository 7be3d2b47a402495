import MusterProtocol
import MusterReference
import MusterSimulator
import MusterSystem

/// What a member of a calm cluster sends, from a few members to thousands: by theory as much in
/// each of them, because it has as many observers, subjects and neighbours.
enum GrowthCase {
  private static let settling = TimeSpan.seconds(5)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes =
      options.nodes
      ?? options.extent(
        short: [8, 32, 128], standard: [8, 16, 32, 64, 128, 256, 512, 1_024, 2_048],
        full: [8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 10_000])
    let span = TimeSpan.seconds(options.isFull ? 60 : 10)
    // What the process uses is one run's own only where no other runs beside it.
    let isAlone = options.jobs == 1
    let jobs = sizes.flatMap { size in
      BenchCase.jobs("N \(size)", seeds: options.seeds(1, short: 1)) { kind, seed in
        rest(kind, size, for: span, isAlone: isAlone, seed)
      }
    }
    return BenchCase(
      name: "growth", title: "a calm cluster for \(span.milliseconds / 1_000) s", jobs: jobs
    ) { _ in
      [
        RowRule("packets/s a member", .rate) { $0.mean("packets") },
        RowRule("bytes/s a member", .rate) { $0.mean("bytes") },
        RowRule("packets/s of the busiest member", .rate) { $0.most("most") },
        RowRule("simulation: CPU us/s a member", .rate) { $0.mean("processor") },
        RowRule("simulation: resident KiB a member", .rate) { $0.mean("resident") },
      ] + Parts.rows(options)
    }
  }

  private static func rest(
    _ kind: ContestantKind, _ size: Int, for span: TimeSpan, isAlone: Bool, _ seed: UInt64
  ) -> Measured {
    let empty = ProcessUsage.read()
    var contestant = kind.formed(size, seed: seed)
    contestant.run(until: .zero + settling)
    let rested = ProcessUsage.read()
    let before = (0..<size).map { contestant.sent($0) }
    let partsBefore = contestant.parts
    contestant.run(until: contestant.now + span)
    let used = ProcessUsage.read()
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
    if isAlone {
      let spent = used.processorNanoseconds - rested.processorNanoseconds
      measured.add("processor", spent * 1_000_000 / microseconds / Int64(size))
      let resident = used.residentBytes - empty.residentBytes
      measured.add("resident", resident * 1_000 / 1_024 / Int64(size))
    }
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    measured.add("most", Int64(most) * 1_000_000_000 / microseconds)
    let parts = contestant.parts - partsBefore
    parts.note(in: &measured, each: Int64(size) * microseconds / 1_000_000)
    return measured
  }
}
