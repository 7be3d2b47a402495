import MusterProtocol

/// How one scenario went: each expectation kept or not, and the promise that was broken, if one
/// was.
package struct ScenarioReport: Sendable {
  let verdicts: [ExpectationVerdict]
  package let outcome: ScenarioRun.Outcome

  package init(_ run: ScenarioRun, _ outcome: ScenarioRun.Outcome) {
    verdicts = run.verdicts
    self.outcome = outcome
  }

  package var isGood: Bool { outcome.violation == nil }

  /// For people.
  package func lines(took: TimeSpan) -> [String] {
    var lines = verdicts.map(Self.line)
    if let violation = outcome.violation, violation.checker != ExpectationVerdict.checker {
      lines.append("BROKEN    \(seconds(violation.at))s  \(violation.checker): \(violation.text)")
    }
    let ratio = Figures.grouped(outcome.time.nanoseconds / max(1, took.nanoseconds))
    lines.append(
      "\(Figures.span(outcome.time)) of virtual time, \(ratio) times as fast as real time; "
        + "\(Figures.grouped(outcome.events)) events, "
        + "promises checked \(Figures.grouped(outcome.looks)) times")
    return lines
  }

  private static func line(_ verdict: ExpectationVerdict) -> String {
    let text = Scenario.text(verdict.expectation)
    switch verdict.fate {
    case .kept(let time): return "kept      \(seconds(time))s  \(text)"
    case .missed(let time, let missing):
      let place = verdict.expectation.line > 0 ? "line \(verdict.expectation.line): " : ""
      return "NOT KEPT  \(seconds(time))s  \(place)\(text); \(missing)"
    case .open: return "not seen            \(text)"
    }
  }

  /// For programs.
  package func value(took: TimeSpan) -> [ReportEntry] {
    [
      ReportEntry("kept", .truth(isGood)),
      ReportEntry("expectations", .list(verdicts.map { .table(Self.entries($0)) })),
      ReportEntry("violation", outcome.violation.map { .table($0.entries) } ?? .none),
      ReportEntry("events", .number(outcome.events)),
      ReportEntry("checks", .number(outcome.looks)),
      ReportEntry("virtual_ms", .number(outcome.time.milliseconds)),
      ReportEntry("real_ms", .number(took.milliseconds)),
    ]
  }

  private static func entries(_ verdict: ExpectationVerdict) -> [ReportEntry] {
    let (fate, time, missing): (String, Instant?, String?) =
      switch verdict.fate {
      case .kept(let time): ("kept", time, nil)
      case .missed(let time, let missing): ("missed", time, missing)
      case .open: ("open", nil, nil)
      }
    return [
      ReportEntry("line", .number(verdict.expectation.line)),
      ReportEntry("expectation", .text(Scenario.text(verdict.expectation))),
      ReportEntry("fate", .text(fate)),
      ReportEntry("at_ms", time.map { .number(($0 - .zero).milliseconds) } ?? .none),
      ReportEntry("missing", missing.map { .text($0) } ?? .none),
    ]
  }
}

/// What became of one expectation.
package struct ExpectationVerdict: Hashable, Sendable {
  package enum Fate: Hashable, Sendable {
    case kept(Instant)
    /// What was missing when its time was over.
    case missed(Instant, String)
    /// The run ended before its time.
    case open
  }

  /// The name under which a missed expectation breaks a run.
  static let checker = "expected"

  package var expectation: Scenario.Expectation
  package var fate: Fate
}
