import MusterProtocol
import MusterState
import Testing

@Suite struct JournalTests {
  private static let configuration: PeerConfiguration = {
    PeerConfiguration(
      cluster: ClusterID(Bytes16(high: 1, low: 2)), clusterName: "demo", expect: 3,
      authority: PublicKey(Bytes32(first: Bytes16(high: 3, low: 4), second: .zero)), name: "ci/0",
      incarnation: Incarnation(counter: 7, boot: 9), isFreshIdentity: true,
      address: Address(v4: 0x7f00_0001, port: 7_946),
      join: [Address(v4: 0x7f00_0002, port: 1), Address(v4: 0x7f00_0003, port: 65_535)],
      usesMulticast: true, founds: false, software: "0.1", priority: 30,
      seed: Bytes32(first: .zero, second: Bytes16(high: 5, low: 6)))
  }()

  private static let header = JournalHeader(
    configuration: configuration, publicKey: PublicKey(.zero), durable: [1, 2, 3],
    startedAt: Instant(nanoseconds: -5), wallClock: 1_700_000_000_000_000_000,
    answers: [.digest(Digest(.zero))])

  private static let reference = ReleaseReference(
    version: "1.2", manifest: Digest(.zero), repair: 3)
  private static let node = NodeID(Bytes16(high: 8, low: 9))

  private static var status: LocalStatus {
    LocalStatus(
      verified: [reference],
      fetched: FetchOutcome(plan: PlanID(.zero), reference: reference, failure: "none"),
      progress: FetchProgress(received: 5, total: 0), running: reference, runningRole: .web,
      ready: true, reportedVersion: "1.2", failure: "broken", storage: "full",
      services: [ServiceStatus(name: "web", state: .ready, starts: 2)], stopMilliseconds: 7,
      offer: ReleaseOffer(port: 65_535, of: [reference]))
  }

  private static let recovery = Recovery(
    from: FoundingID(.zero), version: RegisterVersion(term: 4, count: 5), digest: Digest(.zero),
    to: FoundingID(Bytes16(high: 1, low: 1)), voter: node)

  private static let inputs: [Input] = [
    .start, .timer, .datagram([], from: Address(v4: 1, port: 2)),
    .datagram(Array(0...255), from: Address(host: Bytes16(high: 1, low: 2), port: 3)),
    .datagrams([], isMore: true),
    .datagrams(
      [
        Datagram([], from: Address(v4: 1, port: 2)),
        Datagram([7], from: Address(host: Bytes16(high: 1, low: 2), port: 3)),
      ], isMore: false),
    .persisted(ticket: 77), .persisted(ticket: 0), .status(LocalStatus()), .status(status),
    .clockStood(.milliseconds(1_500)), .command(.leave, ticket: 1),
    .command(.setOwn(key: "k", value: ""), ticket: 2),
    .command(.setCluster(key: "version", value: "1.2"), ticket: 3),
    .command(
      .addRelease(ReleaseSource(version: "../x", source: "y", archive: Digest(.zero))), ticket: 4),
    .command(.forget(node, authority: nil), ticket: 5),
    .command(.forget(node, authority: Signature(first: .zero, second: .zero)), ticket: 6),
    .command(.addRelease(Samples.mirroredUnnumbered), ticket: 20),
    .command(.removeRelease("2.0"), ticket: 21), .command(.repairRelease("2.0"), ticket: 22),
    .command(.upgrade("2.0", UpgradeOptions(batch: .percent(30), policy: .abort)), ticket: 24),
    .command(.releaseHold(authority: Signature(first: .zero, second: .zero)), ticket: 27),
    .command(.steer(.resume, nil), ticket: 25), .command(.steer(.abort, Samples.plan), ticket: 26),
    .command(.collect, ticket: 23), .command(.inspect("2.0"), ticket: 28),
    .command(.follow(Samples.mirroredUnnumbered), ticket: 29),
    .command(.stepDown(to: nil), ticket: 7),
    .command(.stepDown(to: node), ticket: 8),
    .command(.recover(recovery, force: true), ticket: 9),
  ]

  private static let answers: [CryptographyAnswer] = [
    .flag(true), .flag(false), .plaintext(nil), .plaintext([]), .plaintext([9, 8]),
    .signature(Signature(first: .zero, second: .zero)), .digest(Digest(.zero)),
  ]

  private static var journal: [UInt8] {
    var bytes = JournalFrame.mark + JournalFrame.header(header)
    for (index, input) in inputs.enumerated() {
      bytes += JournalFrame.turn(
        JournalTurn(
          now: Instant(nanoseconds: Int64(index) - 3), input: input, answers: answers,
          digest: UInt64(index) &* 0x9e37_79b9_7f4a_7c15))
    }
    return bytes
  }

  /// Every turn, as text, and how it ended.
  private func read(_ bytes: [UInt8]) throws -> (turns: [String], ending: String) {
    var reader = try JournalReader(bytes)
    var turns: [String] = []
    while true {
      switch try reader.next() {
      case .turn(let turn): turns.append("\(turn)")
      case .ending(let reason): return (turns, reason)
      case .torn: return (turns, "torn")
      case .damaged: return (turns, "damaged")
      case .end: return (turns, "end")
      }
    }
  }

  @Test func `every input comes back as it was`() throws {
    let (turns, ending) = try read(Self.journal)
    #expect(ending == "end")
    #expect(turns.count == Self.inputs.count)
    for (index, input) in Self.inputs.enumerated() {
      let turn = JournalTurn(
        now: Instant(nanoseconds: Int64(index) - 3), input: input, answers: Self.answers,
        digest: UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
      #expect(turns[index] == "\(turn)")
    }
  }

  @Test func `the header comes back as it was`() throws {
    let header = try JournalReader(Self.journal).header
    #expect("\(header)" == "\(Self.header)")
    let none = JournalHeader(
      configuration: Self.configuration, publicKey: PublicKey(.zero), durable: nil,
      startedAt: .zero, wallClock: 0, answers: [])
    let read = try JournalReader(JournalFrame.mark + JournalFrame.header(none)).header
    #expect(read.durable == nil)
  }

  @Test func `a closed journal says why`() throws {
    let bytes = Self.journal + JournalFrame.ending("it was full") + [1, 2, 3]
    #expect(try read(bytes).ending == "it was full")
  }

  @Test func `a journal cut anywhere is torn or whole, and what stands before the cut is read`()
    throws
  {
    let whole = Self.journal
    let all = try read(whole).turns
    let start = JournalFrame.mark.count + JournalFrame.header(Self.header).count
    for length in 0..<whole.count {
      let cut = Array(whole[..<length])
      guard length >= start else {
        #expect(throws: JournalError.self) { try JournalReader(cut) }
        continue
      }
      let (turns, ending) = try read(cut)
      #expect(ending == "torn" || ending == "end")
      #expect(turns == Array(all.prefix(turns.count)))
    }
  }

  @Test func `no changed byte passes for a record`() throws {
    let whole = Self.journal
    let all = try read(whole).turns
    let start = JournalFrame.mark.count + JournalFrame.header(Self.header).count
    for index in stride(from: start, to: whole.count, by: 3) {
      var changed = whole
      changed[index] ^= 0x41
      let (turns, ending) = try read(changed)
      #expect(ending == "torn" || ending == "damaged", "byte \(index)")
      #expect(turns == Array(all.prefix(turns.count)))
    }
  }

  @Test func `a turn of another version is an error, not a trap`() throws {
    // The right checksum over a content that is none.
    let bytes = Self.journal + JournalFrame.ending("x")
    let ending = JournalFrame.ending("x").count
    var reader = try JournalReader(Array(bytes.dropLast(ending)))
    while case .turn = try reader.next() {}
    for kind in 8...20 {
      let turn = JournalTurn(now: .zero, input: .timer, answers: [], digest: UInt64(kind))
      _ = try read(JournalFrame.mark + JournalFrame.header(Self.header) + JournalFrame.turn(turn))
    }
    #expect(throws: JournalError.noJournal) { try JournalReader(Array("hello".utf8)) }
    #expect(throws: JournalError.noHeader) {
      try JournalReader(JournalFrame.mark + JournalFrame.ending("x"))
    }
  }

  @Test func `a digest tells what was sealed, sent and said apart`() {
    func digest(_ effects: [Effect], _ plaintext: [UInt8] = []) -> UInt64 {
      var sealed = JournalDigest()
      sealed.addSealed(plaintext, nonce: Nonce(random: .zero, counter: 0), associated: [])
      return JournalDigest.turn(effects, sealed: sealed)
    }
    let address = Address(v4: 1, port: 1)
    let datagram = [UInt8](repeating: 7, count: 80)
    var resealed = datagram
    resealed[60] = 8
    var other = datagram
    other[20] = 8
    // The ciphertext cannot be made again without a key; everything else counts.
    #expect(digest([.send(datagram, to: address)]) == digest([.send(resealed, to: address)]))
    let all = [
      digest([]), digest([], [1]), digest([.send(datagram, to: address)]),
      digest([.send(other, to: address)]), digest([.send(datagram + [0], to: address)]),
      digest([.send(datagram, to: Address(v4: 1, port: 2))]), digest([.multicast(datagram)]),
      digest([.persist([1], ticket: 1)]), digest([.persist([1], ticket: 2)]),
      digest([.persist([2], ticket: 1)]), digest([.stop(.left)]), digest([.stop(.cloned)]),
      digest([.event(.leaderChanged(nil, term: 1))]),
      digest([.event(.leaderChanged(nil, term: 2))]),
      digest([.reply(ticket: 1, .done)]), digest([.reply(ticket: 2, .done)]),
      digest([.duty(Duty(term: 1))]), digest([.duty(Duty(term: 2))]),
    ]
    #expect(Set(all).count == all.count)
  }
}
