import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct `A recovery` {
  private func bench(_ seed: UInt64 = 11) throws -> Parley {
    var parley = try Parley(priorities: [100, 100, 100], seed: seed)
    _ = try parley.settle()
    parley.run(for: .seconds(5))
    return parley
  }

  private func recovery(
    on index: Int, in parley: Parley, signer: SimulatedCryptography = Parley.authority,
    _ change: (inout Recovery) -> Void = { _ in }
  ) throws -> Recovery {
    let peer = parley.peers[index]
    var recovery = Recovery(
      from: try #require(peer.durable.founding),
      version: try #require(peer.coordination.entry).version,
      digest: try #require(peer.coordination.digest),
      to: FoundingID(Bytes16(high: .max, low: 1)), voter: peer.id)
    change(&recovery)
    recovery.signature = signer.sign(recovery.message(cluster: Samples.cluster))
    return recovery
  }

  private func refusal(_ recovery: Recovery, in parley: Parley) -> String {
    var parley = parley
    let before = parley.peers[0].durable
    parley.tell(0, .command(.recover(recovery, force: true), ticket: 1))
    parley.run(for: .milliseconds(50))
    guard case .refused(let reason) = parley.replies[1] else { return "\(parley.replies)" }
    #expect(parley.peers[0].durable == before)
    return reason
  }

  @Test func `counts only with the authority's signature over all of it`() throws {
    let parley = try bench()
    let stranger = SimulatedCryptography(identity: 4, cluster: 1)
    #expect(
      refusal(try recovery(on: 0, in: parley, signer: stranger), in: parley)
        .contains("not signed by this cluster's authority"))
    var changed = try recovery(on: 0, in: parley)
    changed.to = FoundingID(Bytes16(high: .max, low: 2))
    #expect(refusal(changed, in: parley).contains("not signed"))
    changed = try recovery(on: 0, in: parley)
    changed.absorbed = [FoundingID(Bytes16(high: 3, low: 3))]
    #expect(refusal(changed, in: parley).contains("not signed"))
  }

  @Test func `is for one node, one founding and one register`() throws {
    let parley = try bench()
    let other = FoundingID(Bytes16(high: 3, low: 3))
    #expect(
      refusal(try recovery(on: 1, in: parley), in: parley).contains("another node"))
    #expect(
      refusal(try recovery(on: 0, in: parley) { $0.from = other }, in: parley)
        .contains("another founding"))
    #expect(
      refusal(try recovery(on: 0, in: parley) { $0.version.count += 1 }, in: parley)
        .contains("the register has changed"))
    #expect(
      refusal(try recovery(on: 0, in: parley) { $0.digest = Samples.digest("x") }, in: parley)
        .contains("the register has changed"))
  }

  @Test func `shows nothing before it is on disk, and keeps the vote it leaves behind`() throws {
    let parley = try bench()
    var peer = parley.peers[0]
    let (old, term, vote) = (peer.durable.founding, peer.durable.term, peer.durable.vote)
    let recovery = try recovery(on: 0, in: parley)
    let effects = peer.handle(
      .command(.recover(recovery, force: true), ticket: 1), at: parley.now)
    #expect(peer.coordinationCards[peer.id]?.founding == old)
    #expect(
      !effects.contains { if case .reply = $0 { true } else { false } }, "done before it is durable"
    )
    var ticket: UInt64?
    for effect in effects { if case .persist(_, let asked) = effect { ticket = asked } }
    _ = peer.handle(.persisted(ticket: try #require(ticket)), at: parley.now)
    let left = try #require(peer.durable.left.last)
    #expect(left.founding == old && left.term == term && left.vote == vote && left.isFinal)
    #expect(peer.durable.term >= term + Peer.termLeap)
    #expect(try Durable(decoding: peer.durable.encoded) == peer.durable)
    #expect(try #require(old).description != "" && peer.isAbandoned(try #require(old)))
  }

  @Test func `ends a plan, keeps what runs, and asks for the version again`() throws {
    let parley = try bench()
    var peer = parley.peers[0]
    let entry = try #require(peer.coordination.entry)
    var body = entry.body
    body.plan = Samples.planValue
    body.current = Samples.old
    body.settings = [Setting(key: "version", value: "2.1.0")]
    peer.adopt(
      RegisterEntry.make(
        version: entry.version, parent: entry.parent, body: body, certificate: entry.certificate,
        proposer: peer.id, cluster: Samples.cluster, signer: peer.cryptography))
    var bench = parley
    bench.peers[0] = peer
    bench.run(for: .milliseconds(5))
    let order = try recovery(on: 0, in: bench)
    bench.tell(0, .command(.recover(order, force: true), ticket: 1))
    bench.run(for: .milliseconds(20))
    let next = try #require(bench.peers[0].committedBody)
    #expect(bench.replies[1] == .done)
    #expect(next.plan == nil && next.current == Samples.old)
    #expect(next.failure.contains("set the version again"))
    #expect(next.sealed && next.roster == body.roster)
    #expect(next.voters == [peer.id])
    #expect(next.recoveries == [order])
  }

  /// A member that has moved to a founding of its own making, and shows it.
  private func liar(
    in parley: inout Parley, _ forge: (Recovery) -> [Recovery]
  ) throws {
    var peer = parley.peers[2]
    let order = try recovery(
      on: 2, in: parley, signer: SimulatedCryptography(identity: 4, cluster: 1))
    var body = try #require(peer.coordination.entry).body
    body.founding = order.to
    body.voters = [peer.id]
    body.recoveries = forge(order)
    let root = RegisterEntry.make(
      version: RegisterVersion(term: 1 << 30, count: 99), parent: peer.coordination.digest,
      body: body, certificate: nil, proposer: peer.id, cluster: Samples.cluster,
      signer: peer.cryptography)
    peer.move(to: root)
    peer.coordination.isDirty = true
    parley.peers[2] = peer
    parley.tell(2, .timer)
  }

  @Test func `that the authority did not sign is counted, and nobody follows`() throws {
    var parley = try bench()
    let founding = parley.peers[0].durable.founding
    try liar(in: &parley) { [$0] }
    parley.run(for: .seconds(20))
    for index in 0..<2 {
      #expect(parley.peers[index].durable.founding == founding)
      #expect(parley.peers[index].counters.count(of: .badSignature) == 1)
      #expect(
        parley.events.contains {
          if case .clusterConflict = $0.event { $0.node == index } else { false }
        })
    }
  }

  @Test func `of another founding leads nobody away`() throws {
    var parley = try bench()
    let founding = parley.peers[0].durable.founding
    // Truly signed, but it continues something else.
    let signed = try recovery(on: 2, in: parley) {
      $0.from = FoundingID(Bytes16(high: 3, low: 3))
    }
    try liar(in: &parley) { _ in [signed] }
    parley.run(for: .seconds(20))
    for index in 0..<2 {
      #expect(parley.peers[index].durable.founding == founding)
      #expect(parley.peers[index].counters.count(of: .badSignature) == 0)
    }
  }

  @Test func `that leads to another founding than it is shown with leads nobody away`() throws {
    var parley = try bench()
    let founding = parley.peers[0].durable.founding
    // The authority's own word about another successor, put under a founding of one's own.
    let signed = try recovery(on: 2, in: parley) {
      $0.to = FoundingID(Bytes16(high: .max, low: 77))
    }
    try liar(in: &parley) { _ in [signed] }
    parley.run(for: .seconds(20))
    #expect(parley.peers[0].durable.founding == founding)
    #expect(parley.peers[1].durable.founding == founding)
  }
}
