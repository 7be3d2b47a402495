import MusterState

/// Who is known to hold exactly the same state: a set of live members that travels on pings and
/// acknowledgements until it is complete, and costs nothing afterwards.
///
/// Members are positions in the sorted list of live ones, which two nodes with equal fingerprints
/// share; a set is only merged when the fingerprints are equal.
struct Agreement: Hashable, Sendable {
  /// The most members that can be counted one by one; beyond it only a sample is.
  static let members = 1_024
  static let bytes = members / 8

  private(set) var bits: [UInt8] = []

  init() {}

  /// Adds one position; returns whether it was new.
  @discardableResult
  mutating func insert(_ position: Int) -> Bool {
    guard position < Self.members else { return false }
    let byte = position / 8
    let bit: UInt8 = 1 << UInt8(position % 8)
    if bits.count <= byte {
      bits.append(contentsOf: repeatElement(0, count: byte + 1 - bits.count))
    }
    guard bits[byte] & bit == 0 else { return false }
    bits[byte] |= bit
    return true
  }

  /// Adds another set; returns whether anything was new.
  mutating func formUnion(_ other: [UInt8]) -> Bool {
    var isNew = bits.count < other.count
    if isNew { bits.append(contentsOf: repeatElement(0, count: other.count - bits.count)) }
    for index in other.indices where other[index] & ~bits[index] != 0 {
      bits[index] |= other[index]
      isNew = true
    }
    return isNew
  }

  /// Whether all of these positions are in the set.
  func holds(_ positions: Range<Int>) -> Bool {
    positions.allSatisfy { $0 / 8 < bits.count && bits[$0 / 8] & 1 << UInt8($0 % 8) != 0 }
  }

  /// How many of the first `limit` positions are in the set.
  func count(limit: Int) -> Int {
    var total = 0
    for index in bits.indices where index * 8 < limit {
      let inside = min(8, limit - index * 8)
      total += (bits[index] & UInt8(truncatingIfNeeded: 1 << inside - 1)).nonzeroBitCount
    }
    return total
  }
}
