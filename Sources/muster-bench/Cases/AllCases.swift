import MusterReference

extension BenchCase {
  static let names = [
    "1", "1b", "2", "3", "4", "5", "6", "7", "8", "9", "growth", "reference", "gate",
  ]

  static func named(_ name: String, _ options: BenchOptions) -> [BenchCase] {
    switch name {
    case "1": [CrashCase.bench(options)]
    case "1b": [PauseCase.bench(options)]
    case "7": [DisseminationCase.bench(options)]
    case "8": [OverloadCase.bench(options), DigestCase.bench(options)]
    case "9": [NewcomerCase.bench(options), ChurnCase.bench(options)]
    case "2": [BlockCase.latency(options), BlockCase.grid(options)]
    case "3": [StarvationCase.bench(options)]
    case "4": [LossCase.joins(options), LossCase.calm(options)]
    case "5": [BootstrapCase.bench(options)]
    case "6": [GrayCase.bench(options)]
    case "growth": [GrowthCase.bench(options)]
    case "gate": GateCase.benches(options)
    case "reference":
      [
        ReferenceCase.schedule(options),
        BlockCase.grid(options, sides: trio.filter { $0.0 != .ours }).withoutTargets,
      ]
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
        BenchJob(setting: setting, side: side, seed: seed, kind: kind, measure: run)
      }
    }
  }

  /// With SWIM beside them; the papers give suspicions 5 log10 N.
  static let trio: [(Side, ContestantKind)] = {
    var lifeguard = ReferenceSettings()
    lifeguard.suspicionMultiplier = 5
    var swim = lifeguard
    swim.parts = []
    return [(.ours, .muster), (.reference, .reference(lifeguard)), (.swim, .reference(swim))]
  }()

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
