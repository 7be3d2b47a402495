import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct `What is believed of a leader` {
  private func bench(_ seed: UInt64 = 21) throws -> (Parley, leader: Int) {
    var parley = try Parley(priorities: [100, 100, 100], seed: seed)
    let leader = try parley.settle()
    parley.run(for: .seconds(5))
    return (parley, leader)
  }

  private func claim(
    of index: Int, in parley: Parley, _ change: (inout CoordinationCard) -> Void
  ) throws -> CoordinationCard {
    let peer = parley.peers[index]
    var card = try #require(peer.coordinationCards[peer.id])
    card.role = .leader
    change(&card)
    return card
  }

  @Test func `an older register is not taken, though it was once asked for on trust`() throws {
    var (parley, leader) = try bench()
    let older = try #require(parley.peers[leader].coordination.entry)
    parley.tell(leader, .command(.setCluster(key: "colour", value: "blue"), ticket: 1))
    parley.run(for: .seconds(2))
    let newer = try #require(parley.peers[leader].coordination.entry)
    #expect(newer.version > older.version)
    parley.peers[leader].move(to: older)
    #expect(parley.peers[leader].coordination.entry == newer)
    #expect(parley.leaders == [leader])
  }

  @Test func `nobody is shown as leader without a certificate`() throws {
    var (parley, leader) = try bench()
    let liar = (leader + 1) % 3
    let witness = (leader + 2) % 3
    let card = try claim(of: liar, in: parley) { $0.term += 7 }
    parley.peers[witness].coordination.bound = nil
    parley.peers[witness].coordinationCards[parley.peers[liar].id] = card
    parley.peers[witness].coordination.isDirty = true
    parley.tell(witness, .timer)
    #expect(parley.peers[witness].leaderHint == parley.peers[leader].id)
    #expect(
      !parley.events.contains {
        if case .leaderChanged(parley.peers[liar].id, _) = $0.event { true } else { false }
      })
  }

  @Test func `a certificate is checked once, however often it is looked at`() throws {
    var (parley, leader) = try bench()
    let witness = (leader + 1) % 3
    parley.run(for: .seconds(2))
    let checked = parley.peers[witness].counters.signaturesVerified
    for _ in 0..<100 {
      parley.peers[witness].coordination.isDirty = true
      parley.tell(witness, .timer)
    }
    #expect(parley.peers[witness].counters.signaturesVerified == checked)
    #expect(parley.peers[witness].leaderHint == parley.peers[leader].id)
  }

  @Test func `a forged certificate is checked once, too, and stays one`() throws {
    var (parley, leader) = try bench()
    let liar = (leader + 1) % 3
    let witness = (leader + 2) % 3
    let term = parley.peers[witness].durable.term
    let card = try claim(of: liar, in: parley) { card in
      card.term = term + 1
      card.certificate = Certificate(
        term: term + 1, leader: parley.peers[liar].id,
        votes: [parley.peers[liar].id, parley.peers[witness].id].sorted().map {
          Certificate.Vote(voter: $0, signature: Samples.keys[3].sign([1]))
        })
    }
    parley.peers[witness].coordinationCards[parley.peers[liar].id] = card
    for _ in 0..<20 {
      parley.peers[witness].coordination.isDirty = true
      parley.tell(witness, .timer)
    }
    #expect(parley.peers[witness].durable.term == term)
    #expect(parley.peers[witness].leaderHint == parley.peers[leader].id)
    let question = Verdicts.Question(
      certificate: try #require(card.certificate), voters: parley.peers[witness].voters,
      founding: try #require(parley.peers[witness].durable.founding))
    #expect(parley.peers[witness].coordination.verdicts[question] == false)
  }

  @Test func `verdicts are bounded`() {
    var verdicts = Verdicts()
    func question(_ term: UInt64) -> Verdicts.Question {
      Verdicts.Question(
        certificate: Certificate(term: term, leader: Samples.nodes[0], votes: []), voters: [],
        founding: Samples.founding)
    }
    for term in 0..<UInt64(Limits.verdicts + 1) { verdicts.note(term > 0, of: question(term)) }
    #expect(verdicts[question(0)] == nil)
    #expect(verdicts[question(1)] == true)
    #expect(verdicts[question(UInt64(Limits.verdicts))] == true)
  }
}

@Suite struct `What is believed of a register` {
  private func bench() throws -> (Parley, leader: Int) {
    // Four members, three of which vote.
    var parley = try Parley(priorities: [100, 100, 100, 100], seed: 31)
    let leader = try parley.settle()
    parley.run(for: .seconds(5))
    return (parley, leader)
  }

  private func newer(than peer: Peer, by count: UInt64) throws -> RegisterPointer {
    var version = try #require(peer.coordination.entry).version
    version.count += count
    return RegisterPointer(version: version, digest: Samples.digest("newer \(count)"))
  }

  @Test func `a voter is believed about a newer one, and no other member alone`() throws {
    let (parley, _) = try bench()
    let outsider = try #require(
      parley.peers.first { peer in !parley.peers[0].voters.contains(peer.id) })
    var peer = try #require(parley.peers.first { $0.isVoter })
    let voter = try #require(peer.voters.first { $0 != peer.id })
    func show(_ node: NodeID, _ pointer: RegisterPointer) throws {
      var card = try #require(peer.coordinationCards[node])
      card.register = pointer
      peer.coordinationCards[node] = card
    }
    try show(outsider.id, try newer(than: peer, by: 500))
    #expect(peer.newestPointer == nil)
    let real = try newer(than: peer, by: 1)
    try show(voter, real)
    #expect(peer.newestPointer == real)
    // Alone with one member that is no voter, nothing is believed.
    for node in peer.voters where node != peer.id { peer.ring.remove(node) }
    #expect(peer.newestPointer == nil)
    // When half of the roster is in reach and says so, it is asked: the chain decides anyway.
    for node in peer.voters where node != peer.id {
      peer.ring.insert(node)
    }
    let late = try newer(than: peer, by: 2)
    for node in peer.ring where node != peer.id { try show(node, late) }
    #expect(peer.newestPointer == late)
  }

  @Test func `one of another founding than was asked for is not taken`() throws {
    var (parley, _) = try bench()
    var peer = parley.peers[0]
    let other = parley.peers[1]
    var body = try #require(other.coordination.entry).body
    body.founding = FoundingID(Bytes16(high: 4, low: 4))
    let entry = RegisterEntry.make(
      version: RegisterVersion(term: 900, count: 900), parent: nil, body: body, certificate: nil,
      proposer: other.id, cluster: Samples.cluster, signer: other.cryptography)
    let digest = peer.keep(tree: entry.encoded)
    let before = peer.durable
    peer.now = parley.now
    peer.fetch(
      RegisterPointer(version: entry.version, digest: digest),
      of: try #require(peer.durable.founding), from: [other.id], isTrusted: true)
    #expect(peer.durable == before)
    #expect(peer.coordination.fetching == nil)
    #expect(peer.coordination.unreachable[digest] != nil)
    parley.peers[0] = peer
  }

  @Test func `the largest that is proposed still fits with the largest certificate`() throws {
    let largest = Certificate(
      term: 1 << 62 - 1, leader: Samples.nodes[0],
      votes: Samples.nodes.prefix(Limits.voters / 2 + 1).sorted().map {
        Certificate.Vote(voter: $0, signature: Samples.keys[0].sign([1]))
      })
    func entry(_ size: Int, _ certificate: Certificate?, term: UInt64) -> RegisterEntry {
      var body = Samples.body()
      body.settings = [Setting(key: "filler", value: String(repeating: "x", count: size))]
      return Samples.entry(
        RegisterVersion(term: term, count: 1 << 62 - 1), parent: Samples.digest("p"), body: body,
        certificate: certificate)
    }
    // As much as a leader may propose without any certificate at all …
    var size = Limits.treeBytes - Limits.certificateMargin
    while entry(size, nil, term: 1).encoded.count > Limits.treeBytes - Limits.certificateMargin {
      size -= 1
    }
    // … its successor can stamp with the largest certificate and the largest term.
    #expect(entry(size, largest, term: 1 << 62 - 1).encoded.count <= Limits.treeBytes)
  }

  @Test func `more than fits is not proposed, and nothing breaks`() throws {
    var (parley, leader) = try bench()
    let entry = try #require(parley.peers[leader].coordination.entry)
    var body = entry.body
    // Filled by hand to just below the margin; one more answer does not fit.
    while true {
      var next = body
      next.releases.append(
        ReleaseSource(
          version: "v\(next.releases.count)", source: String(repeating: "s", count: 1_000),
          archive: Samples.digest("a")))
      let size = RegisterEntry.make(
        version: entry.version, parent: entry.parent, body: next, certificate: entry.certificate,
        proposer: entry.proposer, cluster: Samples.cluster,
        signer: parley.peers[leader].cryptography
      ).encoded.count
      if size > Limits.treeBytes - Limits.certificateMargin - 100 { break }
      body = next
    }
    body.failure = String(repeating: "f", count: 500)
    let full = RegisterEntry.make(
      version: entry.version, parent: entry.parent, body: body, certificate: entry.certificate,
      proposer: entry.proposer, cluster: Samples.cluster,
      signer: parley.peers[leader].cryptography)
    parley.peers[leader].adopt(full)
    parley.peers[leader].durable.committedEntry = full.encoded
    parley.peers[leader].coordination.committedEntry = full
    parley.peers[leader].coordination.wrote = parley.peers[leader].durable
    let version = try #require(parley.peers[leader].coordination.entry).version
    parley.tell(
      leader, .command(.setCluster(key: "k", value: String(repeating: "v", count: 500)), ticket: 1))
    parley.run(for: .milliseconds(400))
    #expect(parley.replies[1] == nil)
    #expect(parley.peers[leader].coordination.entry?.version == version)
    #expect(parley.peers[leader].hasValidLease)
  }
}

@Suite struct `Relation data` {
  @Test func `is shown to nobody before it is on disk`() throws {
    var parley = try Parley(priorities: [100, 100, 100], seed: 41)
    _ = try parley.settle()
    parley.run(for: .seconds(3))
    var peer = parley.peers[1]
    let effects = peer.handle(
      .command(.setOwn(key: "port", value: "8081"), ticket: 1), at: parley.now)
    #expect(peer.relations[peer.id] ?? [] == [])
    #expect(!effects.contains { if case .send = $0 { true } else { false } })
    var ticket: UInt64?
    for effect in effects { if case .persist(_, let asked) = effect { ticket = asked } }
    let after = peer.handle(.persisted(ticket: try #require(ticket)), at: parley.now)
    #expect(peer.relations[peer.id] == [Setting(key: "port", value: "8081")])
    #expect(after.contains { if case .send = $0 { true } else { false } })
    #expect(after.contains { if case .reply(1, .done) = $0 { true } else { false } })
  }
}
