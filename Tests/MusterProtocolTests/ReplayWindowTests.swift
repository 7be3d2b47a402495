import Testing

@testable import MusterProtocol

@Suite struct ReplayWindowTests {
  @Test func `each counter is accepted once`() {
    var window = ReplayWindow()
    for counter in [UInt64(1), 2, 5, 4, 3] {
      #expect(window.allows(counter))
      window.record(counter)
      #expect(!window.allows(counter))
    }
  }

  @Test func `zero is no counter`() {
    #expect(!ReplayWindow().allows(0))
  }

  @Test func `a counter behind the window is refused`() {
    var window = ReplayWindow()
    window.record(2_000)
    #expect(window.allows(2_000 - 1_023))
    #expect(!window.allows(2_000 - 1_024))
  }

  @Test(arguments: [1, 63, 64, 65, 127, 128, 1_022, 1_023, 1_024, 1_025, 5_000] as [UInt64])
  func `a jump forgets what fell out and nothing else`(jump: UInt64) {
    var window = ReplayWindow()
    for counter in UInt64(1)...3_000 where counter % 3 != 0 { window.record(counter) }
    let newest = 2_999 + jump
    window.record(newest)
    for counter in 1...newest {
      let isInside = newest - counter < 1_024
      let isSeen = counter == newest || counter <= 3_000 && counter % 3 != 0
      #expect(window.allows(counter) == (isInside && !isSeen), "\(counter) after \(newest)")
    }
  }

  @Test func `the last counters there are do not trap`() {
    var window = ReplayWindow()
    window.record(.max - 1)
    #expect(window.allows(.max))
    window.record(.max)
    #expect(!window.allows(.max))
    #expect(!window.allows(.max - 1))
    #expect(window.allows(.max - 2))
  }
}
