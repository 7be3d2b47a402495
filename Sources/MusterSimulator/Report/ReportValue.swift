import MusterProtocol

/// What a report says, for programs: whoever prints it chooses the notation.
package indirect enum ReportValue: Hashable, Sendable {
  case none
  case truth(Bool)
  case count(Int64)
  case text(String)
  case list([ReportValue])
  case table([ReportEntry])

  static func number(_ value: some BinaryInteger) -> ReportValue { .count(Int64(clamping: value)) }
}

/// One name in a table of a report, and what stands under it.
package struct ReportEntry: Hashable, Sendable {
  package var name: String
  package var value: ReportValue

  package init(_ name: String, _ value: ReportValue) {
    self.name = name
    self.value = value
  }
}

/// Figures for people. Whole numbers only: a report is the same on every machine.
enum Figures {
  /// `12,345,678`.
  static func grouped(_ value: some BinaryInteger) -> String {
    let digits = String(value)
    var result = ""
    for (index, digit) in digits.enumerated() {
      let rest = digits.count - index
      if index > 0, rest % 3 == 0 { result += "," }
      result.append(digit)
    }
    return result
  }

  /// `0.35 s`, `12.3 s`, `5 min 3 s`, `3 h 20 min`.
  static func span(_ span: TimeSpan) -> String {
    let milliseconds = span.milliseconds
    let whole = milliseconds / 1_000
    switch whole {
    case ..<10: return fraction(milliseconds / 10, places: 2) + " s"
    case ..<120: return fraction(milliseconds / 100, places: 1) + " s"
    case ..<7_200: return "\(whole / 60) min \(whole % 60) s"
    default: return "\(grouped(whole / 3_600)) h \(whole / 60 % 60) min"
    }
  }

  /// A whole number of tenths or hundredths with its point.
  private static func fraction(_ value: Int64, places: Int) -> String {
    let unit: Int64 = places == 2 ? 100 : 10
    let rest = String(value % unit)
    return "\(value / unit)." + String(repeating: "0", count: places - rest.utf8.count) + rest
  }

  /// How many in a second; by the microsecond, so that a short run divides by no zero.
  static func rate(_ count: Int, in span: TimeSpan) -> Int {
    count.multipliedReportingOverflow(by: 1_000_000).partialValue
      / Int(max(1, span.nanoseconds / 1_000))
  }

  static func list(_ counts: [String: Int]) -> String {
    counts.keys.sorted().map { "\($0) \(grouped(counts[$0] ?? 0))" }.joined(separator: ", ")
  }
}
