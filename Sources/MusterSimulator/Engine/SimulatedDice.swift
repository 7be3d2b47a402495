import MusterProtocol

/// The simulation's own chance: splitmix64, whole numbers only.
package struct SimulatedDice: Sendable {
  private var state: UInt64
  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }

  package mutating func below(_ bound: UInt64) -> UInt64 {
    next().multipliedFullWidth(by: bound).high
  }

  /// A length of time below `span`.
  package mutating func upTo(_ span: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: Int64(below(UInt64(max(1, span.nanoseconds)))))
  }

  /// The same in whole milliseconds, for people who read it.
  package mutating func within(_ span: TimeSpan) -> TimeSpan {
    .milliseconds(Int64(below(UInt64(max(1, span.milliseconds)))))
  }
}
