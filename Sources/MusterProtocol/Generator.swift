import MusterState

/// The peer's one source of chance: xoshiro256** (Blackman and Vigna, 2018), seeded by the
/// configuration. It is our own, and whole numbers only, so that no library's change can change
/// a replay.
struct Generator: Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  init(seed: Bytes32) {
    state = (seed.first.high, seed.first.low, seed.second.high, seed.second.low)
    // All zeros is the one state that never leaves itself.
    if state == (0, 0, 0, 0) { state.0 = 0x9e37_79b9_7f4a_7c15 }
  }

  mutating func next() -> UInt64 {
    let result = rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotate(state.3, 45)
    return result
  }

  /// A number in `0..<bound`, without bias (Lemire, 2019).
  mutating func below(_ bound: UInt64) -> UInt64 {
    precondition(bound > 0, "there is no number below zero")
    while true {
      let product = next().multipliedFullWidth(by: bound)
      if product.low >= bound || product.low >= (0 &- bound) % bound { return product.high }
    }
  }

  mutating func span(_ range: ClosedRange<Int64>) -> TimeSpan {
    TimeSpan(
      nanoseconds: range.lowerBound
        + Int64(below(UInt64(range.upperBound - range.lowerBound) + 1)))
  }

  mutating func upTo(_ span: TimeSpan) -> TimeSpan { self.span(0...max(0, span.nanoseconds)) }

  mutating func bytes16() -> Bytes16 { Bytes16(high: next(), low: next()) }

  mutating func shuffle<Element>(_ list: inout [Element]) {
    guard list.count > 1 else { return }
    for index in stride(from: list.count - 1, to: 0, by: -1) {
      list.swapAt(index, Int(below(UInt64(index) + 1)))
    }
  }

  private func rotate(_ word: UInt64, _ count: UInt64) -> UInt64 {
    word << count | word >> (64 - count)
  }

}

/// Spreads the bits of a word (the finaliser of splitmix64): for orders that all peers share.
func mixed(_ word: UInt64) -> UInt64 {
  var value = word &+ 0x9e37_79b9_7f4a_7c15
  value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
  value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
  return value ^ value >> 31
}
