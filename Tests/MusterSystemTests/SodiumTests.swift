import MusterSystem
import Testing

/// Known answers where a standard gives them; otherwise what must not be possible.
@Suite struct SodiumTests {
  static func hex(_ text: String) -> [UInt8] {
    let digits = Array(text.utf8).map { $0 > 57 ? $0 - 87 : $0 - 48 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// RFC 8032, section 7.1, test 2.
  static let seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
  static let publicKey = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
  static let signature = hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")

  @Test func `a seed gives the standard's key and signature`() {
    let key = SigningKey(seed: Self.seed)
    #expect(key.publicKey == Self.publicKey)
    let signature = key.sign([0x72])
    #expect(signature == Self.signature)
    let seed = key.seed()
    #expect(seed == Self.seed)
  }

  @Test func `only the exact message, key and signature are valid`() {
    func isValid(_ signature: [UInt8], _ message: [UInt8], _ key: [UInt8]) -> Bool {
      Sodium.isValid(signature: signature, of: message, by: key)
    }
    #expect(isValid(Self.signature, [0x72], Self.publicKey))
    #expect(!isValid(Self.signature, [0x73], Self.publicKey))
    #expect(!isValid(Self.signature, [], Self.publicKey))
    #expect(!isValid(Self.signature.dropLast(), [0x72], Self.publicKey))
    #expect(!isValid(Self.signature, [0x72], SigningKey.generate().publicKey))
    for index in Self.signature.indices {
      var changed = Self.signature
      changed[index] ^= 1
      #expect(!isValid(changed, [0x72], Self.publicKey))
    }
  }

  /// Expectations cannot hold what has one owner.
  final class Owner {
    let key = SigningKey.generate()
    func shared(with publicKey: [UInt8]) -> [UInt8]? {
      let exchange = key.exchangeKey()
      return exchange.sharedSecret(withSigningKey: publicKey)
    }
  }

  @Test func `two nodes share a secret, and a third does not`() throws {
    let first = Owner()
    let second = Owner()
    let third = Owner()
    let shared = try #require(first.shared(with: second.key.publicKey))
    #expect(second.shared(with: first.key.publicKey) == shared)
    #expect(third.shared(with: first.key.publicKey) != shared)
  }

  @Test func `no secret is shared with what is no key`() {
    let owner = Owner()
    #expect(owner.shared(with: []) == nil)
    // The neutral element: anybody would share the same secret with it.
    #expect(owner.shared(with: [1] + [UInt8](repeating: 0, count: 31)) == nil)
    #expect(owner.shared(with: [UInt8](repeating: 255, count: 32)) == nil)
  }

  @Test func `what was sealed opens, and nothing else does`() {
    let key = Sodium.randomBytes(Sodium.sealingKeyBytes)
    let nonce = Sodium.randomBytes(Sodium.nonceBytes)
    let plaintext: [UInt8] = Array("all together".utf8)
    let sealed = Sodium.seal(plaintext, nonce: nonce, associated: [1, 2], key: key)
    #expect(sealed.count == plaintext.count + Sodium.tagBytes)
    func open(_ sealed: [UInt8], _ associated: [UInt8]) -> [UInt8]? {
      Sodium.open(sealed, nonce: nonce, associated: associated, key: key)
    }
    #expect(open(sealed, [1, 2]) == plaintext)
    #expect(open(sealed, [1, 3]) == nil)
    #expect(open(sealed.dropLast(), [1, 2]) == nil)
    #expect(open([], [1, 2]) == nil)
    for index in sealed.indices {
      var changed = sealed
      changed[index] ^= 128
      #expect(open(changed, [1, 2]) == nil)
    }
    let other = Sodium.open(
      sealed, nonce: nonce, associated: [1, 2], key: Sodium.randomBytes(Sodium.sealingKeyBytes))
    #expect(other == nil)
  }

  @Test func `nothing can be sealed and opened`() {
    let key = Sodium.randomBytes(32)
    let nonce = Sodium.randomBytes(24)
    let sealed = Sodium.seal([], nonce: nonce, associated: [], key: key)
    #expect(Sodium.open(sealed, nonce: nonce, associated: [], key: key) == [])
  }

  @Test func `digests are BLAKE2b with 256 bits`() {
    #expect(
      Sodium.digest([])
        == Self.hex("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"))
    let keyed = Sodium.digest([], key: [UInt8](repeating: 1, count: 32))
    #expect(keyed != Sodium.digest([]))
    #expect(keyed != Sodium.digest([], key: [UInt8](repeating: 2, count: 32)))
  }

  @Test func `random bytes differ, and wiping leaves zeros`() {
    #expect(Sodium.randomBytes(32) != Sodium.randomBytes(32))
    var bytes = Sodium.randomBytes(32)
    Sodium.wipe(&bytes)
    #expect(bytes == [UInt8](repeating: 0, count: 32))
  }
}
