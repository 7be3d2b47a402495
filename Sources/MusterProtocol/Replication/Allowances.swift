import MusterState

/// How many records of each author may still be passed on at once: a token bucket for each, in
/// thousandths of a record. See "Dissemination" in `proto/README.md`.
///
/// Only buckets that are not full are kept: in a quiet cluster, whatever its size, there are none.
struct Allowances: Sendable {
  private struct Bucket: Sendable {
    var left: Int64
    var at: Instant
  }

  private static let full = Int64(Limits.forwardBurst) * 1_000
  private var buckets: [NodeID: Bucket] = [:]
  /// When to look for buckets that have filled up again.
  private var pruneAt = 256

  /// Takes one record from the author's allowance; `false` when there is none.
  mutating func spend(of author: NodeID, at now: Instant) -> Bool {
    var bucket = buckets[author] ?? Bucket(left: Self.full, at: now)
    let earned = Self.earned(bucket, at: now)
    if earned > 0 {
      bucket.left = min(bucket.left + earned, Self.full)
      bucket.at = now
    }
    let maySpend = bucket.left >= 1_000
    if maySpend { bucket.left -= 1_000 }
    buckets[author] = bucket
    if buckets.count > pruneAt {
      buckets = buckets.filter { $0.value.left + Self.earned($0.value, at: now) < Self.full }
      pruneAt = max(256, 2 * buckets.count)
    }
    return maySpend
  }

  private static func earned(_ bucket: Bucket, at now: Instant) -> Int64 {
    (now - bucket.at).milliseconds * Int64(Limits.forwardsPerSecond)
  }
}
