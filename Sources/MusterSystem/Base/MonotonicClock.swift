import Glibc

/// The clock of leases and timers: it counts through SIGSTOP and suspend, and nobody sets it.
package enum MonotonicClock {
  /// Nanoseconds since the machine started (CLOCK_BOOTTIME).
  package static var nanoseconds: Int64 { read(CLOCK_BOOTTIME) }

  /// Nanoseconds since 1970 by the wall clock: for people and logs only, never compared.
  package static var wallNanoseconds: Int64 { read(CLOCK_REALTIME) }

  /// Stops this thread for so long: for commands that poll, never for the agent.
  package static func sleep(nanoseconds: Int64) {
    var time = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    _ = unsafe nanosleep(&time, nil)
  }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    let result = unsafe clock_gettime(clock, &time)
    precondition(result == 0, "the kernel has this clock")
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
