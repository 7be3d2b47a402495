import MusterProtocol
import MusterReference
import MusterSimulator

/// Whether the reference is what it should be: its published schedule, measured.
enum ReferenceCase {
  static func schedule(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? (options.isShort ? [128] : [128, 1_000])
    let sides: [(Side, ContestantKind)] = [(.reference, .reference(ReferenceSettings()))]
    let jobs = sizes.flatMap { size in
      BenchCase.jobs(
        "N \(size)", seeds: options.seeds(size > 2_000 ? 5 : 40, short: 10), sides: sides
      ) { kind, seed in CrashCase.crash(kind, size, seed) }
    }
    return BenchCase(
      name: "reference", title: "the reference's own schedule, beside what is published", jobs: jobs
    ) { setting in
      let size = Int(setting.dropFirst(2)) ?? 0
      let settings = ReferenceSettings()
      let minimum = settings.suspicionMinimum(size).nanoseconds / 1_000
      return [
        RowRule("first dead, mean", .time) { $0.mean("dead") },
        RowRule("first dead, p99", .time) { $0.late("dead") },
        RowRule("dead less suspect, median", .time) { $0.median("window") },
        RowRule("published: 4 log10 N", .time) { _ in minimum },
        RowRule("published: mean first dead, 2 s more", .time) { _ in minimum + 2_000_000 },
        RowRule("sends of one update", .count) { _ in Int64(settings.transmissions(size)) },
      ]
    }
  }
}
