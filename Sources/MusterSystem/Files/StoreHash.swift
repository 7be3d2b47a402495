import CSodium

/// SHA-256 of bytes as they come: what release archives are published with everywhere.
package struct StoreHash: Sendable {
  private var state = crypto_hash_sha256_state()

  package init() { _ = unsafe crypto_hash_sha256_init(&state) }

  /// Adds the first `count` bytes.
  package mutating func add(_ bytes: [UInt8], count: Int) {
    precondition(count >= 0 && count <= bytes.count, "no more than there is")
    _ = unsafe crypto_hash_sha256_update(&state, bytes, UInt64(count))
  }

  /// The thirty-two bytes of the digest of everything added so far.
  package var value: [UInt8] {
    var copy = state
    var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
    _ = unsafe crypto_hash_sha256_final(&copy, &digest)
    return digest
  }

  package static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var hash = StoreHash()
    hash.add(bytes, count: bytes.count)
    return hash.value
  }
}
