import MusterState

/// A twenty-four-byte nonce: sixteen random bytes, then the sender's counter.
package struct Nonce: Hashable, Sendable {
  package var random: Bytes16
  package var counter: UInt64

  package init(random: Bytes16, counter: UInt64) {
    self.random = random
    self.counter = counter
  }

  package var bytes: [UInt8] { random.bytes + Bytes16(high: 0, low: counter).bytes.suffix(8) }
}

/// A key for sealing; the protocol hands it back to the `Cryptography` it came from.
package struct SealingKey: Hashable, Sendable {
  package let bytes: Bytes32
  package init(_ bytes: Bytes32) { self.bytes = bytes }
}

/// Signs with this node's identity.
package protocol Signer: Sendable {
  var publicKey: PublicKey { get }
  /// An Ed25519 signature over exactly these bytes.
  func sign(_ message: [UInt8]) -> Signature
}

/// Checks anyone's signature.
package protocol Verifier: Sendable {
  func isValid(_ signature: Signature, of message: [UInt8], by key: PublicKey) -> Bool
}

/// Seals datagrams: XChaCha20-Poly1305 in the daemon, a cheap stand-in that is unforgeable inside
/// the simulation there.
package protocol Sealer: Sendable {
  /// The key that everyone with the cluster file holds.
  var clusterKey: SealingKey { get }
  /// The key for datagrams between this node and `peer`: a keyed BLAKE2b of `context` (which
  /// names the direction, both identities and both incarnations) under the X25519 secret that
  /// the two share and the cluster key. `nil` when `peer` is no valid key.
  func pairKey(with peer: PublicKey, context: [UInt8]) -> SealingKey?
  /// The ciphertext with its sixteen-byte tag behind it.
  func seal(
    _ plaintext: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]
  /// The plaintext, or `nil` when anything was changed or the key is another.
  func open(
    _ sealed: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]?
}

/// Names content.
package protocol Digester: Sendable {
  /// BLAKE2b-256.
  func digest(_ bytes: [UInt8]) -> Digest
  /// BLAKE2b-256 keyed with `key`: for cookies, and for fingerprints that outsiders cannot aim at.
  func digest(_ bytes: [UInt8], key: SealingKey) -> Digest
}

/// All that the protocol needs of cryptography. The daemon's conformer is libsodium; the
/// simulator has its own.
package typealias Cryptography = Signer & Verifier & Sealer & Digester

extension Digester {
  /// The short identity of a public key: see `NodeID`.
  package func nodeID(of key: PublicKey) -> NodeID {
    NodeID(digest(key.bytes.bytes).bytes.first)
  }
}
