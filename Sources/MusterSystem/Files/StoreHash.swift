import CLinux
import CSodium

/// SHA-256 of bytes as they come: what release archives are published with everywhere.
package struct StoreHash: Sendable {
  private var state = crypto_hash_sha256_state()
  private let isFast: Bool

  /// Whether the processor has instructions for it, which libsodium makes no use of.
  package static let hasInstructions = muster_sha256_is_fast() != 0

  package init() { self.init(isFast: Self.hasInstructions) }

  package init(isFast: Bool) {
    self.isFast = isFast
    _ = unsafe crypto_hash_sha256_init(&state)
  }

  /// Adds the first `count` bytes.
  package mutating func add(_ bytes: [UInt8], count: Int) {
    precondition(count >= 0 && count <= bytes.count, "no more than there is")
    unsafe bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return }
      guard isFast else {
        _ = unsafe crypto_hash_sha256_update(&state, start, UInt64(count))
        return
      }
      // Whole blocks are ours; libsodium keeps what is before and behind them.
      let waiting = Int(state.count / 8 % 64)
      let before = min(count, (64 - waiting) % 64)
      _ = unsafe crypto_hash_sha256_update(&state, start, UInt64(before))
      let blocks = (count - before) / 64
      unsafe withUnsafeMutableBytes(of: &state.state) { words in
        if let first = unsafe words.assumingMemoryBound(to: UInt32.self).baseAddress {
          unsafe muster_sha256_blocks(first, start + before, blocks)
        }
      }
      state.count += UInt64(blocks) * 512
      let rest = before + blocks * 64
      _ = unsafe crypto_hash_sha256_update(&state, start + rest, UInt64(count - rest))
    }
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
