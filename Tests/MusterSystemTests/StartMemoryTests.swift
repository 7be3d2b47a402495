import MusterSystem
import Testing

@Suite struct StartMemoryTests {
  @Test func `less is resident afterwards, and everything still works`() {
    let before = ProcessUsage.read().residentBytes
    StartMemory.giveBack()
    let after = ProcessUsage.read().residentBytes
    #expect(after < before - 1 << 20, "\(before) to \(after)")
    #expect((1...100).map { "\($0)" }.joined().count == 192)
    #expect(Sodium.digest([1]) != Sodium.digest([2]))
  }
}
