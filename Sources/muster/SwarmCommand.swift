import MusterAgent
import MusterProtocol
import MusterSimulator
import MusterSystem

/// `muster simulate --seeds N` and `--seed S`.
final class SwarmCommand {
  /// Violations that are replayed, made small and written; further ones are counted.
  private static let shown = 5
  private static let progressPace: Int64 = 200_000_000

  private let options: SimulateOptions
  private let console: Console
  private let first: UInt64
  private let count: UInt64
  private let began = MonotonicClock.nanoseconds
  private var summary = SwarmSummary()
  private var lastProgress: Int64 = 0

  init(_ options: SimulateOptions, _ console: Console, from first: UInt64, count: UInt64) {
    self.options = options
    self.console = console
    self.first = first
    self.count = count
  }

  private var took: TimeSpan { TimeSpan(nanoseconds: MonotonicClock.nanoseconds - began) }
  private var threads: Int { Int(min(UInt64(options.threads), count)) }

  /// - Returns: whether every promise was kept.
  func run() throws(CommandFailure) -> Bool {
    let swarm = options.swarm
    let isWhole = try parallel(count) { [first] number in
      let scenario = Swarm.scenario(seed: first &+ number, options: swarm)
      var run = ScenarioRun(scenario)
      return SwarmSummary.Seed(scenario, run.run())
    } receive: { [unowned self] _, seed in
      summary.add(seed)
      showProgress()
    }
    clearProgress()
    let took = took
    try writeRecords()
    let files = isWhole && options.shrinks ? try shrink() : [:]
    report(took, files)
    return summary.failures.isEmpty
  }

  private func parallel<Result: Sendable>(
    _ count: UInt64, job: @escaping @Sendable (UInt64) -> Result,
    receive: @escaping (UInt64, Result) -> Void
  ) throws(CommandFailure) -> Bool {
    do throws(SystemError) {
      return try ParallelWork.run(count, threads: options.threads, job: job, receive: receive)
    } catch {
      throw CommandFailure(.failed, "the system refused: \(error)")
    }
  }

  // MARK: - Violations

  /// Of one seed, or of the first that violates.
  private func writeRecords() throws(CommandFailure) {
    guard options.trace != nil || options.html != nil else { return }
    guard let seed = count == 1 ? first : summary.failures.first?.seed else {
      return complain("no seed violates a promise: there is nothing to trace or draw")
    }
    _ = try SimulateCommand.writeRecords(
      of: Swarm.scenario(seed: seed, options: options.swarm), options)
  }

  private func complain(_ text: String) { console.complain("muster simulate: \(text)\n") }

  /// The smallest violating scenarios, written with what happens in each; their names by seed.
  private func shrink() throws(CommandFailure) -> [UInt64: String] {
    let failures = Array(summary.failures.prefix(Self.shown))
    guard !failures.isEmpty else { return [:] }
    if showsProgress {
      console.print("making \(failures.count == 1 ? "the scenario" : "the scenarios") smaller …")
    }
    var smallest: [(seed: UInt64, text: String, trace: String)] = []
    let swarm = options.swarm
    _ = try parallel(UInt64(failures.count)) { number in
      let failure = failures[Int(number)]
      var shrinking = Shrinking(failure.violation)
      var small = shrinking.shrink(Swarm.scenario(seed: failure.seed, options: swarm))
      small.title = "Seed \(failure.seed) breaks \(failure.violation.checker)."
      return (small.text, ScenarioRecords(small, traced: true, drawn: false).trace)
    } receive: { number, written in
      smallest.append((failures[Int(number)].seed, written.0, written.1))
    }
    clearProgress()
    var files: [UInt64: String] = [:]
    for (seed, text, trace) in smallest {
      let path = "violation-\(seed).scenario"
      try SimulateCommand.write(text, to: path)
      try SimulateCommand.write(trace, to: "violation-\(seed).trace")
      files[seed] = path
    }
    return files
  }

  // MARK: - Output

  private var showsProgress: Bool { console.isTerminal && !options.wantsJson }

  private func showProgress() {
    let now = MonotonicClock.nanoseconds
    guard showsProgress, now - lastProgress > Self.progressPace else { return }
    lastProgress = now
    console.print("\r\u{1b}[K" + ProgressLine.text(summary, of: count, took: took))
  }

  private func clearProgress() {
    if showsProgress { console.print("\r\u{1b}[K") }
  }

  private func report(_ took: TimeSpan, _ files: [UInt64: String]) {
    if options.wantsJson {
      let value = summary.value(
        took: took, threads: threads, wanted: count, replay: options.replay, files: files)
      return console.line(Json(value).text)
    }
    for line in summary.lines(took: took, threads: threads, wanted: count) { console.line(line) }
    for failure in summary.failures.prefix(Self.shown) {
      console.line("\nseed \(failure.seed) at \(failure.violation)")
      console.line("  replay:  \(options.replay(failure.seed))")
      if let path = files[failure.seed] {
        console.line("  smaller: muster simulate --scenario \(path)")
      }
    }
    let further = summary.failures.dropFirst(Self.shown).map { String($0.seed) }
    if !further.isEmpty {
      console.line("\nfurther seeds: \(further.prefix(100).joined(separator: " "))")
    }
  }
}
