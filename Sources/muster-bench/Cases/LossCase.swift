import MusterProtocol
import MusterReference
import MusterSimulator

/// A network that loses datagrams: newcomers get in, nobody is taken for dead, and who is dead is
/// seen.
enum LossCase {
  // MARK: - Joins

  private static let members = 16
  private static let newcomers = 17
  private static let patience = TimeSpan.seconds(10)

  static func joins(_ options: BenchOptions) -> BenchCase {
    let jobs = [100, 300].flatMap { loss in
      BenchCase.jobs(
        "loss \(loss / 10) %", seeds: options.seeds(20, short: 3)
      ) { kind, seed in join(kind, UInt64(loss), seed) }
    }
    return BenchCase(
      name: "4a",
      title: "\(newcomers) join \(members), one a second; seen by all within 10 s and not called "
        + "dead",
      jobs: jobs
    ) { _ in
      [
        RowRule("good joins, worst of the seeds", .count, [.atLeast(Int64(newcomers))]) {
          $0.least("good")
        },
        RowRule("from the start until all see it, median", .time, [.ratio(1_000)]) {
          $0.median("join")
        },
        RowRule("packets/s a member", .rate, [.ratio(1_000)]) { $0.mean("packets") },
        RowRule("bytes/s a member", .rate, [.ratio(1_000)]) { $0.mean("bytes") },
      ] + Parts.rows(options)
    }
  }

  private static func join(_ kind: ContestantKind, _ loss: UInt64, _ seed: UInt64) -> Measured {
    let whole = members + newcomers
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.make(whole, seed: seed)
    contestant.form(members)
    contestant.run(until: .zero + .seconds(2))
    contestant.network.lossPerMille = loss
    let from = contestant.now
    let before = contestant.traffic
    let partsBefore = contestant.parts
    var board = Board(whole)
    board.form(members)
    var measured = Measured()
    var waiting: [Int: Instant] = [:]
    var started = members
    var failed: Set<Int> = []
    var good: Set<Int> = []
    func see(_ at: Instant, _ sighting: Sighting) {
      board.see(sighting)
      let subject = sighting.subject
      if sighting.state == .dead { failed.insert(subject) }
      guard let start = waiting[subject], board.seen(subject) >= started - 1 else { return }
      measured.add("join", (at - start).nanoseconds / 1_000)
      if at - start <= patience { good.insert(subject) }
      waiting[subject] = nil
    }
    for index in members..<whole {
      waiting[index] = contestant.now
      started += 1
      contestant.join(index, through: Int(dice.below(UInt64(members))))
      contestant.run(until: contestant.now + .seconds(1), see: see)
    }
    contestant.run(until: contestant.now + patience, see: see)
    measured.add("good", Int64(good.subtracting(failed).count))
    let span = (contestant.now - from).nanoseconds / 1_000
    let rates = Rates(contestant.traffic - before, members: whole, microseconds: span)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)
    let parts = contestant.parts - partsBefore
    parts.note(in: &measured, each: Int64(whole) * span / 1_000_000)
    return measured
  }

  // MARK: - Nobody is dead, then one is

  private static let size = 100

  static func calm(_ options: BenchOptions) -> BenchCase {
    let span = TimeSpan.seconds(options.extent(short: 20, standard: 60, full: 3_600))
    let losses = options.extent(
      short: [100, 300], standard: [100, 300, 500], full: [100, 300, 500])
    let jobs = losses.flatMap { loss in
      BenchCase.jobs(
        "loss \(loss / 10) %", seeds: options.seeds(options.isFull ? 20 : 3, short: 1)
      ) { kind, seed in suffer(kind, UInt64(loss), span, seed) }
    }
    return BenchCase(
      name: "4b",
      title: "\(size) members, everyone alive for \(span.milliseconds / 1_000) s, then one crashes",
      jobs: jobs
    ) { setting in
      let bound: Int64 =
        setting.hasSuffix(" 10 %") ? 4_000_000 : setting.hasSuffix("30 %") ? 6_000_000 : 9_000_000
      return [
        RowRule("false dead", .count, [.atMost(0)]) { $0.sum("false") },
        RowRule("false suspects", .count) { $0.sum("suspects") },
        RowRule("first sees the crash, median", .time, [.ratio(1_000)]) { $0.median("first") },
        RowRule("all see the crash, worst", .time, [.atMost(bound)]) { $0.most("last") },
        RowRule("did not see it in 60 s", .count, [.atMost(0)]) { $0.sum("missed") },
        RowRule("packets/s a member", .rate, [.ratio(1_000)]) { $0.mean("packets") },
        RowRule("bytes/s a member", .rate, [.ratio(1_000)]) { $0.mean("bytes") },
      ]
    }
  }

  private static func suffer(
    _ kind: ContestantKind, _ loss: UInt64, _ span: TimeSpan, _ seed: UInt64
  ) -> Measured {
    var dice = SimulatedDice(seed: seed)
    var contestant = kind.formed(size, seed: seed)
    contestant.run(until: .zero + .seconds(2))
    contestant.network.lossPerMille = loss
    let before = contestant.traffic
    var mistakes: Int64 = 0
    var suspects: Int64 = 0
    contestant.run(until: contestant.now + span) { _, sighting in
      if sighting.state == .dead { mistakes += 1 }
      if sighting.state == .suspect { suspects += 1 }
    }
    var measured = Measured()
    measured.add("false", mistakes)
    measured.add("suspects", suspects)
    let rates = Rates(
      contestant.traffic - before, members: size, microseconds: span.nanoseconds / 1_000)
    measured.add("packets", rates.packets)
    measured.add("bytes", rates.bytes)

    let victim = Int(dice.below(UInt64(size)))
    let crashAt = contestant.now
    contestant.crash(victim)
    var seen = Set<Int>()
    contestant.seek(until: crashAt + .seconds(60)) { at, sighting in
      guard sighting.subject == victim, sighting.state == .dead else { return false }
      if seen.isEmpty { measured.add("first", (at - crashAt).nanoseconds / 1_000) }
      seen.insert(sighting.observer)
      if seen.count == size - 1 { measured.add("last", (at - crashAt).nanoseconds / 1_000) }
      return seen.count == size - 1
    }
    measured.add("missed", Int64(size - 1 - seen.count))
    return measured
  }
}
