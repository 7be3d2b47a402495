import MusterProtocol
import MusterReference
import MusterSimulator

/// Members that are neither well nor dead: they can send and hardly hear, or the other way round,
/// or by turns. The others should settle on one view.
enum GrayCase {
  private enum Ailment: String, CaseIterable {
    case egress = "80 % lost of what they send"
    case ingress = "80 % lost of what they should hear"
    case flips = "hear nothing for 20 s, all for 20 s"
  }

  private static let rampUp = TimeSpan.seconds(2)

  static func bench(_ options: BenchOptions) -> BenchCase {
    let sizes = options.nodes ?? [options.extent(short: 64, standard: 128, full: 1_000)]
    let span = TimeSpan.seconds(options.extent(short: 60, standard: 120, full: 900))
    let jobs = sizes.flatMap { size in
      Ailment.allCases.flatMap { ailment in
        BenchCase.jobs(
          "N \(size), \(ailment.rawValue)", seeds: options.seeds(options.isFull ? 20 : 2, short: 1)
        ) { kind, seed in suffer(kind, size, ailment, span, seed) }
      }
    }
    return BenchCase(
      name: "6",
      title: "one in a hundred, at least 4, are gray for \(span.milliseconds / 1_000) s", jobs: jobs
    ) { _ in
      [
        RowRule("gray that all healthy leave out after 30 s, share", .rate, [.atLeast(1_000)]) {
          $0.mean("out at 30 s")
        },
        RowRule("the same at the end", .rate, [.atLeast(1_000)]) { $0.mean("out at the end") },
        RowRule("healthy taken for dead", .count, [.atMost(0)]) { $0.sum("false") },
        RowRule("taken back in, by one member", .count, [.atMost(0)]) { $0.most("back") },
        RowRule("packets/s a member", .rate, [.ratio(1_000)]) { $0.mean("packets") },
        RowRule("bytes/s a member", .rate, [.ratio(1_000)]) { $0.mean("bytes") },
      ]
    }
  }

  private static func suffer(
    _ kind: ContestantKind, _ size: Int, _ ailment: Ailment, _ span: TimeSpan, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    let gray = dice.several(max(4, size / 100), below: size)
    contestant.run(until: .zero + rampUp)
    let before = contestant.traffic
    let from = contestant.now
    var board = Board(size)
    board.form(size)
    var back = Array(repeating: 0, count: size)
    var mistakes: Int64 = 0
    func see(_ at: Instant, _ sighting: Sighting) {
      board.see(sighting)
      guard !gray.contains(sighting.observer) else { return }
      if gray.contains(sighting.subject) {
        if sighting.state == .alive { back[sighting.observer] += 1 }
      } else if sighting.state == .dead {
        mistakes += 1
      }
    }
    func out() -> Int64 {
      let outside = gray.count { board.seen($0, by: (0..<size).filter { !gray.contains($0) }) == 0 }
      return Int64(outside) * 1_000 / Int64(gray.count)
    }
    var measured = Measured()
    var isCut = true
    while contestant.now < from + span {
      contestant.network = network(ailment, gray, size, isCut: isCut)
      isCut.toggle()
      // The flips' beat also gives the look at thirty seconds.
      for _ in 0..<2 {
        contestant.run(until: min(from + span, contestant.now + .seconds(10)), see: see)
        if contestant.now == from + .seconds(30) { measured.add("out at 30 s", out()) }
      }
    }
    measured.add("out at the end", out())
    measured.add("false", mistakes)
    measured.add("back", Int64(back.max() ?? 0))
    let rates = Rates(
      contestant.traffic - before, members: size, microseconds: span.nanoseconds / 1_000)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    return measured
  }

  private static func network(
    _ ailment: Ailment, _ gray: [Int], _ size: Int, isCut: Bool
  ) -> SimulatedNetwork {
    var network = SimulatedNetwork.local
    for index in gray {
      for other in 0..<size where other != index {
        switch ailment {
        case .egress: network.linkLoss[SimulatedNetwork.Link(index, other)] = 800
        case .ingress: network.linkLoss[SimulatedNetwork.Link(other, index)] = 800
        case .flips: if isCut { network.cut.insert(SimulatedNetwork.Link(other, index)) }
        }
      }
    }
    return network
  }
}
