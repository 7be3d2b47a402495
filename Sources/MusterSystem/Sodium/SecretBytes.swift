import CSodium

/// Bytes that must not stay in memory: wiped when their owner goes.
///
/// The array inside is never handed out, so it has no second owner and no copy is made of it.
struct SecretBytes: ~Copyable, Sendable {
  private let bytes: [UInt8]

  /// Takes `count` bytes from `fill`, which writes every one of them.
  init(count: Int, fill: (inout [UInt8]) -> Void) {
    var bytes = [UInt8](repeating: 0, count: count)
    fill(&bytes)
    precondition(bytes.count == count, "a secret keeps its length")
    self.bytes = bytes
  }

  /// Lends the bytes to a call of libsodium; kept any longer they would turn to zeros.
  func lend<Result>(_ use: ([UInt8]) -> Result) -> Result { use(bytes) }

  deinit {
    unsafe bytes.withUnsafeBytes {
      unsafe sodium_memzero(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
    }
  }
}
