import MusterProtocol
import MusterReference
import MusterSimulator

/// How much it takes to find that two members know the same, and what they do not.
enum DigestCase {
  private static let largest: Int64 = 1_200

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes =
      options.nodes ?? (options.isShort ? [128] : options.isFull ? [1_000, 10_000] : [1_000])
    let jobs = sizes.flatMap { size in
      BenchCase.jobs(
        "N \(size)", seeds: options.seeds(1, short: 1), sides: [(.ours, .muster)]
      ) { kind, seed in compare(kind, size, seed) }
    }
    return BenchCase(
      name: "8, digest", title: "what a comparison of two members' states takes", jobs: jobs
    ) { _ in
      [
        RowRule("largest datagram at rest, bytes", .count, [.atMost(largest)]) { $0.most("rest") },
        RowRule("comparisons at rest that took more than it", .count, [.atMost(0)]) {
          $0.sum("more at rest")
        },
        RowRule("largest datagram after a change, bytes", .count) { $0.most("change") },
        RowRule("largest datagram when one has missed a change, bytes", .count) {
          $0.most("missed")
        },
        RowRule("datagrams of buckets, digests and keys for it", .count) { $0.most("repair") },
        RowRule("it has the change after", .time) { $0.most("after") },
        RowRule("members that miss it in the end", .count, [.atMost(0)]) { $0.sum("open") },
      ]
    }
  }

  private static func comparisons(_ contestant: any Contestant) -> Int {
    let parts = contestant.parts
    return [FramePart.buckets, .digest, .wanted].reduce(0) { $0 + parts.count(of: $1) }
  }

  private static func compare(_ kind: ContestantKind, _ size: Int, _ seed: UInt64) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    var measured = Measured()
    contestant.run(until: .zero + .seconds(5))
    measured.add("rest", Int64(contestant.largestDatagram))
    measured.add("more at rest", Int64(comparisons(contestant)))
    let pair = dice.several(2, below: size)
    contestant.update(pair[0])
    contestant.run(until: contestant.now + .seconds(5))
    measured.add("change", Int64(contestant.largestDatagram))

    // One hears nothing while all others hear of a change, for too short a time to be accused.
    let before = comparisons(contestant)
    for other in 0..<size where other != pair[1] {
      contestant.network.cut.insert(SimulatedNetwork.Link(other, pair[1]))
    }
    contestant.update(pair[0])
    contestant.run(until: contestant.now + .milliseconds(400))
    contestant.network.heal()
    let from = contestant.now
    var hasIt = false
    contestant.seek(until: from + .seconds(10)) { at, sighting in
      guard sighting.observer == pair[1], sighting.subject == pair[0],
        sighting.state == .updated
      else { return false }
      hasIt = true
      measured.add("after", (at - from).nanoseconds / 1_000)
      return true
    }
    contestant.run(until: contestant.now + .seconds(2))
    measured.add("open", hasIt ? 0 : 1)
    measured.add("missed", Int64(contestant.largestDatagram))
    measured.add("repair", Int64(comparisons(contestant) - before))
    return measured
  }
}
