import MusterProtocol
import MusterState

/// Cheap stand-ins for signatures and seals that cannot be forged inside a simulation, because
/// nothing in it knows `worldSecret` but this type.
package struct SimulatedCryptography: Cryptography {
  package let publicKey: PublicKey
  package let clusterKey: SealingKey
  private static let worldSecret: UInt64 = 0x6d75_7374_6572_2121

  package init(identity: UInt64, cluster: UInt64) {
    publicKey = PublicKey(Self.hash(Array("identity".utf8), identity))
    clusterKey = SealingKey(Self.hash(Array("cluster".utf8), cluster))
  }

  package func sign(_ message: [UInt8]) -> Signature {
    Self.signature(of: message, by: publicKey)
  }

  package func isValid(
    _ signature: Signature, of message: [UInt8], by key: PublicKey
  ) -> Bool {
    signature == Self.signature(of: message, by: key)
  }

  package func pairKey(with peer: PublicKey, context: [UInt8]) -> SealingKey? {
    let keys = [publicKey.bytes, peer.bytes].sorted()
    return SealingKey(
      Self.hash(context + keys[0].bytes + keys[1].bytes + clusterKey.bytes.bytes, 1))
  }

  package func seal(
    _ plaintext: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8] {
    plaintext + Self.tag(plaintext, nonce, associated, key)
  }

  package func open(
    _ sealed: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]? {
    guard sealed.count >= 16 else { return nil }
    let plaintext = Array(sealed.dropLast(16))
    return Self.tag(plaintext, nonce, associated, key) == Array(sealed.suffix(16))
      ? plaintext : nil
  }

  package func digest(_ bytes: [UInt8]) -> Digest { Digest(Self.hash(bytes, 2)) }

  package func digest(_ bytes: [UInt8], key: SealingKey) -> Digest {
    Digest(Self.hash(bytes, key.bytes.first.high ^ key.bytes.second.low))
  }

  private static func signature(of message: [UInt8], by key: PublicKey) -> Signature {
    let first = hash(message, worldSecret ^ key.bytes.first.high)
    return Signature(first: first, second: hash(first.bytes, key.bytes.second.low))
  }

  private static func tag(
    _ plaintext: [UInt8], _ nonce: Nonce, _ associated: [UInt8], _ key: SealingKey
  ) -> [UInt8] {
    let seed = key.bytes.first.low ^ nonce.random.high ^ nonce.counter &* 0x9e37_79b9
    return hash(associated + plaintext, worldSecret ^ seed ^ nonce.random.low).first.bytes
  }

  /// Four lanes of multiply and shift: far from cryptographic, close to free.
  private static func hash(_ bytes: [UInt8], _ seed: UInt64) -> Bytes32 {
    var lanes = (
      seed ^ 0x243f_6a88_85a3_08d3, seed ^ 0x1319_8a2e_0370_7344,
      seed ^ 0xa409_3822_299f_31d0, seed ^ 0x082e_fa98_ec4e_6c89
    )
    var word: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
      word = word << 8 | UInt64(byte)
      guard index % 8 == 7 || index == bytes.count - 1 else { continue }
      lanes.0 = (lanes.0 ^ word) &* 0x9e37_79b9_7f4a_7c15
      lanes.1 = (lanes.1 ^ lanes.0 >> 29) &+ word &* 0xbf58_476d_1ce4_e5b9
      lanes.2 = (lanes.2 ^ lanes.1 >> 31) &* 0x94d0_49bb_1331_11eb
      lanes.3 = (lanes.3 &+ lanes.2) ^ lanes.0 >> 17
      word = 0
    }
    lanes.0 ^= UInt64(bytes.count) &* 0xff51_afd7_ed55_8ccd
    for _ in 0..<2 {
      lanes.0 = (lanes.0 ^ lanes.3 >> 32) &* 0xc4ce_b9fe_1a85_ec53
      lanes.1 = (lanes.1 ^ lanes.0 >> 33) &* 0x9e37_79b9_7f4a_7c15
      lanes.2 = (lanes.2 ^ lanes.1 >> 31) &* 0xbf58_476d_1ce4_e5b9
      lanes.3 = (lanes.3 ^ lanes.2 >> 29) &* 0x94d0_49bb_1331_11eb
    }
    return Bytes32(
      first: Bytes16(high: lanes.0, low: lanes.1), second: Bytes16(high: lanes.2, low: lanes.3))
  }
}
