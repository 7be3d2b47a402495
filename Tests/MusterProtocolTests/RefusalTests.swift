import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// Tells a peer a datagram that it must refuse: dropped for this reason, counted once, and nothing
/// else about the peer is any different.
private func expectRefusal(
  _ reason: DropReason?, of datagram: [UInt8], by peer: Peer, at now: Instant,
  from source: Address = Bench.senderAddress, _ comment: Comment? = nil,
  _ place: SourceLocation = #_sourceLocation
) {
  var after = peer
  let effects = after.handle(.datagram(datagram, from: source), at: now)
  #expect(effects.others.isEmpty, comment, sourceLocation: place)
  let answers = effects.sent
  #expect(answers.count <= 1, comment, sourceLocation: place)
  #expect(answers.allSatisfy { $0.count <= datagram.count }, comment, sourceLocation: place)
  #expect(after.allDropped == peer.allDropped + 1, comment, sourceLocation: place)
  if let reason {
    #expect(
      after.counters.count(of: reason) == peer.counters.count(of: reason) + 1, comment,
      sourceLocation: place)
  }
  #expect(after.picture(at: now) == peer.picture(at: now), comment, sourceLocation: place)
}

/// Every beginning and every change of one byte is refused, and the datagram itself still counts.
private func expectNoNeighbour(
  of datagram: [UInt8], by peer: Peer, at now: Instant, from source: Address
) {
  let before = peer.picture(at: now)
  var after = peer
  var dropped = peer.allDropped
  func tell(_ bytes: [UInt8], _ what: String) {
    let effects = after.handle(.datagram(bytes, from: source), at: now)
    #expect(effects.others.isEmpty, "\(what)")
    dropped += 1
    #expect(after.allDropped == dropped, "\(what)")
  }
  for count in 0..<datagram.count { tell(Array(datagram[..<count]), "cut to \(count)") }
  for index in datagram.indices {
    for change in [0x01, 0x03, 0x80, 0xff] as [UInt8] {
      var bytes = datagram
      bytes[index] ^= change
      tell(bytes, "byte \(index) changed by \(change)")
    }
  }
  #expect(after.picture(at: now) == before)
  _ = after.handle(.datagram(datagram, from: source), at: now)
  #expect(after.allDropped == dropped, "the datagram itself was refused")
}

@Suite struct `Datagrams that are refused` {
  @Test func `between members: all that are cut or changed`() throws {
    var bench = try Bench()
    var frame = Frame()
    frame.ping = Samples.frame.ping
    frame.records = [bench.record(.data, [], version: 9)]
    let datagram = try bench.sealed(frame)
    expectNoNeighbour(
      of: datagram, by: bench.receiver, at: bench.now, from: Bench.senderAddress)
  }

  @Test func `at first contact: all that are cut or changed`() throws {
    let bench = try Bench()
    let said = try bench.introduction()
    let (now, address) = (bench.now, Bench.newcomerAddress)
    expectNoNeighbour(of: said.beacon, by: bench.receiver, at: now, from: address)
    expectNoNeighbour(of: said.hello, by: bench.receiver, at: now, from: address)
    expectNoNeighbour(of: said.helloWithCookie, by: bench.receiver, at: now, from: address)
    var newcomer = bench.newcomer
    _ = newcomer.handle(.start, at: now)
    expectNoNeighbour(of: said.challenge, by: newcomer, at: now, from: Bench.receiverAddress)
    _ = newcomer.handle(.datagram(said.challenge, from: Bench.receiverAddress), at: now)
    expectNoNeighbour(of: said.welcome, by: newcomer, at: now, from: Bench.receiverAddress)
  }

  @Test func `too long, too short, of another kind, of another cluster`() throws {
    let bench = try Bench()
    let said = try bench.introduction()
    let (peer, now) = (bench.receiver, bench.now)
    let long = said.hello + [UInt8](repeating: 0, count: Limits.datagramBytes)
    expectRefusal(.oversized, of: Array(long[..<(Limits.datagramBytes + 1)]), by: peer, at: now)
    expectRefusal(.unsealable, of: Array(long[..<Limits.datagramBytes]), by: peer, at: now)
    expectRefusal(.truncated, of: [], by: peer, at: now)
    expectRefusal(
      .truncated, of: Array(said.hello[..<(Envelope.overhead - 1)]), by: peer, at: now)
    expectRefusal(.unknownKind, of: [0x21] + said.hello.dropFirst(), by: peer, at: now)
    var foreign = try Bench.peer(
      identity: 78, cluster: ClusterID(Bytes16(high: 9, low: 9)), join: [Bench.receiverAddress],
      at: now)
    let begun = foreign.handle(.start, at: now)
    let hello = try #require(begun.sent.first)
    expectRefusal(.foreignCluster, of: hello, by: peer, at: now)
  }

  @Test func `sealed under another cluster key`() throws {
    let bench = try Bench()
    var stranger = try Bench.peer(
      identity: 78, clusterKey: 2, join: [Bench.receiverAddress], at: bench.now)
    let effects = stranger.handle(.start, at: bench.now)
    for datagram in effects.sent + effects.broadcast {
      expectRefusal(.unsealable, of: datagram, by: bench.receiver, at: bench.now)
    }
  }

  @Test func `sent a second time`() throws {
    var bench = try Bench()
    var frame = Frame()
    frame.heartbeat = Frame.Heartbeat(term: 0, number: 1)
    let datagram = try bench.sealed(frame)
    _ = bench.receiver.handle(.datagram(datagram, from: Bench.senderAddress), at: bench.now)
    expectRefusal(.replayed, of: datagram, by: bench.receiver, at: bench.now)
    let said = try bench.introduction()
    _ = bench.receiver.handle(.datagram(said.hello, from: Bench.newcomerAddress), at: bench.now)
    expectRefusal(.replayed, of: said.hello, by: bench.receiver, at: bench.now)
  }

  @Test func `reflected to their sender, or shown to somebody else`() throws {
    var bench = try Bench()
    let datagram = try bench.sealed(Samples.pingFrame)
    expectRefusal(.unknownSender, of: datagram, by: bench.sender, at: bench.now)
    _ = bench.newcomer.handle(.start, at: bench.now)
    expectRefusal(.unknownSender, of: datagram, by: bench.newcomer, at: bench.now)
  }

  @Test func `of a member's former life`() throws {
    var bench = try Bench()
    let datagram = try bench.sealed(Samples.pingFrame)
    var next = bench.receiver
    let card = bench.sender.ownCard(hasLeft: false)
    next.take(bench.record(.member, card.encoded, version: 1, counter: 9), from: nil)
    expectRefusal(.unsealable, of: datagram, by: next, at: bench.now)
  }

  @Test func `by a member that seals nonsense`() throws {
    var bench = try Bench()
    let session = bench.sender.session(with: bench.receiver.id)
    let counter = try #require(session).counter + 1
    let datagram = try bench.sealed(plaintext: [0x0b], counter: counter)
    expectRefusal(.malformed, of: datagram, by: bench.receiver, at: bench.now)
  }

  @Test func `by a member that counts to the end`() throws {
    var bench = try Bench()
    let dropped = bench.receiver.allDropped
    for counter in [UInt64.max - 1, .max] {
      let datagram = try bench.sealed(plaintext: [], counter: counter)
      _ = bench.receiver.handle(.datagram(datagram, from: Bench.senderAddress), at: bench.now)
    }
    #expect(bench.receiver.allDropped == dropped)
  }

  @Test func `with a cookie that was not given out`() throws {
    let bench = try Bench()
    var newcomer = bench.newcomer
    _ = newcomer.handle(.start, at: bench.now)
    let hello = newcomer.seal(.hello(Samples.hello(cookie: Samples.digest("guess"))))
    expectRefusal(
      .badCookie, of: hello, by: bench.receiver, at: bench.now, from: Bench.newcomerAddress)
    // The right cookie from another address is no better.
    let said = try bench.introduction()
    expectRefusal(.badCookie, of: said.helloWithCookie, by: bench.receiver, at: bench.now)
    let challenge = newcomer.seal(
      .challenge(nonce: Samples.nonce, cookie: Samples.digest("unasked")))
    expectRefusal(.badCookie, of: challenge, by: bench.receiver, at: bench.now)
    let welcome = newcomer.seal(.welcome(Samples.welcome(nil)))
    expectRefusal(.badCookie, of: welcome, by: bench.receiver, at: bench.now)
  }

  @Test func `signed by somebody else`() throws {
    let bench = try Bench()
    var newcomer = bench.newcomer
    _ = newcomer.handle(.start, at: bench.now)
    var beacon = Samples.beacon
    beacon.incarnation.counter += 1
    // It is looked at when its author is to be greeted, and then nobody is.
    let sealed = newcomer.seal(.beacon(beacon))
    var receiver = bench.receiver
    _ = receiver.handle(.datagram(sealed, from: Bench.newcomerAddress), at: bench.now)
    let sent = receiver.handle(.timer, at: bench.now + .milliseconds(500)).contains {
      if case .send(_, Bench.newcomerAddress) = $0 { true } else { false }
    }
    #expect(!sent && receiver.counters.count(of: .badSignature) == 1)
  }

  @Test func `under a name that somebody alive has`() throws {
    let bench = try Bench()
    var twin = try Bench.peer(
      identity: 79, name: bench.sender.configuration.name, join: [Bench.receiverAddress],
      at: bench.now)
    var receiver = bench.receiver
    let begun = twin.handle(.start, at: bench.now)
    let hello = try #require(begun.sent.first)
    let source = Bench.newcomerAddress
    let challenge = receiver.handle(.datagram(hello, from: source), at: bench.now).sent
    let again = twin.handle(
      .datagram(try #require(challenge.first), from: Bench.receiverAddress), at: bench.now)
    let before = receiver.picture(at: bench.now)
    let answer = receiver.handle(
      .datagram(try #require(again.sent.first), from: source), at: bench.now)
    #expect(receiver.counters.count(of: .nameTaken) == 1)
    #expect(receiver.picture(at: bench.now) == before)
    let end = twin.handle(
      .datagram(try #require(answer.sent.first), from: Bench.receiverAddress), at: bench.now)
    #expect(
      end.contains {
        if case .stop(.nameTaken(_, let holder)) = $0 { holder == bench.sender.id } else { false }
      })
  }

  @Test func `by strangers, beyond two hundred a second`() throws {
    let bench = try Bench()
    var receiver = bench.receiver
    var newcomer = bench.newcomer
    _ = newcomer.handle(.start, at: bench.now)
    for _ in 0..<(Limits.strangerAnswersPerSecond + 5) {
      let hello = newcomer.seal(.hello(Samples.hello(cookie: nil)))
      _ = receiver.handle(.datagram(hello, from: Bench.newcomerAddress), at: bench.now)
    }
    #expect(receiver.counters.count(of: .rateLimited) == 5)
  }
}

extension Samples {
  static var pingFrame: Frame {
    var frame = Frame()
    frame.ping = Self.frame.ping
    return frame
  }
}

@Suite struct `Records that are refused` {
  /// Has the sender pass on a record, and expects it to be dropped for this reason.
  private func expectDrop(_ reason: DropReason?, of record: Record, in bench: Bench) {
    var after = bench.receiver
    after.take(record, from: bench.sender.id)
    #expect(after.holdings == bench.receiver.holdings)
    #expect(after.allDropped == bench.receiver.allDropped + (reason == nil ? 0 : 1))
    if let reason {
      #expect(after.counters.count(of: reason) == bench.receiver.counters.count(of: reason) + 1)
    }
  }

  @Test func `forged by whoever passes them on`() throws {
    let bench = try Bench()
    let own = bench.record(.data, [], version: 50)
    let forged = Record(
      author: own.author, incarnation: own.incarnation, name: own.name, version: own.version,
      content: own.content, payload: own.payload,
      signature: Samples.keys[3].sign(own.payload))
    expectDrop(.badSignature, of: forged, in: bench)
  }

  @Test func `of another cluster, though the author's own`() throws {
    let bench = try Bench()
    let record = Record.make(
      author: bench.sender.id, incarnation: bench.sender.configuration.incarnation, name: .data,
      version: 50, content: [], cluster: ClusterID(.zero), signer: bench.senderKeys)
    expectDrop(.badSignature, of: record, in: bench)
  }

  @Test func `of another life than the author's card`() throws {
    let bench = try Bench()
    for counter in [UInt64(0), 2] {
      let record = bench.record(.data, [], version: 50, counter: counter)
      expectDrop(.staleIncarnation, of: record, in: bench)
    }
    let stranger = Samples.record(2, .data, [])
    expectDrop(.staleIncarnation, of: stranger, in: bench)
  }

  @Test func `with a card whose key is another's`() throws {
    let bench = try Bench()
    expectDrop(.malformed, of: Samples.record(2, .member, Samples.card(3).encoded), in: bench)
  }

  @Test func `beyond sixty-four names of one author`() throws {
    var bench = try Bench()
    var count = bench.receiver.store.records(of: bench.sender.id).count
    while count < Limits.recordsPerAuthor {
      let record = bench.record(.other("x/\(count)"), [], version: 1)
      bench.receiver.take(record, from: bench.sender.id)
      count += 1
    }
    expectDrop(.recordLimit, of: bench.record(.other("more"), [], version: 1), in: bench)
  }

  @Test func `of an author that signed two values for one version`() throws {
    var bench = try Bench()
    bench.receiver.take(bench.record(.other("x"), [1], version: 1), from: bench.sender.id)
    expectDrop(.equivocation, of: bench.record(.other("x"), [2], version: 1), in: bench)
    bench.receiver.take(bench.record(.other("x"), [2], version: 1), from: bench.sender.id)
    expectDrop(.equivocation, of: bench.record(.other("y"), [], version: 1), in: bench)
  }

  @Test func `accusing a card that nobody has seen`() throws {
    let bench = try Bench()
    let member = try #require(bench.receiver.members[bench.receiver.id])
    for version in [member.stamp.version + 1, .max] {
      let stamp = RecordStamp(counter: member.stamp.counter, version: version)
      let suspicion = Suspicion(subject: bench.receiver.id, stamp: stamp)
      let record = bench.record(
        .suspicion(bench.receiver.id), suspicion.encoded, version: version)
      expectDrop(nil, of: record, in: bench)
    }
  }

  @Test func `accusing this card are answered with a newer one`() throws {
    var bench = try Bench()
    let member = try #require(bench.receiver.members[bench.receiver.id])
    let suspicion = Suspicion(subject: bench.receiver.id, stamp: member.stamp)
    let record = bench.record(.suspicion(bench.receiver.id), suspicion.encoded, version: 1)
    bench.receiver.take(record, from: bench.sender.id)
    #expect(bench.receiver.members[bench.receiver.id]?.stamp ?? member.stamp > member.stamp)
    #expect(bench.receiver.accusations[bench.receiver.id] == nil)
    #expect(bench.receiver.counters.suspicionsRefuted == 1)
  }

  @Test func `forwarded too often wait for repair`() throws {
    var bench = try Bench()
    for version in UInt64(100)..<UInt64(100 + 2 * Limits.forwardBurst) {
      bench.receiver.take(bench.record(.other("x"), [], version: version), from: bench.sender.id)
    }
    #expect(bench.receiver.counters.count(of: .rateLimited) > 0)
    #expect(
      bench.receiver.holdings.contains { $0.hasSuffix(" x 1.\(99 + 2 * Limits.forwardBurst)") })
  }

  @Test func `heartbeats of a term that is over`() throws {
    var bench = try Bench()
    var frame = Frame()
    frame.heartbeat = Frame.Heartbeat(term: 0, number: 99)
    frame.promise = Frame.Heartbeat(term: 0, number: 99)
    let datagram = try bench.sealed(frame)
    let before = bench.receiver.picture(at: bench.now)
    _ = bench.receiver.handle(.datagram(datagram, from: Bench.senderAddress), at: bench.now)
    #expect(bench.receiver.counters.count(of: .staleTerm) == 2)
    #expect(bench.receiver.picture(at: bench.now) == before)
  }
}

@Suite struct `What was said once` {
  @Test func `a register taken after a long absence unsays no vote and no promise`() throws {
    var bench = try Bench()
    var peer = bench.receiver
    let entry = try #require(peer.coordination.entry)
    let later = RegisterEntry.make(
      version: RegisterVersion(term: entry.version.term + 3, count: 500),
      parent: Samples.digest("unknown"), body: entry.body,
      certificate: Certificate(
        term: entry.version.term + 3, leader: bench.sender.id, votes: []),
      proposer: bench.sender.id, cluster: Samples.cluster, signer: bench.senderKeys)
    peer.durable.term = entry.version.term + 5
    peer.durable.vote = bench.sender.id
    let promised = bench.now + .seconds(3)
    peer.coordination.boundUntil = promised
    let committed = peer.durable.committed
    peer.move(to: later)
    #expect(peer.coordination.entry == later)
    #expect(peer.durable.term == entry.version.term + 5)
    #expect(peer.durable.vote == bench.sender.id)
    #expect(peer.coordination.boundUntil == promised)
    #expect(peer.durable.committed == committed)
    bench.receiver.durable.term = 1
    bench.receiver.move(to: later)
    #expect(bench.receiver.durable.term == entry.version.term + 3)
    #expect(bench.receiver.durable.vote == nil)
  }

  @Test func `a status with the longest texts still fits a record`() throws {
    let text = String(repeating: "å", count: 600)
    var bench = try Bench()
    let services = (0..<9).map { index in
      ServiceStatus(
        name: String(repeating: "s", count: 63) + "\(index)", state: .ready, starts: .max)
    }
    let status = LocalStatus(
      progress: FetchProgress(received: .max, total: .max),
      running: ReleaseReference(
        version: String(repeating: "1", count: 64), manifest: Samples.digest(""), repair: .max),
      runningRole: Role(String(repeating: "r", count: 64)), ready: true, reportedVersion: text,
      failure: text, storage: text, services: services)
    _ = bench.receiver.handle(.status(status), at: bench.now)
    #expect(bench.receiver.workCards[bench.receiver.id]?.isReady == true)
  }

  @Test func `a late turn shifts a verdict by its delay, and no further`() throws {
    var bench = try Bench()
    let other = bench.sender.id
    bench.receiver.members[other]?.suspectedAt = bench.now
    bench.receiver.suspects = [other]
    bench.receiver.coordination.isDirty = true
    _ = bench.receiver.handle(.timer, at: bench.now + .milliseconds(400))
    let shifted = try #require(bench.receiver.members[other]?.suspectedAt)
    #expect(shifted - bench.now <= .milliseconds(400))
  }
}
