import MusterProtocol

/// One run as a page of HTML that needs nothing else: no script, no font, no second file. Good on
/// a screen and on paper, in colour and in grey.
struct RunPage {
  private let scenario: Scenario
  private let recorder: RunRecorder
  private let report: ScenarioReport

  init(_ scenario: Scenario, _ recorder: RunRecorder, _ report: ScenarioReport) {
    self.scenario = scenario
    self.recorder = recorder
    self.report = report
  }

  var text: String {
    let title = Self.escaped(
      scenario.title.isEmpty ? "Seed \(scenario.seed)" : scenario.title)
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title>
      <style>
      \(ChartStyle.sheet(isTall: scenario.nodes > 12))
      </style>
      </head>
      <body>
      <h1>\(title)</h1>
      <p class="facts">\(facts)</p>
      \(verdict)
      <figure>
      \(RunChart(recorder).svg)
      <figcaption>\(legend)</figcaption>
      </figure>
      \(expectations)
      \(deeds)
      </body>
      </html>

      """
  }

  private var facts: String {
    let outcome = report.outcome
    return [
      scenario.nodes == 1 ? "one node" : "\(scenario.nodes) nodes", "seed \(scenario.seed)",
      "\(Figures.span(outcome.time)) of virtual time",
      "\(Figures.grouped(outcome.events)) events",
      "\(Figures.grouped(outcome.datagrams)) datagrams",
      "promises checked \(Figures.grouped(outcome.looks)) times",
    ].joined(separator: " · ")
  }

  private var verdict: String {
    guard let violation = report.outcome.violation else {
      return "<p class=\"good\">Every promise and expectation was kept.</p>"
    }
    let promise = Self.escaped(violation.checker)
    return "<p class=\"bad\">At \(seconds(violation.at)) s <b>\(promise)</b>: "
      + "\(Self.escaped(violation.text))</p>"
  }

  // MARK: - Words around the chart

  private var legend: String {
    let items: [(String, String)] = [
      ("up", "runs"), ("paused", "paused"), ("down", "down"), ("lease", "holds the lease, in term"),
      ("leading", "leads without one"), ("alive", "others see it alive"),
      ("suspect", "suspect"), ("dead", "dead"), ("left", "left"),
      ("divided", "no majority"),
    ]
    let swatches = items.map { kind, text in
      "<span class=\"item\"><svg viewBox=\"0 0 22 10\" class=\"swatch\"><rect class=\"\(kind)\" "
        + "x=\"0.5\" y=\"0.5\" width=\"21\" height=\"9\"/></svg>\(text)</span>"
    }
    let ticks =
      "<span class=\"item\"><svg viewBox=\"0 0 22 10\" class=\"swatch\">"
      + "<path class=\"commit\" d=\"M8 0V10M14 0V10\"/></svg>commits the register</span>"
    return (swatches + [ticks]).joined(separator: "\n")
      + "<span class=\"item\">Others: the majority of those that run.</span>"
  }

  private var expectations: String {
    let verdicts = report.verdicts
    guard !verdicts.isEmpty else { return "" }
    let rows = verdicts.map { verdict -> String in
      let (word, time, more): (String, String, String) =
        switch verdict.fate {
        case .kept(let time): ("kept", seconds(time), "")
        case .missed(let time, let missing): ("not kept", seconds(time), "; \(missing)")
        case .open: ("not seen", "", "")
        }
      return "<tr class=\"\(word.replacing(" ", with: "-"))\"><td>\(word)</td>"
        + "<td class=\"time\">\(time)</td>"
        + "<td>\(Self.escaped(Scenario.text(verdict.expectation) + more))</td></tr>"
    }
    return "<h2>Expected</h2>\n<table>\n\(rows.joined(separator: "\n"))\n</table>"
  }

  /// What was done to the cluster; what was done at one moment stands in one row.
  private var deeds: String {
    var rows: [(time: String, texts: [String])] = []
    for deed in recorder.bands.deeds {
      let time = seconds(deed.at)
      if rows.last?.time == time {
        rows[rows.count - 1].texts.append(deed.text)
      } else {
        rows.append((time, [deed.text]))
      }
    }
    guard !rows.isEmpty else { return "" }
    let items = rows.map { row -> String in
      var texts = row.texts.prefix(6).map(Self.escaped).joined(separator: "<br>")
      if row.texts.count > 6 { texts += "<br>and \(row.texts.count - 6) more" }
      return "<tr><td class=\"time\">\(row.time)</td><td>\(texts)</td></tr>"
    }
    return "<h2>Done</h2>\n<div class=\"columns\"><table>\n\(items.joined(separator: "\n"))\n"
      + "</table></div>"
  }

  /// Text that others chose, fit for markup.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default:
        // Control characters have no place in a page.
        if character.value >= 0x20 { result.unicodeScalars.append(character) }
      }
    }
    return result
  }
}
