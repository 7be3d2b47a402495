import MusterState

/// What has changed here lately. See "Repair" in `proto/README.md`.
struct News: Sendable {
  private struct Item: Sendable {
    var key: UInt64
    /// What it has added to the fingerprint of all that this node knows.
    var change: UInt64
    var at: Instant
  }

  private static let span = TimeSpan.seconds(3)

  /// Oldest first.
  private var items: [Item] = []
  /// The next offer begins so many back from the newest.
  private var cursor = 0

  mutating func note(_ key: UInt64, change: UInt64, at now: Instant) {
    items.append(Item(key: key, change: change, at: now))
    if items.count > 2 * Limits.newsLossy { items.removeFirst(Limits.newsLossy) }
    // The newest is what most likely was missed.
    cursor = 0
  }

  /// Everything of late, beginning with what is on its turn; `nil`: nothing, or more than `most`.
  func offer(most: Int, at now: Instant) -> [UInt64]? {
    let fresh = items.suffix(most + 1).filter { now - $0.at < Self.span }
    guard !fresh.isEmpty, fresh.count <= most else { return nil }
    let keys = fresh.reversed().map(\.key)
    let first = cursor % keys.count
    return Array(keys[first...] + keys[..<first])
  }

  mutating func noteOffered(_ count: Int) { cursor += count }

  /// One or two changes that make `difference` together, none of them so new that it may still be
  /// on its way; `nil`: there are none. Sums of other changes are equal to it once in 2^64.
  func keys(making difference: UInt64, settling: TimeSpan, at now: Instant) -> [UInt64]? {
    let fresh = items.suffix(Limits.newsLossy).filter { now - $0.at < Self.span }
    func hasSettled(_ item: Item) -> Bool { now - item.at >= settling }
    if let one = fresh.last(where: { $0.change == difference }) {
      return hasSettled(one) ? [one.key] : nil
    }
    guard fresh.count > 1 else { return nil }
    var places: [UInt64: Int] = [:]
    for (place, item) in fresh.enumerated() {
      if let other = places[difference &- item.change] {
        let both = [item, fresh[other]]
        return both.allSatisfy(hasSettled) ? both.map(\.key) : nil
      }
      places[item.change] = place
    }
    return nil
  }
}
