import MusterProtocol
import MusterReference
import MusterSimulator

/// One member publishes something new about itself: when the last of the others has it.
enum DisseminationCase {
  private static let patience = TimeSpan.seconds(5)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? [options.isShort ? 128 : 1_000]
    let jobs = sizes.flatMap { size in
      (options.isTiny ? [0, 250] : [0, 250, 500]).flatMap { loss in
        BenchCase.jobs(
          setting(size, loss), seeds: options.seeds(size > 2_000 ? 3 : 20, short: 5)
        ) { kind, seed in spread(kind, size, UInt64(loss), seed) }
      }
    }
    return BenchCase(
      name: "7", title: "one update reaches all; the patience is 5 s", jobs: jobs
    ) { setting in rows(setting) + Parts.rows(options) }
  }

  private static func setting(_ size: Int, _ loss: Int) -> String {
    "N \(size), loss \(loss / 10) %"
  }

  private static func rows(_ setting: String) -> [RowRule] {
    let isLarge = setting.contains("N 10000")
    let last: Int64 =
      if setting.hasSuffix(" 0 %") {
        isLarge ? 100_000 : 50_000
      } else if setting.hasSuffix("25 %") {
        isLarge ? 500_000 : 300_000
      } else {
        isLarge ? 2_000_000 : 1_500_000
      }
    return [
      RowRule("99 of 100 have it, median", .time) { $0.median("most") },
      RowRule("the last has it, median", .time, [.atMost(last), .ratio(1_000)]) {
        $0.median("last")
      },
      RowRule("the last has it, worst", .time) { $0.most("last") },
      RowRule("members missed", .count, [.atMost(0)]) { $0.sum("missed") },
      RowRule("sends of it a member", .rate, [.atMost(6_000)]) { $0.median("sends") },
      RowRule("packets/s a member", .rate, [.ratio(1_000)]) { $0.median("packets") },
      RowRule("bytes/s a member", .rate, [.ratio(1_000)]) { $0.median("bytes") },
    ]
  }

  private static func spread(
    _ kind: ContestantKind, _ size: Int, _ loss: UInt64, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let author = Int(dice.below(UInt64(size)))
    contestant.run(until: .zero + .seconds(3))
    contestant.network.lossPerMille = loss
    let from = contestant.now + dice.upTo(.seconds(1))
    contestant.run(until: from)
    let before = contestant.traffic
    let partsBefore = contestant.parts
    contestant.update(author)
    var arrivals: [Int64] = []
    var has = Array(repeating: false, count: size)
    has[author] = true
    contestant.run(until: from + patience) { at, sighting in
      guard sighting.subject == author, sighting.state == .updated, !has[sighting.observer]
      else { return }
      has[sighting.observer] = true
      arrivals.append((at - from).nanoseconds / 1_000)
    }
    var measured = Measured()
    measured.add("missed", Int64(has.count { !$0 }))
    if let last = arrivals.last { measured.add("last", last) }
    if !arrivals.isEmpty { measured.add("most", arrivals[(arrivals.count - 1) * 99 / 100]) }
    measured.add("sends", Int64(contestant.payloadSends) * 1_000 / Int64(size))
    let rates = Rates(
      contestant.traffic - before, members: size, microseconds: patience.nanoseconds / 1_000)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    let parts = contestant.parts - partsBefore
    parts.note(in: &measured, each: Int64(size) * (patience.nanoseconds / 1_000_000_000))
    return measured
  }
}
