import MusterState
import Testing

@testable import MusterProtocol

@Suite struct RepairTests {
  /// A new question in answer to a retry once counted as another try, and half of them were never
  /// made.
  @Test func `a question that nobody answers is asked again as often as the limit says`() {
    let node = NodeID(Bytes16(high: 1, low: 0))
    var repair = Repair()
    var now = Instant.zero
    repair.begin(with: node, again: now)
    var tries = 0
    while !repair.due(at: now).isEmpty {
      now = now + .milliseconds(300)
      if repair.retry(with: node, again: now) {
        tries += 1
        repair.begin(with: node, again: now)
      }
    }
    #expect(tries == Limits.comparisonTries)
    #expect(repair.deadline == nil)
  }
}
