import MusterProtocol

/// One run with everything that somebody asked to have of it: trace, drawing, report.
package struct ScenarioRecords: Sendable {
  package let report: ScenarioReport
  private let scenario: Scenario
  private let lines: [String]
  private let recorder: RunRecorder?

  package init(_ scenario: Scenario, traced: Bool, drawn: Bool) {
    self.scenario = scenario
    var run = ScenarioRun(scenario, traced: traced, drawn: drawn)
    let outcome = run.run()
    report = ScenarioReport(run, outcome)
    lines = run.trace?.lines ?? []
    recorder = run.recorder
  }

  /// What happened, a line each.
  package var trace: String { lines.joined(separator: "\n") + "\n" }

  /// What happened, as one page for a browser or for paper.
  package var page: String {
    recorder.map { RunPage(scenario, $0, report).text } ?? ""
  }
}
