import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem
import Testing

@Suite struct DriverCryptographyTests {
  private let clusterKey = SealingKey(Bytes32(first: Bytes16(high: 1, low: 2), second: .zero))

  private func node(_ key: SealingKey? = nil) -> SodiumCryptography {
    SodiumCryptography(identity: SigningKey.generate(), clusterKey: key ?? clusterKey)
  }

  @Test func `both sides of a pair have the same key, and for each context another`() throws {
    let (a, b, c) = (node(), node(), node())
    let key = try #require(a.pairKey(with: b.publicKey, context: [1]))
    #expect(b.pairKey(with: a.publicKey, context: [1]) == key)
    #expect(b.pairKey(with: a.publicKey, context: [2]) != key)
    #expect(b.pairKey(with: a.publicKey, context: []) != key)
    #expect(c.pairKey(with: a.publicKey, context: [1]) != key)
    #expect(a.pairKey(with: PublicKey(.zero), context: [1]) == nil)
    #expect(a.pairKey(with: c.publicKey, context: [1]) != key, "another peer, the same context")
    #expect(a.pairKey(with: b.publicKey, context: [1]) == key)
  }

  @Test func `an identity without the cluster key opens nothing`() throws {
    let seed = Sodium.randomBytes(32)
    let peer = node()
    let inside = SodiumCryptography(identity: SigningKey(seed: seed), clusterKey: clusterKey)
    let outside = SodiumCryptography(
      identity: SigningKey(seed: seed), clusterKey: SealingKey(.zero))
    #expect(inside.publicKey == outside.publicKey)
    #expect(
      inside.pairKey(with: peer.publicKey, context: [])
        != outside.pairKey(with: peer.publicKey, context: []))
  }

  @Test func `the key is made exactly as documented`() throws {
    let (seed, other) = (Sodium.randomBytes(32), Sodium.randomBytes(32))
    let peer = SigningKey(seed: other).publicKey
    let exchange = SigningKey(seed: seed).exchangeKey()
    let shared = exchange.sharedSecret(withSigningKey: peer)
    let pair = Sodium.digest(try #require(shared) + clusterKey.bytes.bytes)
    let key = SodiumCryptography(identity: SigningKey(seed: seed), clusterKey: clusterKey)
      .pairKey(with: PublicKey(try #require(Bytes32(peer))), context: [7, 8])
    #expect(key?.bytes.bytes == Sodium.digest([7, 8], key: pair))
  }

  @Test func `signing, sealing and hashing are libsodium's`() throws {
    let (a, b) = (node(), node())
    let signature = a.sign([1, 2])
    #expect(b.isValid(signature, of: [1, 2], by: a.publicKey))
    #expect(!b.isValid(signature, of: [1, 3], by: a.publicKey))
    #expect(!b.isValid(signature, of: [1, 2], by: b.publicKey))
    let nonce = Nonce(random: Bytes16(high: 3, low: 4), counter: 5)
    let sealed = a.seal([9], nonce: nonce, associated: [1], key: clusterKey)
    #expect(sealed.count == 17)
    #expect(b.open(sealed, nonce: nonce, associated: [1], key: clusterKey) == [9])
    #expect(b.open(sealed, nonce: nonce, associated: [2], key: clusterKey) == nil)
    #expect(a.digest([1]).bytes.bytes == Sodium.digest([1]))
    #expect(a.digest([1], key: clusterKey) != a.digest([1]))
  }
}
