import MusterProtocol

/// One line about many seeds under way.
package enum ProgressLine {
  package static func text(_ summary: SwarmSummary, of wanted: UInt64, took: TimeSpan) -> String {
    let done = UInt64(summary.seeds)
    let rate = Figures.grouped(Figures.rate(summary.events, in: took))
    let failures = summary.failures.count
    var text =
      "\(Figures.grouped(done)) of \(Figures.grouped(wanted)) seeds, \(rate) events a second, "
      + (failures == 0 ? "no violation" : failures == 1 ? "1 violation" : "\(failures) violations")
    if done > 0, done < wanted {
      let microseconds = took.nanoseconds / 1_000 / Int64(done)
      let (left, isTooLong) = microseconds.multipliedReportingOverflow(
        by: Int64(clamping: wanted - done))
      if !isTooLong, left < 3_600_000_000_000 {
        text += ", \(Figures.span(TimeSpan(nanoseconds: left * 1_000))) left"
      }
    }
    return text
  }
}
