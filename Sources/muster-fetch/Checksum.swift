import CSodium

/// SHA-256 of bytes as they come.
struct Checksum {
  private var state = crypto_hash_sha256_state()

  init() { _ = unsafe crypto_hash_sha256_init(&state) }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let first = unsafe start.assumingMemoryBound(to: UInt8.self)
    _ = unsafe crypto_hash_sha256_update(&state, first, UInt64(bytes.count))
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
