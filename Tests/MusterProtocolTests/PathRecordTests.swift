import MusterState
import Testing

@testable import MusterProtocol

@Suite struct PathRecordTests {
  /// A probe a second, each of so many pings, of which so many are answered after `delay`.
  private func path(
    asks: Int, answers: Int, probes: Int = 20, delay: TimeSpan = .milliseconds(1)
  ) -> (PathRecord, Instant) {
    var path = PathRecord()
    var now = Instant.zero
    var late: [(UInt32, Instant)] = []
    for probe in 1...probes {
      now = .zero + .seconds(Int64(probe))
      for _ in 0..<asks { path.ask(UInt32(probe * 16), at: now) }
      late += (0..<answers).map { (UInt32(probe * 16 + $0), now + delay) }
      for (sequence, at) in late where at <= now { path.answer(sequence, at: at) }
      late.removeAll { $0.1 <= now }
    }
    return (path, now)
  }

  @Test(arguments: [(5, 0, true), (5, 1, true), (8, 3, true), (5, 2, false), (5, 5, false)])
  func `is unfit when three eighths are answered at most`(
    asks: Int, answers: Int, isUnfit: Bool
  ) {
    let (path, now) = path(asks: asks, answers: answers)
    #expect(path.isUnfit(asks: 20, at: now) == isUnfit)
    #expect(path.isWell(at: now) == (answers == asks))
  }

  @Test func `who answers late is slow, not unfit`() {
    let (path, now) = path(asks: 5, answers: 5, delay: .milliseconds(7_900))
    #expect(!path.isUnfit(asks: 20, at: now))
  }

  @Test func `few pings, or young ones, prove nothing`() {
    let (few, later) = path(asks: 1, answers: 0)
    #expect(!few.isUnfit(asks: 20, at: later))
    let (young, now) = path(asks: 9, answers: 0, probes: 8)
    #expect(!young.isUnfit(asks: 20, at: now))
  }

  @Test func `who has just become well is not accused any more`() {
    var (path, now) = path(asks: 5, answers: 0)
    for probe in 21...28 {
      now = .zero + .seconds(Int64(probe))
      for _ in 0..<5 { path.ask(UInt32(probe * 16), at: now) }
      for _ in 0..<5 { path.answer(UInt32(probe * 16), at: now) }
    }
    #expect(!path.isUnfit(asks: 20, at: now))
  }

  @Test func `is clean since the first answer after a failure`() {
    var path = PathRecord()
    path.ask(16, at: .zero)
    path.fail()
    #expect(path.cleanSince == nil)
    for probe in 2...40 {
      let now = Instant.zero + .seconds(Int64(probe))
      path.ask(UInt32(probe * 16), at: now)
      path.answer(UInt32(probe * 16), at: now)
    }
    #expect(path.cleanSince == .zero + .seconds(2))
  }
}
