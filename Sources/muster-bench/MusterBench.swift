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
        for line in table.text { StandardStream.output.write(line + "\n") }
        let took = (MonotonicClock.nanoseconds - began) / 1_000
        StandardStream.output.write("took \(Unit.time.text(took)) s\n")
        tables.append(table)
      }
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
    let jobs = bench.jobs
    do throws(SystemError) {
      let isWhole = try ParallelWork.run(UInt64(jobs.count), threads: options.jobs) { number in
        jobs[Int(number)].run()
      } receive: { number, measured in
        results[Int(number)] = measured
      }
      guard isWhole else { return nil }
    } catch {
      StandardStream.error.write("muster-bench: the system refused: \(error)\n")
      return nil
    }
    return BenchTable(bench, results)
  }
}
