import MusterState
import Testing

@testable import MusterProtocol

@Suite struct AdmissionsTests {
  private static let timing = Timing()

  /// When newcomers are admitted of whom one comes every `gap` for a minute.
  private func times(every gap: TimeSpan) -> [TimeSpan] {
    var admissions = Admissions()
    var times: [TimeSpan] = []
    var waiting = 0
    for tick in 0..<600 {
      let now = Instant.zero + .seconds(100) + .milliseconds(100 * Int64(tick))
      if (.milliseconds(100 * Int64(tick)) as TimeSpan).nanoseconds % gap.nanoseconds == 0 {
        waiting += 1
      }
      guard waiting > 0, now >= admissions.next else { continue }
      waiting = 0
      admissions.note(at: now, Self.timing)
      times.append(now - (.zero + .seconds(100)))
    }
    return times
  }

  @Test func `the first few come in at once, then all that have come together`() {
    let times = times(every: .seconds(1))
    let atOnce = Int(Limits.admissionsAtOnce)
    #expect(Array(times.prefix(atOnce)) == (0..<atOnce).map { .seconds(Int64($0)) })
    let gaps = zip(times.dropFirst(atOnce), times.dropFirst(atOnce - 1)).map { $0 - $1 }
    // What the first were early is waited for once; the pace holds from then on.
    #expect(gaps.dropFirst().allSatisfy { $0 == Self.timing.admissionPause }, "\(gaps)")
    #expect(times.count == atOnce + 12 - 1)
  }

  @Test func `who comes now and then never waits`() {
    #expect(times(every: .seconds(6)) == (0..<10).map { .seconds(6 * Int64($0)) })
  }
}
