import MusterAgent

/// What came of one case, as lines for people and as JSON.
struct BenchTable {
  struct Line {
    var setting: String
    var rule: RowRule
    var values: [Side: Int64]
    /// `nil` when there is no target, or nothing to compare with.
    var isMet: Bool?
  }

  private let bench: BenchCase
  private(set) var lines: [Line] = []

  init(_ bench: BenchCase, _ results: [Int: Measured]) {
    self.bench = bench
    var settings: [String] = []
    var measured: [String: [Side: Measured]] = [:]
    for (number, job) in bench.jobs.enumerated() {
      // Also where nothing was run: then nothing is met.
      if measured[job.setting] == nil {
        settings.append(job.setting)
        measured[job.setting] = [:]
      }
      guard let result = results[number] else { continue }
      measured[job.setting, default: [:]][job.side, default: Measured()].merge(result)
      if bench.hasTotal {
        measured["all", default: [:]][job.side, default: Measured()].merge(result)
      }
    }
    if bench.hasTotal { settings.append("all") }
    for setting in settings {
      for rule in bench.rows(setting) {
        let values = (measured[setting] ?? [:]).compactMapValues(rule.value)
        lines.append(Self.line(setting, rule, values))
      }
    }
  }

  private static func line(_ setting: String, _ rule: RowRule, _ values: [Side: Int64]) -> Line {
    // A value that a target asks for and nobody measured is a target missed.
    let isMet = rule.targets.isEmpty ? nil : rule.targets.allSatisfy { $0.isMet(values) }
    return Line(setting: setting, rule: rule, values: values, isMet: isMet)
  }

  var missed: Int { lines.count { $0.isMet == false } }

  var text: [String] {
    var rows = [["", "measure", "ours", "reference", "swim", "ratio", "target", ""]]
    var last = ""
    for line in lines {
      let unit = line.rule.unit
      let targets = line.rule.targets.map { $0.text(unit) }.joined(separator: ", ")
      let met = line.isMet.map { $0 ? "met" : "MISSED" } ?? ""
      rows.append(
        [line.setting == last ? "" : line.setting, line.rule.title]
          + Side.allCases.map { side in line.values[side].map(unit.text) ?? "-" }
          + [ratio(line), targets, met])
      last = line.setting
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return ["", "Case \(bench.name): \(bench.title)"]
      + rows.map { row in
        var text = ""
        for (column, cell) in row.enumerated() {
          let fill = String(repeating: " ", count: widths[column] - cell.count)
          text += (2...5).contains(column) ? fill + cell : cell + fill
          text += "  "
        }
        while text.last == " " { text.removeLast() }
        return text
      }
  }

  private func ratio(_ line: Line) -> String {
    let values = line.values
    var text = ""
    if let ours = values[.ours], let theirs = values[.reference], theirs > 0 {
      text = Unit.decimal(ours * 1_000 / theirs, 10, digits: 1) + " %"
    }
    if let swim = values[.swim], swim > 0 {
      let shares = [values[.ours], values[.reference]].compactMap { $0 }.map {
        Unit.decimal($0 * 100_000 / swim, 1_000, digits: 2)
      }
      text += " (of swim: \(shares.joined(separator: ", ")) %)"
    }
    return text
  }

  var json: Json {
    let rows = lines.map { line -> Json in
      var members = [
        JsonMember("setting", .string(line.setting)),
        JsonMember("measure", .string(line.rule.title)),
        JsonMember("unit", .string(unitName(line.rule.unit))),
      ]
      for side in Side.allCases {
        members.append(JsonMember(side.rawValue, line.values[side].map { .integer($0) } ?? .null))
      }
      members.append(JsonMember("met", line.isMet.map { .bool($0) } ?? .null))
      return .object(members)
    }
    return .object([
      JsonMember("case", .string(bench.name)), JsonMember("title", .string(bench.title)),
      JsonMember("rows", .array(rows)),
    ])
  }

  private func unitName(_ unit: Unit) -> String {
    switch unit {
    case .time: "microseconds"
    case .rate: "thousandths"
    case .count: "count"
    }
  }
}
