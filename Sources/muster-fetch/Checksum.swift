import CLinux
import CSodium

/// SHA-256 of bytes as they come.
struct Checksum {
  private var state = crypto_hash_sha256_state()
  private static let hasInstructions = muster_sha256_is_fast() != 0

  init() { _ = unsafe crypto_hash_sha256_init(&state) }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let first = unsafe start.assumingMemoryBound(to: UInt8.self)
    guard Self.hasInstructions else {
      _ = unsafe crypto_hash_sha256_update(&state, first, UInt64(bytes.count))
      return
    }
    // Whole blocks by the processor's instructions; libsodium keeps what is before and behind.
    let waiting = Int(state.count / 8 % 64)
    let before = min(bytes.count, (64 - waiting) % 64)
    _ = unsafe crypto_hash_sha256_update(&state, first, UInt64(before))
    let blocks = (bytes.count - before) / 64
    unsafe withUnsafeMutableBytes(of: &state.state) { words in
      if let word = unsafe words.assumingMemoryBound(to: UInt32.self).baseAddress {
        unsafe muster_sha256_blocks(word, first + before, blocks)
      }
    }
    state.count += UInt64(blocks) * 512
    let rest = before + blocks * 64
    _ = unsafe crypto_hash_sha256_update(&state, first + rest, UInt64(bytes.count - rest))
  }

  /// The digest of what was added so far.
  var value: [UInt8] {
    var copy = state
    var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
    _ = unsafe crypto_hash_sha256_final(&copy, &digest)
    return digest
  }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}
