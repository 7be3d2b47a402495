import CSodium

/// An Ed25519 secret: who holds it is the node, or the operator. Wiped when its owner goes.
package struct SigningKey: ~Copyable, Sendable {
  package static let seedBytes = 32
  package static let publicKeyBytes = 32
  package static let signatureBytes = 64

  /// The 32 bytes that others check signatures with.
  package let publicKey: [UInt8]
  private let secret: SecretBytes

  /// - Parameter seed: 32 bytes that determine the key; the caller's copy is the caller's to wipe.
  package init(seed: [UInt8]) {
    precondition(seed.count == Self.seedBytes, "an Ed25519 seed has 32 bytes")
    Sodium.start()
    var publicKey = [UInt8](repeating: 0, count: Self.publicKeyBytes)
    secret = SecretBytes(count: Int(crypto_sign_SECRETKEYBYTES)) { secret in
      _ = unsafe crypto_sign_seed_keypair(&publicKey, &secret, seed)
    }
    self.publicKey = publicKey
  }

  /// A new key from the system's randomness.
  package static func generate() -> SigningKey {
    SigningKey(seed: Sodium.randomBytes(seedBytes))
  }

  /// A copy of the seed, for the one file that keeps it; the caller wipes it.
  package func seed() -> [UInt8] {
    var seed = [UInt8](repeating: 0, count: Self.seedBytes)
    secret.lend { _ = unsafe crypto_sign_ed25519_sk_to_seed(&seed, $0) }
    return seed
  }

  /// A detached signature, 64 bytes, over exactly these bytes.
  package func sign(_ message: [UInt8]) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: Self.signatureBytes)
    secret.lend {
      _ = unsafe crypto_sign_detached(&signature, nil, message, UInt64(message.count), $0)
    }
    return signature
  }

  /// The same identity for key agreement (X25519).
  package func exchangeKey() -> ExchangeKey {
    ExchangeKey(
      SecretBytes(count: Int(crypto_scalarmult_SCALARBYTES)) { scalar in
        secret.lend { _ = unsafe crypto_sign_ed25519_sk_to_curve25519(&scalar, $0) }
      })
  }
}

/// The X25519 form of an Ed25519 secret. Wiped when its owner goes.
package struct ExchangeKey: ~Copyable, Sendable {
  private let scalar: SecretBytes

  fileprivate init(_ scalar: consuming SecretBytes) { self.scalar = scalar }

  /// The 32 bytes that this key and the holder of `signingKey` share; not yet a key: hash it.
  ///
  /// - Returns: `nil` when `signingKey` is no valid Ed25519 public key or of small order.
  package func sharedSecret(withSigningKey signingKey: [UInt8]) -> [UInt8]? {
    guard signingKey.count == SigningKey.publicKeyBytes else { return nil }
    var point = [UInt8](repeating: 0, count: Int(crypto_scalarmult_BYTES))
    guard unsafe crypto_sign_ed25519_pk_to_curve25519(&point, signingKey) == 0 else { return nil }
    var shared = [UInt8](repeating: 0, count: Int(crypto_scalarmult_BYTES))
    let result = scalar.lend { unsafe crypto_scalarmult(&shared, $0, point) }
    return result == 0 ? shared : nil
  }
}
