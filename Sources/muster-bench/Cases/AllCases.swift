import MusterReference

extension BenchCase {
  static let names = ["1", "1b", "7", "reference"]

  static func named(_ name: String, _ options: BenchOptions) -> [BenchCase] {
    switch name {
    case "1": [CrashCase.bench(options)]
    case "1b": [PauseCase.bench(options)]
    case "7": [DisseminationCase.bench(options)]
    case "reference": [ReferenceCase.schedule(options)]
    default: []
    }
  }

  /// A job for each side, setting and seed.
  static func jobs(
    _ setting: String, seeds: [UInt64], sides: [(Side, ContestantKind)] = BenchCase.pair,
    _ run: @escaping @Sendable (ContestantKind, UInt64) -> Measured
  ) -> [BenchJob] {
    seeds.flatMap { seed in
      sides.map { side, kind in
        BenchJob(setting: setting, side: side, seed: seed) { run(kind, seed) }
      }
    }
  }

  static let pair: [(Side, ContestantKind)] = [
    (.ours, .muster), (.reference, .reference(ReferenceSettings())),
  ]
}

/// What members send, in thousandths a second and member.
struct Rates {
  var packets: Int64
  var bytes: Int64
  /// Without what went over streams.
  var datagramBytes: Int64

  init(_ traffic: Traffic, members: Int, microseconds: Int64) {
    let span = max(1, microseconds) * Int64(members)
    packets = Int64(traffic.packets) * 1_000_000_000 / span
    bytes = Int64(traffic.bytes) * 1_000_000_000 / span
    datagramBytes = Int64(traffic.datagramBytes) * 1_000_000_000 / span
  }
}
