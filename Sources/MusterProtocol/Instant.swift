/// A point on the monotonic clock of one process, in nanoseconds since an origin of its own.
///
/// Values of two processes are never compared. The simulator starts at zero.
package struct Instant: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let zero = Instant(nanoseconds: 0)

  package static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  package static func + (instant: Instant, span: TimeSpan) -> Instant {
    Instant(nanoseconds: instant.nanoseconds + span.nanoseconds)
  }

  package static func - (instant: Instant, span: TimeSpan) -> Instant {
    Instant(nanoseconds: instant.nanoseconds - span.nanoseconds)
  }

  package static func - (later: Instant, earlier: Instant) -> TimeSpan {
    TimeSpan(nanoseconds: later.nanoseconds - earlier.nanoseconds)
  }
}

/// A length of time in whole nanoseconds: timers and decisions use no floating point.
package struct TimeSpan: Hashable, Comparable, Sendable {
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package static let zero = TimeSpan(nanoseconds: 0)
  package static func milliseconds(_ count: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: count * 1_000_000)
  }
  package static func seconds(_ count: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: count * 1_000_000_000)
  }

  package var milliseconds: Int64 { nanoseconds / 1_000_000 }

  package static func < (left: TimeSpan, right: TimeSpan) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
  package static func + (left: TimeSpan, right: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: left.nanoseconds + right.nanoseconds)
  }
  package static func - (left: TimeSpan, right: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: left.nanoseconds - right.nanoseconds)
  }
  package static func * (span: TimeSpan, factor: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: span.nanoseconds * factor)
  }
  package static func / (span: TimeSpan, divisor: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: span.nanoseconds / divisor)
  }
}
