import MusterSystem
import Testing

@Suite struct StoreHashTests {
  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
  }

  @Test func `a known digest is the published one`() {
    for isFast in [false, StoreHash.hasInstructions] {
      var hash = StoreHash(isFast: isFast)
      hash.add(Array("abc".utf8), count: 3)
      #expect(
        hash.value.prefix(8) == [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea])
    }
  }

  @Test(.enabled(if: StoreHash.hasInstructions))
  func `the processor's instructions give what libsodium gives, however bytes come`() {
    let pieces = [0, 1, 63, 64, 65, 127, 128, 129, 55, 56, 119, 1_000, 4_096, 100_003]
    for first in pieces {
      for second in pieces {
        var fast = StoreHash(isFast: true)
        var plain = StoreHash(isFast: false)
        for count in [first, second, 17] {
          let bytes = Self.bytes(count + 3)
          fast.add(bytes, count: count)
          plain.add(bytes, count: count)
        }
        #expect(fast.value == plain.value, "\(first) and \(second) bytes")
      }
    }
  }
}
