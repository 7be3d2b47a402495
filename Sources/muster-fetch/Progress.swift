import Glibc

/// Says now and then how much has come, and how fast.
struct Progress {
  private var last = 0.0
  private var reported: UInt64 = 0
  /// Sizes of late, for the rate.
  private var samples: [(time: Double, size: UInt64)] = []

  /// The last line, when everything is there, is always printed.
  mutating func report(_ size: UInt64, of total: UInt64?) {
    let now = Self.seconds
    let isDue = now - last >= FetchLimits.progressSeconds
    guard size != reported, size == total || isDue else { return }
    last = now
    reported = size
    Report.line("progress \(size) \(total ?? 0) \(rate(of: size, at: now))")
  }

  private mutating func rate(of size: UInt64, at now: Double) -> UInt64 {
    samples.removeAll { now - $0.time > FetchLimits.rateSeconds || $0.size > size }
    samples.append((now, size))
    guard let first = samples.first, now > first.time else { return 0 }
    return UInt64(Double(size - first.size) / (now - first.time))
  }

  static var seconds: Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
