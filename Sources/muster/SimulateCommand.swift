import MusterAgent
import MusterProtocol
import MusterSimulator
import MusterSystem

/// `muster simulate`: whole clusters from seeds or scenario files, and what became of them.
enum SimulateCommand {
  static let defaultSeeds = 100

  static var rule: CommandRule {
    CommandRule(
      "simulate", "Cut, crash and pause a simulated cluster, and see that the promises hold.",
      options: options,
      notes: """
        Without --seed, --seeds and --scenario it runs \(defaultSeeds) seeds. Each seed draws a \
        cluster, faults and
        what operators do; then all faults end and the cluster must become whole again. Faults:
        \(faults(0..<10)),
        \(faults(10..<20)),
        \(faults(20..<Swarm.Fault.allCases.count)), or none.
        A violation ends with exit code 1, a line that replays it, and the smallest scenario that
        still shows it, as violation-SEED.scenario in the working directory, with what happens in it
        as violation-SEED.trace. Ctrl-C ends with what there is so far. The same seed gives the same
        run on every machine, however many jobs.
        """, action: run)
  }

  private static func faults(_ range: Range<Int>) -> String {
    Swarm.Fault.allCases[range].map(\.rawValue).joined(separator: ", ")
  }

  private static var options: [OptionRule] {
    var options = [
      OptionRule("nodes", .count(1...10_000), "so many machines; default: drawn, mostly few"),
      OptionRule("seed", .count(0...Int.max), "run this seed"),
      OptionRule("seeds", .count(1...1_000_000_000), "run so many seeds"),
      OptionRule("from", .count(0...1_000_000_000_000), "the first of --seeds; default 1"),
      OptionRule("faults", .text("LIST"), "every seed has these, and no others: partition,crash"),
      OptionRule("for", .duration, "how long faults go on; default: drawn, 20s to 80s"),
      OptionRule("scenario", .path("FILE"), "run this scenario"),
      OptionRule("trace", .path("FILE"), "write what happened, a line each"),
      OptionRule("html", .path("FILE"), "draw what happened, as one page"),
      OptionRule("jobs", .count(1...1_024), "so many threads; default: one a processor"),
      OptionRule("no-shrink", .none, "do not look for the smallest violating scenario"),
      OptionRule("json", .none, "print JSON"),
    ]
    #if DEBUG
      options.append(
        OptionRule("plant", .count(0...Int.max), "mistakes of `PlantedBugs` on every machine"))
    #endif
    return options
  }

  private static func run(_ invocation: Invocation, _ context: CommandContext) -> ExitCode {
    var isKept = true
    let code = context.run(invocation) { () throws(CommandFailure) in
      let options = try SimulateOptions(invocation)
      switch options.work {
      case .scenario(let scenario, let path):
        isKept = try ScenarioCommand.run(scenario, path, options, context.console)
      case .seed(let seed):
        isKept = try SwarmCommand(options, context.console, from: seed, count: 1).run()
      case .seeds(let first, let count):
        isKept = try SwarmCommand(options, context.console, from: first, count: count).run()
      }
    }
    return code == .done && !isKept ? .failed : code
  }

  /// Writes what somebody asked for under a name of their choice.
  static func write(_ text: String, to path: String) throws(CommandFailure) {
    do throws(SystemError) {
      try Files.replace(path, with: Array(text.utf8), mode: 0o644)
    } catch {
      throw CommandFailure(.failed, "cannot write \(path): \(error)")
    }
  }

  /// The trace and the drawing of one run, where they were asked for.
  static func writeRecords(
    of scenario: Scenario, _ options: SimulateOptions
  ) throws(CommandFailure) -> ScenarioRecords {
    let records = ScenarioRecords(
      scenario, traced: options.trace != nil, drawn: options.html != nil)
    if let path = options.trace { try write(records.trace, to: path) }
    if let path = options.html { try write(records.page, to: path) }
    return records
  }
}

/// `muster simulate --scenario FILE`.
enum ScenarioCommand {
  static func run(
    _ scenario: Scenario, _ path: String, _ options: SimulateOptions, _ console: Console
  ) throws(CommandFailure) -> Bool {
    let began = MonotonicClock.nanoseconds
    let report = try SimulateCommand.writeRecords(of: scenario, options).report
    let took = TimeSpan(nanoseconds: MonotonicClock.nanoseconds - began)
    if options.wantsJson {
      console.line(Json([ReportEntry("scenario", .text(path))] + report.value(took: took)).text)
    } else {
      if !scenario.title.isEmpty { console.line(scenario.title) }
      for line in report.lines(took: took) { console.line(line) }
    }
    return report.isGood
  }
}
