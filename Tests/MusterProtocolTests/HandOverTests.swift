import MusterState
import Testing

@testable import MusterProtocol

@Suite struct `A leader's priority` {
  @Test(arguments: 1...6)
  func `decides who stands first`(seed: UInt64) throws {
    for wanted in 0..<3 {
      var priorities: [UInt8] = [100, 100, 100]
      priorities[wanted] = 200
      var parley = try Parley(priorities: priorities, seed: seed)
      #expect(try parley.settle() == wanted)
    }
  }

  @Test func `of 0 votes and never leads, asked or not`() throws {
    var parley = try Parley(priorities: [0, 10, 0], seed: 3)
    #expect(try parley.settle() == 1)
    parley.run(for: .seconds(2))
    parley.tell(2, .command(.stepDown(to: parley.peers[0].id), ticket: 1))
    parley.tell(0, .command(.stepDown(to: nil), ticket: 2))
    parley.run(for: .seconds(2))
    guard case .refused(let first) = parley.replies[1],
      case .refused(let second) = parley.replies[2]
    else {
      Issue.record("\(parley.replies)")
      return
    }
    #expect(first.contains("its priority is 0"))
    #expect(second.contains("no other voter could lead"))
    #expect(parley.leaders == [1])
  }

  @Test func `above the leader's moves nothing that leads already`() throws {
    // The one with the higher priority starts when the others have been led for long.
    var parley = try Parley(priorities: [100, 100, 100], seed: 4)
    let leader = try parley.settle()
    let term = parley.peers[leader].durable.term
    parley.run(for: .seconds(60))
    #expect(parley.leaders == [leader])
    #expect(parley.peers[leader].durable.term == term)
  }

  @Test func `that is not shown is the standard one, and one beyond 255 is malformed`() throws {
    var card = CoordinationCard()
    #expect(try CoordinationCard(decoding: card.encoded).priority == 100)
    for priority in [0, 1, 99, 101, 255] as [UInt8] {
      card.priority = priority
      #expect(try CoordinationCard(decoding: card.encoded).priority == priority)
    }
    #expect(throws: WireError.field(20)) {
      try CoordinationCard(decoding: written { $0.unsigned(20, 257) })
    }
  }
}

@Suite struct `A leader that is asked to step down` {
  private func bench(_ seed: UInt64) throws -> (Parley, leader: Int) {
    var parley = try Parley(priorities: [100, 100, 100], seed: seed)
    let leader = try parley.settle()
    parley.run(for: .seconds(3))
    return (parley, leader)
  }

  @Test(arguments: 1...5)
  func `hands over to the named voter within two seconds, whoever is asked`(seed: UInt64) throws {
    for asked in 0..<3 {
      var (parley, leader) = try bench(seed)
      // The one that would be last by itself.
      let named = try #require(
        (0..<3).filter { $0 != leader }.max { parley.peers[$0].id < parley.peers[$1].id })
      let term = parley.peers[leader].durable.term
      parley.tell(asked, .command(.stepDown(to: parley.peers[named].id), ticket: 1))
      var isExclusive = true
      let took = parley.run(within: .seconds(5)) { parley in
        if parley.peers.count(where: \.hasValidLease) > 1 { isExclusive = false }
        return parley.replies[1] != nil
      }
      #expect(parley.replies[1] == .done)
      #expect(isExclusive)
      #expect(parley.leaders == [named])
      #expect(parley.peers[named].durable.term == term + 1)
      // At once: with its rank it would wait for longer than this.
      #expect(took ?? .seconds(9) < .milliseconds(150), "\(String(describing: took))")
    }
  }

  @Test(arguments: 1...5)
  func `lets whoever stands first take over, and does not stand itself`(seed: UInt64) throws {
    var (parley, leader) = try bench(seed)
    parley.tell((leader + 1) % 3, .command(.stepDown(to: nil), ticket: 1))
    let took = parley.run(within: .seconds(5)) { $0.replies[1] != nil }
    #expect(parley.replies[1] == .done)
    #expect(took ?? .seconds(9) < .seconds(2))
    #expect(parley.leaders.count == 1 && parley.leaders != [leader])
  }

  @Test func `waits for a promise before it stands again`() throws {
    var (parley, leader) = try bench(3)
    // For longer than a lease: the end of its leadership must not be taken for a lapse.
    parley.run(for: .seconds(3))
    parley.tell(leader, .command(.stepDown(to: nil), ticket: 1))
    parley.run(within: .seconds(2)) { $0.peers[leader].coordination.role == .follower }
    let peer = parley.peers[leader]
    #expect(peer.coordination.resigned == peer.durable.term)
    #expect(peer.coordination.holdOffUntil >= parley.now + peer.timing.promise - .milliseconds(5))
  }

  @Test func `refuses what cannot be, and says why`() throws {
    var (parley, leader) = try bench(7)
    let term = parley.peers[leader].durable.term
    parley.tell(leader, .command(.stepDown(to: parley.peers[leader].id), ticket: 1))
    parley.tell((leader + 1) % 3, .command(.stepDown(to: Samples.nodes[6]), ticket: 2))
    parley.run(for: .seconds(2))
    #expect(parley.replies[1] == .refused("the node leads already"))
    guard case .refused(let reason) = parley.replies[2] else {
      Issue.record("\(parley.replies)")
      return
    }
    #expect(reason.contains("does not vote"))
    #expect(parley.leaders == [leader])
    #expect(parley.peers[leader].durable.term == term)
  }

  @Test func `is not asked when nobody leads`() throws {
    var parley = try Parley(priorities: [100, 100, 100])
    parley.tell(1, .command(.stepDown(to: nil), ticket: 1))
    guard case .refused(let reason) = parley.replies[1] else {
      Issue.record("\(parley.replies)")
      return
    }
    #expect(reason.contains("nobody leads now"))
  }
}

@Suite struct `The picture of the leadership` {
  @Test func `says who promised what, on the leader and elsewhere`() throws {
    var parley = try Parley(priorities: [100, 100, 100], seed: 2)
    let leader = try parley.settle()
    parley.run(for: .seconds(3))
    let view = parley.peers[leader].view(at: parley.now).leadership
    guard case .elected(let votes) = view.basis else {
      Issue.record("\(String(describing: view.basis))")
      return
    }
    #expect(votes.count == 2 && view.majority == 2 && view.isEffective)
    #expect(view.voters.allSatisfy { $0.promisedTo == parley.peers[leader].id })
    #expect(view.voters.allSatisfy { $0.promiseRemaining ?? .zero > .seconds(3) })
    #expect(view.voters.allSatisfy { $0.holdsRegister && !$0.isFree && $0.state == .alive })
    #expect(view.obstacles == [])
    let lease = try #require(view.leaseRemaining)
    #expect(view.isLeader(guarantee: lease))
    #expect(!view.isLeader(guarantee: lease + TimeSpan(nanoseconds: 1)))
    let other = (leader + 1) % 3
    let seen = parley.peers[other].view(at: parley.now).leadership
    guard case .certified(let shown) = seen.basis else {
      Issue.record("\(String(describing: seen.basis))")
      return
    }
    #expect(shown == votes)
    #expect(!seen.isEffective && !seen.isLeader(guarantee: .zero))
    #expect(seen.promiseRemaining ?? .zero > .seconds(3))
    #expect(seen.voters.filter { $0.promisedTo != nil }.map(\.id) == [parley.peers[other].id])
  }

  @Test func `of a node that lost everybody says what an election waits for`() throws {
    var parley = try Parley(priorities: [100, 100, 100], seed: 2)
    _ = try parley.settle()
    parley.run(for: .seconds(3))
    var alone = parley.peers[0]
    var now = parley.now
    for _ in 0..<3_000 {
      now = now + .milliseconds(10)
      for effect in alone.handle(.timer, at: now) {
        if case .persist(_, let ticket) = effect {
          _ = alone.handle(.persisted(ticket: ticket), at: now)
        }
      }
    }
    let view = alone.view(at: now).leadership
    #expect(view.obstacles.count == 3, "\(view.obstacles)")
    #expect(view.obstacles.first == "2 of 3 voters must be alive and free; now: ci/0")
    #expect(
      view.obstacles.dropFirst().allSatisfy { $0.hasSuffix("is dead") || $0.contains("bound") })
  }
}
