import CSodium

/// libsodium's functions that need no secret owner: checking, sealing, hashing, randomness.
package enum Sodium {
  package static let sealingKeyBytes = 32
  package static let nonceBytes = 24
  package static let tagBytes = 16
  package static let digestBytes = 32

  private static let initialised: Int32 = sodium_init()

  /// Prepares the library; every entry to it comes through here, and only the first does anything.
  static func start() {
    precondition(initialised >= 0, "libsodium found no source of randomness")
  }

  /// Whether `signature` is `publicKey`'s Ed25519 signature over exactly `message`.
  package static func isValid(
    signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]
  ) -> Bool {
    start()
    guard signature.count == SigningKey.signatureBytes,
      publicKey.count == SigningKey.publicKeyBytes
    else { return false }
    return unsafe crypto_sign_verify_detached(
      signature, message, UInt64(message.count), publicKey) == 0
  }

  /// XChaCha20-Poly1305 (IETF): the ciphertext with its sixteen-byte tag behind it.
  ///
  /// - Parameters:
  ///   - nonce: 24 bytes, never used twice with the same key.
  ///   - associated: bytes that are authenticated and not sent.
  package static func seal(
    _ plaintext: [UInt8], nonce: [UInt8], associated: [UInt8], key: [UInt8]
  ) -> [UInt8] {
    start()
    precondition(nonce.count == nonceBytes && key.count == sealingKeyBytes, "sizes of sealing")
    var sealed = [UInt8](repeating: 0, count: plaintext.count + tagBytes)
    _ = unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
      &sealed, nil, plaintext, UInt64(plaintext.count), associated, UInt64(associated.count), nil,
      nonce, key)
    return sealed
  }

  /// The plaintext of what `seal` made, or `nil` when anything differs.
  package static func open(
    _ sealed: [UInt8], nonce: [UInt8], associated: [UInt8], key: [UInt8]
  ) -> [UInt8]? {
    start()
    precondition(nonce.count == nonceBytes && key.count == sealingKeyBytes, "sizes of sealing")
    guard sealed.count >= tagBytes else { return nil }
    var plaintext = [UInt8](repeating: 0, count: sealed.count - tagBytes)
    let result = unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
      &plaintext, nil, nil, sealed, UInt64(sealed.count), associated, UInt64(associated.count),
      nonce, key)
    return result == 0 ? plaintext : nil
  }

  /// BLAKE2b-256, keyed when `key` is given (16 to 64 bytes).
  package static func digest(_ bytes: [UInt8], key: [UInt8]? = nil) -> [UInt8] {
    start()
    let key = key ?? []
    precondition(key.isEmpty || (16...64).contains(key.count), "a BLAKE2b key has 16 to 64 bytes")
    var digest = [UInt8](repeating: 0, count: digestBytes)
    _ = unsafe crypto_generichash(
      &digest, digestBytes, bytes, UInt64(bytes.count), key, key.count)
    return digest
  }

  package static func randomBytes(_ count: Int) -> [UInt8] {
    start()
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe randombytes_buf(&bytes, count)
    return bytes
  }

  package static func randomWord() -> UInt64 {
    randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Overwrites bytes that held a secret. The array must be its buffer's one owner.
  package static func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { unsafe sodium_memzero($0.baseAddress, $0.count) }
  }
}
