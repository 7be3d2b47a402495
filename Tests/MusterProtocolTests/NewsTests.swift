import MusterState
import Testing

@testable import MusterProtocol

/// Fingerprints are sums of changes: what somebody lacks is read from the difference.
@Suite struct NewsTests {
  private static let start = Instant.zero + .seconds(9)
  private static let settling = TimeSpan.milliseconds(50)

  /// Ten changes, one every 100 ms, the last of them at `start`.
  private func ten() -> News {
    var news = News()
    for key in UInt64(1)...10 {
      news.note(
        key, change: mixed(key), at: Self.start - .milliseconds(100 * Int64(10 - key)))
    }
    return news
  }

  private func keys(making difference: UInt64, after wait: TimeSpan) -> [UInt64]? {
    ten().keys(making: difference, settling: Self.settling, at: Self.start + wait)
  }

  @Test func `one change is named, and two are`() {
    for key in UInt64(1)...10 {
      #expect(keys(making: mixed(key), after: Self.settling) == [key])
      for other in key + 1..<11 {
        let both = keys(making: mixed(key) &+ mixed(other), after: Self.settling)
        #expect(both.map(Set.init) == [key, other])
      }
    }
  }

  @Test func `nothing is named that explains nothing`() {
    #expect(keys(making: 0, after: Self.settling) == nil)
    #expect(keys(making: mixed(11), after: Self.settling) == nil)
    // What the other has and this node lacks.
    #expect(keys(making: 0 &- mixed(11), after: Self.settling) == nil)
    #expect(keys(making: mixed(1) &+ mixed(2) &+ mixed(3), after: Self.settling) == nil)
  }

  /// A change that is twice the same is not two changes.
  @Test func `a change is not paired with itself`() {
    #expect(keys(making: 2 &* mixed(4), after: Self.settling) == nil)
  }

  @Test func `what may still be on its way is not sent, and what is long ago is not looked at`() {
    #expect(keys(making: mixed(10), after: .milliseconds(49)) == nil)
    #expect(keys(making: mixed(10) &+ mixed(1), after: .milliseconds(49)) == nil)
    #expect(keys(making: mixed(9), after: .zero) == [9])
    #expect(keys(making: mixed(1), after: .milliseconds(2_100)) == nil)
    #expect(keys(making: mixed(10), after: .milliseconds(2_900)) == [10])
  }

  @Test func `offers go round, and the newest is first`() {
    var news = ten()
    let now = Self.start
    #expect(news.offer(most: 9, at: now) == nil)
    #expect(news.offer(most: 10, at: now) == (1...10).reversed())
    news.noteOffered(4)
    #expect(news.offer(most: 10, at: now)?.first == 6)
    news.note(11, change: mixed(11), at: now)
    #expect(news.offer(most: 20, at: now)?.first == 11)
    #expect(news.offer(most: 20, at: now + .seconds(4)) == nil)
  }
}
