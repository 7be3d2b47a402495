import MusterProtocol
import MusterSystem

/// Notices that the clock of leases stood still, by the wall clock that did not: a virtual machine
/// that was frozen with its clock, and whose wall clock was set right afterwards.
package struct ClockWatch {
  /// Both clocks at once, in nanoseconds.
  package struct Reading: Hashable, Sendable {
    package var boot: Int64
    package var wall: Int64

    package init(boot: Int64, wall: Int64) {
      self.boot = boot
      self.wall = wall
    }

    /// A thread that is held up between the two readings reads again.
    package static var now: Reading {
      var before = MonotonicClock.nanoseconds
      for _ in 0..<3 {
        let wall = MonotonicClock.wallNanoseconds
        let after = MonotonicClock.nanoseconds
        if after - before < 50_000_000 { return Reading(boot: before, wall: wall) }
        before = after
      }
      return Reading(boot: before, wall: MonotonicClock.wallNanoseconds)
    }
  }

  /// What the wall clock may gain between two turns, by being set or slewed, without a word.
  package static let tolerance: Int64 = 1_000_000_000

  private var last: Reading

  package init(_ first: Reading) { last = first }

  /// How long the boot clock stood since the last reading; `nil` if it did not.
  package mutating func stood(at reading: Reading) -> TimeSpan? {
    let gain = (reading.wall - last.wall) - (reading.boot - last.boot)
    last = reading
    return gain > Self.tolerance ? TimeSpan(nanoseconds: gain) : nil
  }
}
