import MusterProtocol
import MusterState

/// Cheap stand-ins for signatures and seals that cannot be forged inside a simulation, because
/// nothing in it knows `worldSecret` but this type.
package struct SimulatedCryptography: Cryptography {
  package let publicKey: PublicKey
  package let clusterKey: SealingKey
  private static let worldSecret: UInt64 = 0x6d75_7374_6572_2121

  /// Whose signature operators' decisions carry.
  package static let authority = SimulatedCryptography(identity: 999, cluster: 1)

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
    var sealed: [UInt8] = []
    sealed.reserveCapacity(plaintext.count + 16)
    sealed.append(contentsOf: plaintext)
    Self.tag(plaintext.span, nonce, associated, key).append(to: &sealed)
    return sealed
  }

  package func open(
    _ sealed: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]? {
    guard sealed.count >= 16 else { return nil }
    let length = sealed.count - 16
    let tag = Self.tag(sealed.span.extracting(0..<length), nonce, associated, key)
    guard tag == Bytes16(sealed.span.extracting(length..<sealed.count)) else { return nil }
    return Array(sealed[..<length])
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
    _ plaintext: Span<UInt8>, _ nonce: Nonce, _ associated: [UInt8], _ key: SealingKey
  ) -> Bytes16 {
    let seed = key.bytes.first.low ^ nonce.random.high ^ nonce.counter &* 0x9e37_79b9
    var lanes = Lanes(seed: worldSecret ^ seed ^ nonce.random.low)
    lanes.absorb(associated.span)
    lanes.absorb(plaintext)
    return lanes.digest().first
  }

  private static func hash(_ bytes: [UInt8], _ seed: UInt64) -> Bytes32 {
    var lanes = Lanes(seed: seed)
    lanes.absorb(bytes.span)
    return lanes.digest()
  }
}

/// Four lanes of multiply and shift: far from cryptographic, close to free.
private struct Lanes {
  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private var pending: UInt64 = 0
  private var count = 0

  init(seed: UInt64) {
    lanes = (
      seed ^ 0x243f_6a88_85a3_08d3, seed ^ 0x1319_8a2e_0370_7344,
      seed ^ 0xa409_3822_299f_31d0, seed ^ 0x082e_fa98_ec4e_6c89
    )
  }

  /// Takes bytes as if all that are ever taken were one string.
  mutating func absorb(_ bytes: Span<UInt8>) {
    var index = 0
    while index < bytes.count {
      if count % 8 == 0, bytes.count - index >= 8 {
        mix(word(bytes, at: index))
        index += 8
        count += 8
        continue
      }
      pending = pending << 8 | UInt64(bytes[index])
      index += 1
      count += 1
      if count % 8 == 0 {
        mix(pending)
        pending = 0
      }
    }
  }

  private mutating func mix(_ word: UInt64) {
    lanes.0 = (lanes.0 ^ word) &* 0x9e37_79b9_7f4a_7c15
    lanes.1 = (lanes.1 ^ lanes.0 >> 29) &+ word &* 0xbf58_476d_1ce4_e5b9
    lanes.2 = (lanes.2 ^ lanes.1 >> 31) &* 0x94d0_49bb_1331_11eb
    lanes.3 = (lanes.3 &+ lanes.2) ^ lanes.0 >> 17
  }

  consuming func digest() -> Bytes32 {
    if count % 8 != 0 { mix(pending) }
    lanes.0 ^= UInt64(count) &* 0xff51_afd7_ed55_8ccd
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
