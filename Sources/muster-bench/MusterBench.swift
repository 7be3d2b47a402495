import MusterAgent
import MusterProtocol
import MusterSystem

/// Side by side with the published protocol: see `BenchOptions.usage`.
@main
enum MusterBench {
  static func main() {
    do throws(BenchOptions.Refusal) {
      let options = try BenchOptions(Array(CommandLine.arguments.dropFirst()))
      endProcess(run(options) ? 0 : 1)
    } catch {
      StandardStream.error.write("muster-bench: \(error.text)\n\n\(BenchOptions.usage)")
      endProcess(2)
    }
  }

  private static func run(_ options: BenchOptions) -> Bool {
    var tables: [BenchTable] = []
    for name in options.cases {
      for bench in BenchCase.named(name, options) {
        let began = MonotonicClock.nanoseconds
        guard let table = play(bench, options) else { return false }
        // Nothing of it was asked for.
        guard !table.lines.isEmpty else { continue }
        for line in table.text { StandardStream.output.write(line + "\n") }
        let took = (MonotonicClock.nanoseconds - began) / 1_000
        StandardStream.output.write("took \(Unit.time.text(took)) s\n")
        tables.append(table)
      }
    }
    if tables.isEmpty {
      StandardStream.error.write("muster-bench: no setting holds what --only and --side ask for\n")
      return false
    }
    if let path = options.json {
      do throws(SystemError) {
        let text = Json.array(tables.map(\.json)).text + "\n"
        try Files.replace(path, with: Array(text.utf8), mode: 0o644)
      } catch {
        StandardStream.error.write("muster-bench: cannot write \(path): \(error)\n")
        return false
      }
    }
    return tables.allSatisfy { $0.missed == 0 }
  }

  static func play(_ bench: BenchCase, _ options: BenchOptions) -> BenchTable? {
    var results: [Int: Measured] = [:]
    let jobs = bench.jobs.filter { job in
      (options.only.map { job.setting.contains($0) } ?? true)
        && (options.side ?? job.side) == job.side
    }
    var bench = bench
    bench.jobs = jobs
    let began = MonotonicClock.nanoseconds
    let limit = options.limit.map { Int64($0) * 1_000_000_000 }
    do throws(SystemError) {
      let isWhole = try ParallelWork.run(UInt64(jobs.count), threads: options.jobs) {
        (number) -> Measured? in
        let start = MonotonicClock.nanoseconds
        if let limit, start - began >= limit { return nil }
        let measured = jobs[Int(number)].run()
        if options.limit != nil { report(jobs[Int(number)], since: start) }
        return measured
      } receive: { number, measured in
        if let measured { results[Int(number)] = measured }
      }
      guard isWhole else { return nil }
    } catch {
      StandardStream.error.write("muster-bench: the system refused: \(error)\n")
      return nil
    }
    return BenchTable(bench, results)
  }

  /// Who sets a limit wants to see how far it gets.
  private static func report(_ job: BenchJob, since start: Int64) {
    let took = Unit.time.text((MonotonicClock.nanoseconds - start) / 1_000)
    StandardStream.error.write(
      "\(job.setting), \(job.side.rawValue), seed \(job.seed): \(took) s\n")
  }
}
