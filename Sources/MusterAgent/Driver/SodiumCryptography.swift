import MusterProtocol
import MusterState
import MusterSystem

/// The protocol's cryptography as the daemon has it: libsodium, with this node's identity and the
/// cluster's key.
///
/// The key between two nodes is
///
///     shared = X25519(own identity, peer's identity)          32 bytes, both sides the same
///     pair   = BLAKE2b-256(shared ‖ cluster key)
///     key    = BLAKE2b-256(context) keyed with pair
///
/// where both Ed25519 identities are first turned into their Curve25519 forms. The X25519 result
/// is only ever used hashed; the cluster key in it means that an identity alone opens nothing;
/// `context` names the direction, the identities and the incarnations, so each direction and each
/// life has a key of its own.
package final class SodiumCryptography: Signer, Verifier, Sealer, Digester {
  package let publicKey: PublicKey
  package let clusterKey: SealingKey
  private let identity: SigningKey
  private let exchange: ExchangeKey
  /// The pair of the last peer: both directions are asked for, one right after the other, and the
  /// curve is what they cost.
  private let lastPair = Guarded<(peer: PublicKey, pair: SealingKey)?>(nil)

  package init(identity: consuming SigningKey, clusterKey: SealingKey) {
    guard let publicKey = Bytes32(identity.publicKey) else {
      preconditionFailure("a public key has 32 bytes")
    }
    self.publicKey = PublicKey(publicKey)
    self.clusterKey = clusterKey
    exchange = identity.exchangeKey()
    self.identity = identity
  }

  package func sign(_ message: [UInt8]) -> Signature {
    guard let signature = Signature(identity.sign(message)) else {
      preconditionFailure("a signature has 64 bytes")
    }
    return signature
  }

  package func isValid(_ signature: Signature, of message: [UInt8], by key: PublicKey) -> Bool {
    Sodium.isValid(signature: signature.bytes, of: message, by: key.bytes.bytes)
  }

  package func pairKey(with peer: PublicKey, context: [UInt8]) -> SealingKey? {
    guard let pair = pair(with: peer) else { return nil }
    return Bytes32(Sodium.digest(context, key: pair.bytes.bytes)).map(SealingKey.init)
  }

  private func pair(with peer: PublicKey) -> SealingKey? {
    let known = lastPair.withLock { $0?.peer == peer ? $0?.pair : nil }
    if let known { return known }
    guard var shared = exchange.sharedSecret(withSigningKey: peer.bytes.bytes) else { return nil }
    var both = shared + clusterKey.bytes.bytes
    defer {
      Sodium.wipe(&shared)
      Sodium.wipe(&both)
    }
    guard let pair = Bytes32(Sodium.digest(both)).map(SealingKey.init) else { return nil }
    lastPair.withLock { $0 = (peer, pair) }
    return pair
  }

  package func seal(
    _ plaintext: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8] {
    Sodium.seal(plaintext, nonce: nonce.bytes, associated: associated, key: key.bytes.bytes)
  }

  package func open(
    _ sealed: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]? {
    Sodium.open(sealed, nonce: nonce.bytes, associated: associated, key: key.bytes.bytes)
  }

  package func digest(_ bytes: [UInt8]) -> Digest { Self.digest(bytes, key: nil) }

  package func digest(_ bytes: [UInt8], key: SealingKey) -> Digest {
    Self.digest(bytes, key: key.bytes.bytes)
  }

  private static func digest(_ bytes: [UInt8], key: [UInt8]?) -> Digest {
    guard let digest = Bytes32(Sodium.digest(bytes, key: key)) else {
      preconditionFailure("a digest has 32 bytes")
    }
    return Digest(digest)
  }
}
