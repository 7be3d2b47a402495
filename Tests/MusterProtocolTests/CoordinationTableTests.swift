import MusterState
import Testing

@testable import MusterProtocol

@Suite struct CoordinationTableTests {
  private func card(_ founding: UInt64?, _ role: ElectionRole) -> CoordinationCard {
    var card = CoordinationCard()
    card.founding = founding.map { FoundingID(Bytes16(high: $0, low: 0)) }
    card.role = role
    return card
  }

  @Test(arguments: 1...10)
  func `the table knows leaders, foundings and newer registers after any changes`(seed: UInt64) {
    var generator = Generator(
      seed: Bytes32(first: Bytes16(high: seed, low: 2), second: Bytes16(high: 3, low: 4)))
    var table = CoordinationTable()
    var model: [NodeID: CoordinationCard] = [:]
    let roles: [ElectionRole] = [.follower, .candidate, .leader]
    for _ in 0..<400 {
      let node = NodeID(Bytes16(high: generator.below(12), low: 0))
      let founding = generator.below(3)
      var new = card(founding == 0 ? nil : founding, roles[Int(generator.below(3))])
      let version = RegisterVersion(term: generator.below(4), count: generator.below(3))
      if version.term > 0 {
        new.register = RegisterPointer(version: version, digest: Digest(.zero))
      }
      let change = generator.below(4) == 0 ? nil : new
      table[node] = change
      model[node] = change
      #expect(table[node] == model[node])
      let leaders = model.filter { $0.value.role == .leader }.keys.sorted()
      #expect(Array(table.leaders) == leaders)
      let newest = model.values.compactMap(\.register?.version).max() ?? .none
      #expect(table.showsNewer(than: version) == (newest > version))
      let shown = Set(model.values.compactMap(\.founding))
      for own in [UInt64(1), 2, 9] {
        let founding = FoundingID(Bytes16(high: own, low: 0))
        #expect(table.showsOnly(founding) == shown.subtracting([founding]).isEmpty)
      }
    }
  }
}

@Suite struct AllowancesTests {
  private func node(_ number: Int) -> NodeID { NodeID(Bytes16(high: UInt64(number), low: 0)) }

  @Test func `an author has a burst, then five a second, whatever others do`() {
    var allowances = Allowances()
    /// How many of so many records of an author may be passed on.
    func spend(_ count: Int, of author: Int, at now: Instant) -> Int {
      (0..<count).count { _ in allowances.spend(of: node(author), at: now) }
    }
    var now = Instant.zero
    #expect(spend(25, of: 0, at: now) == Limits.forwardBurst)
    // A crowd of others makes the table look for what it can forget; the spender is none of it.
    for other in 1...600 { #expect(spend(1, of: other, at: now) == 1) }
    #expect(spend(1, of: 0, at: now) == 0)
    now = now + .milliseconds(200)
    #expect(spend(2, of: 0, at: now) == 1)
    now = now + .seconds(100)
    for other in 601...1_300 { #expect(spend(1, of: other, at: now) == 1) }
    #expect(spend(25, of: 0, at: now) == Limits.forwardBurst)
  }
}
