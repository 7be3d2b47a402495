import MusterState

/// Accepts each counter once, and none that is too far behind the newest: the sliding window of
/// RFC 6479, over `Limits.replayWindow` counters.
struct ReplayWindow: Hashable, Sendable {
  private var newest: UInt64 = 0
  private var words: [UInt64] = Array(repeating: 0, count: Limits.replayWindow / 64)

  /// Whether `counter` may still be new. Ask before opening a datagram, `record` after it.
  func allows(_ counter: UInt64) -> Bool {
    if counter > newest { return true }
    guard counter > 0, newest - counter < UInt64(Limits.replayWindow) else { return false }
    return words[word(counter)] >> (counter % 64) & 1 == 0
  }

  mutating func record(_ counter: UInt64) {
    if counter > newest {
      // Everything between the old newest and the new one has not been seen.
      if counter - newest >= UInt64(Limits.replayWindow) {
        for index in words.indices { words[index] = 0 }
      } else {
        for skipped in (newest + 1)...counter {
          words[word(skipped)] &= ~(1 << (skipped % 64))
        }
      }
      newest = counter
    }
    words[word(counter)] |= 1 << (counter % 64)
  }

  private func word(_ counter: UInt64) -> Int {
    Int(counter / 64 % UInt64(Limits.replayWindow / 64))
  }
}
