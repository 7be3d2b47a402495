import MusterState
import Testing

@testable import MusterProtocol

@Suite struct OutboxTests {
  private static let pause = TimeSpan.milliseconds(25)
  private static let holders = (1...3).map { NodeID(Bytes16(high: 0, low: $0)) }

  /// An outbox that has just passed on as many turns as leave at once.
  private func busy(at now: Instant) -> Outbox {
    var outbox = Outbox()
    for key in 0..<Limits.forwardsAtOnce {
      outbox.add(UInt64(key), heldBy: nil)
      _ = outbox.isDue(at: now, atOnce: Limits.forwardsAtOnce, pause: Self.pause)
      _ = outbox.take()
    }
    return outbox
  }

  @Test func `what comes alone leaves at once, what comes thick and fast waits a moment`() {
    let start = Instant.zero + .seconds(5)
    var outbox = busy(at: start)
    outbox.add(99, heldBy: nil)
    outbox.add(100, heldBy: nil)
    let isEarly = outbox.isDue(
      at: start + .milliseconds(1), atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    #expect(!isEarly)
    #expect(outbox.deadline == start + Self.pause)
    let isDue = outbox.isDue(
      at: start + Self.pause, atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    let left = outbox.take().map(\.key)
    #expect(isDue)
    #expect(left == [99, 100])
    #expect(outbox.deadline == nil)
    // A tenth of a second later nothing waits any more.
    outbox.add(101, heldBy: nil)
    let isCalm = outbox.isDue(
      at: start + .milliseconds(120), atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    #expect(isCalm)
  }

  @Test func `who sends what waits is not sent it, unless it is older`() {
    let start = Instant.zero + .seconds(5)
    var outbox = busy(at: start)
    outbox.add(99, heldBy: Self.holders[0])
    outbox.note(99, heldBy: Self.holders[1])
    outbox.note(98, heldBy: Self.holders[1])
    let both = outbox.take().map(\.holders)
    #expect(both == [[Self.holders[0], Self.holders[1]]])
    outbox.add(99, heldBy: Self.holders[0])
    outbox.add(99, heldBy: Self.holders[2])
    let newest = outbox.take().map(\.holders)
    #expect(newest == [[Self.holders[2]]])
  }

  @Test func `votes wait for nothing, and take along what waits`() {
    let start = Instant.zero + .seconds(5)
    var outbox = busy(at: start)
    outbox.add(99, heldBy: nil)
    outbox.add(100, heldBy: nil, isUrgent: true)
    let isDue = outbox.isDue(at: start, atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    #expect(isDue)
    let all = outbox.take().map(\.key)
    #expect(all == [99, 100])
    outbox.add(101, heldBy: nil)
    let isDueAgain = outbox.isDue(at: start, atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    #expect(!isDueAgain)
  }

  /// A deadline that outlived what it was for once woke a node without end.
  @Test func `what was taken out waits for nothing`() {
    let start = Instant.zero + .seconds(5)
    var outbox = busy(at: start)
    outbox.add(99, heldBy: nil)
    let isDue = outbox.isDue(at: start, atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    #expect(!isDue)
    _ = outbox.take()
    #expect(outbox.deadline == nil)
  }

  private static let idle = TimeSpan.milliseconds(500)

  private func isDue(_ outbox: inout Outbox, at now: Instant) -> Bool {
    outbox.isDue(
      at: now, atOnce: Limits.forwardsAtOnce, pause: Self.pause, idlePause: Self.idle)
  }

  @Test func `what interests nobody at once waits for more of its kind`() {
    let start = Instant.zero + .seconds(5)
    var outbox = Outbox()
    outbox.add(1, heldBy: nil, idleFrom: start)
    let isEarly = isDue(&outbox, at: start)
    #expect(!isEarly)
    #expect(outbox.deadline == start + Self.idle)
    // The second does not make the first wait longer.
    outbox.add(2, heldBy: nil, idleFrom: start + .milliseconds(300))
    let isStillEarly = isDue(&outbox, at: start + .milliseconds(499))
    #expect(!isStillEarly)
    let isTime = isDue(&outbox, at: start + Self.idle)
    #expect(isTime)
    let both = outbox.take().map(\.key)
    #expect(both == [1, 2])
    // The next wait begins anew.
    outbox.add(3, heldBy: nil, idleFrom: start + .seconds(1))
    let isEarlyAgain = isDue(&outbox, at: start + .milliseconds(1_400))
    #expect(!isEarlyAgain)
  }

  @Test(arguments: [false, true])
  func `other news takes along what is idle, in whatever order they come`(_ isFirst: Bool) {
    let start = Instant.zero + .seconds(5)
    var outbox = Outbox()
    if isFirst { outbox.add(2, heldBy: nil) }
    outbox.add(1, heldBy: nil, idleFrom: start)
    if !isFirst { outbox.add(2, heldBy: nil) }
    let isTime = isDue(&outbox, at: start)
    #expect(isTime)
    #expect(outbox.take().count == 2)
  }

  @Test func `a vote does not wait for what is idle`() {
    let start = Instant.zero + .seconds(5)
    var outbox = busy(at: start)
    outbox.add(1, heldBy: nil, idleFrom: start)
    outbox.add(2, heldBy: nil, isUrgent: true)
    let isTime = isDue(&outbox, at: start)
    #expect(isTime)
  }

  @Test func `a node that ends lets nothing wait`() {
    let start = Instant.zero + .seconds(5)
    var outbox = busy(at: start)
    outbox.add(99, heldBy: nil)
    outbox.hurry()
    let isDue = outbox.isDue(at: start, atOnce: Limits.forwardsAtOnce, pause: Self.pause)
    #expect(isDue)
  }
}

@Suite struct PatienceTests {
  @Test func `falls to half every four seconds, and forgets`() {
    var patience = Patience()
    let start = Instant.zero + .seconds(9)
    #expect(patience.left(at: start) == .zero)
    patience.note(.milliseconds(800), at: start)
    patience.note(.milliseconds(200), at: start)
    #expect(patience.left(at: start) == .milliseconds(800))
    #expect(patience.left(at: start + .seconds(4)) == .milliseconds(400))
    #expect(patience.left(at: start + .seconds(8)) == .milliseconds(200))
    #expect(patience.left(at: start + .seconds(60)) == .zero)
    patience.note(.milliseconds(300), at: start + .seconds(8))
    #expect(patience.left(at: start + .seconds(8)) == .milliseconds(300))
    patience.note(.seconds(60), at: start + .seconds(9))
    #expect(patience.left(at: start + .seconds(9)) == .seconds(4))
  }
}
