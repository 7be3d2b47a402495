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

  mutating func insert(_ position: Int) {
    guard position < Self.members else { return }
    let byte = position / 8
    if bits.count <= byte {
      bits.append(contentsOf: repeatElement(0, count: byte + 1 - bits.count))
    }
    bits[byte] |= 1 << UInt8(position % 8)
  }

  /// Adds another set; returns whether anything was new.
  mutating func formUnion(_ other: [UInt8]) -> Bool {
    let before = bits
    if bits.count < other.count {
      bits.append(contentsOf: repeatElement(0, count: other.count - bits.count))
    }
    for index in other.indices { bits[index] |= other[index] }
    return bits != before
  }

  /// How many of the first `limit` positions are in the set.
  func count(limit: Int) -> Int {
    var total = 0
    for (index, byte) in bits.enumerated() {
      for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 && index * 8 + bit < limit { total += 1 }
    }
    return total
  }
}
