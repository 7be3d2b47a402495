import MusterSimulator
import MusterState

@testable import MusterProtocol

/// Values that vectors and tests are made of. They never change: the vectors on disk hold them.
enum Samples {
  static let cluster = ClusterID(Bytes16(high: 0x6d75_7374, low: 1))
  static let founding = FoundingID(Bytes16(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10))
  static let plan = PlanID(Bytes16(high: 0xa1a2_a3a4_a5a6_a7a8, low: 0xa9aa_abac_adae_afb0))
  static let keys = (1...7).map { SimulatedCryptography(identity: $0, cluster: 1) }
  static let nodes = keys.map { $0.nodeID(of: $0.publicKey) }
  static let incarnation = Incarnation(counter: 3, boot: 0xfeed_face_cafe_beef)
  static let nonce = Bytes16(high: 0x1011_1213_1415_1617, low: 0x1819_1a1b_1c1d_1e1f)
  static let source = ReleaseSource(
    version: "2.1.0", source: "https://releases.example/site-2.1.0.tar.gz",
    archive: digest("archive"))
  static let mirrored = ReleaseSource(
    version: "2.0.4", source: "https://releases.example/site-2.0.4.tar.gz",
    archive: digest("mirrored"),
    mirrors: ["https://a.example/site.tar.gz", "file:///srv/site.tar.gz"],
    signer: "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
    unpackedBytes: 90_000_000, repair: 2)
  /// As an operator gives it: numbers are the leader's.
  static var mirroredUnnumbered: ReleaseSource {
    var release = mirrored
    release.repair = 0
    return release
  }
  static let repair = ReleaseRepair(id: plan, term: 4, corrupt: old, failure: "no mirror answers")
  static let collection = ReleaseRemoval(
    id: plan, term: 4, version: "1.9.0", keep: [old, new], outcome: "removed 1.9.0-0123-0")
  static let old = ReleaseReference(version: "2.0.4", manifest: digest("old"), repair: 0)
  static let new = ReleaseReference(version: "2.1.0", manifest: digest("new"), repair: 1)

  static func digest(_ text: String) -> Digest { keys[0].digest(Array(text.utf8)) }

  static func card(_ index: Int, hasLeft: Bool = false, expect: UInt32 = 0) -> MemberCard {
    MemberCard(
      key: keys[index].publicKey, name: "ci/\(index)",
      address: Address(v4: 0x7f00_0001, port: UInt16(7_946 + index)), hasLeft: hasLeft,
      software: "1.0", expect: expect)
  }

  static func record(
    _ index: Int, _ name: RecordName, _ content: [UInt8], version: UInt64 = 5,
    incarnation: Incarnation = incarnation
  ) -> Record {
    Record.make(
      author: nodes[index], incarnation: incarnation, name: name, version: version,
      content: content, cluster: cluster, signer: keys[index])
  }

  static var memberRecord: Record { record(0, .member, card(0).encoded) }
  static var finding: Finding { Finding(subject: nodes[1], life: 3, stands: true) }

  static var suspicion: Suspicion {
    Suspicion(subject: nodes[1], stamp: RecordStamp(counter: 3, version: 5))
  }

  static func vote(_ voter: Int, for candidate: Int, term: UInt64) -> Signature {
    keys[voter].sign(
      voteMessage(
        cluster: cluster, founding: founding, term: term, candidate: nodes[candidate]))
  }

  static func certificate(term: UInt64, leader: Int, voters: [Int]) -> Certificate {
    let votes = voters.map {
      Certificate.Vote(voter: nodes[$0], signature: vote($0, for: leader, term: term))
    }
    return Certificate(
      term: term, leader: nodes[leader], votes: votes.sorted { $0.voter < $1.voter })
  }

  static var coordination: CoordinationCard {
    var card = CoordinationCard()
    card.founding = founding
    card.term = 4
    card.vote = nodes[0]
    card.voteSignature = vote(0, for: 0, term: 4)
    card.register = RegisterPointer(
      version: RegisterVersion(term: 4, count: 9), digest: digest("register"))
    card.committed = RegisterVersion(term: 4, count: 8)
    card.role = .leader
    card.isFree = true
    card.resigned = 2
    card.certificate = certificate(term: 4, leader: 0, voters: [0, 1])
    card.expect = 4
    card.isLeaving = true
    card.isSealed = true
    card.priority = 200
    card.successor = nodes[1]
    card.recoveries = 1
    return card
  }

  static var work: WorkCard {
    var card = WorkCard()
    card.plan = plan
    card.acknowledgement = .verified
    card.running = old
    card.role = .worker
    card.isReady = true
    card.reportedVersion = "2.0.4"
    card.failure = "the probe of site answers 503"
    card.storage = "ready"
    card.volume = StorageVolume(
      type: "nfs4", identifier: 0xfeed, totalBytes: 64_000_000_000, freeBytes: 12_500_000_000)
    card.progress = FetchProgress(received: 1_048_576, total: 8_388_608, rate: 524_288)
    card.corrupt = old
    card.stopMilliseconds = 12_000
    card.knowsWaves = true
    card.offer = ReleaseOffer(port: 7_947, of: [old, new])
    card.keepsOwnCopies = true
    card.index = "2.1.0 is the latest"
    card.inspected = InspectionVerdict(id: plan, isGood: false, text: "bin/site is missing")
    card.services = [
      ServiceStatus(name: "site", state: .ready, starts: 2),
      ServiceStatus(name: "mail", state: .stopped, starts: 0),
    ]
    return card
  }

  static var planValue: Plan {
    Plan(
      id: plan, term: 4, phase: .prepare, from: old, to: source, reference: new,
      participants: nodes[0..<4].sorted(), overtaken: [nodes[2]])
  }

  static var wavingPlan: Plan {
    var plan = planValue
    plan.waves = [0, 1, 2, 1]
    plan.wave = 1
    plan.policy = .abort
    plan.stopsFirst = true
    plan.isPaused = true
    return plan
  }

  static func body(voters: [Int] = [0, 1, 2]) -> RegisterBody {
    RegisterBody(
      founding: founding, promiseMilliseconds: 4_000, expect: 4,
      voters: voters.map { nodes[$0] }.sorted(), roster: nodes[0..<4].sorted(),
      forgotten: [nodes[6]], sealed: true, roles: [.worker, .web, .worker, .worker],
      settings: [Setting(key: "colour", value: "blå"), Setting(key: "version", value: "2.1.0")],
      releases: [mirrored, source], current: old, published: [old], plan: planValue,
      answers: [
        RequestAnswer(node: nodes[1], nonce: 3 << 32 | 1, refusal: ""),
        RequestAnswer(node: nodes[2], nonce: 3 << 32 | 7, refusal: "the node is alive"),
      ], failure: "the plan was given up", recoveries: [recovery],
      repair: repair, collection: collection,
      options: UpgradeOptions(batch: .percent(20), policy: .abort, stopsFirst: true),
      inspection: InspectionOrder(id: plan, release: old, isOver: true))
  }

  static var recovery: Recovery {
    var recovery = Recovery(
      from: FoundingID(Bytes16(high: 5, low: 6)), version: RegisterVersion(term: 3, count: 8),
      digest: digest("lost"), to: founding, voter: nodes[0],
      absorbed: [FoundingID(Bytes16(high: 7, low: 8))])
    recovery.signature = keys[5].sign(recovery.message(cluster: cluster))
    return recovery
  }

  static func entry(
    _ version: RegisterVersion, parent: Digest?, body: RegisterBody, certificate: Certificate?,
    proposer: Int = 0
  ) -> RegisterEntry {
    RegisterEntry.make(
      version: version, parent: parent, body: body, certificate: certificate,
      proposer: nodes[proposer], cluster: cluster, signer: keys[proposer])
  }

  static var registerEntry: RegisterEntry {
    entry(
      RegisterVersion(term: 4, count: 9), parent: digest("parent"), body: body(),
      certificate: certificate(term: 4, leader: 0, voters: [0, 1]))
  }

  static var foundingEntry: RegisterEntry {
    let body = RegisterBody(
      founding: founding, promiseMilliseconds: 4_000, expect: 4,
      voters: nodes[0..<3].sorted(), roster: nodes[0..<4].sorted())
    return entry(
      RegisterVersion(term: 0, count: 1), parent: nil, body: body, certificate: nil)
  }

  static var durable: Durable {
    var durable = Durable()
    durable.founding = founding
    durable.term = 4
    durable.vote = nodes[0]
    durable.voteSignature = vote(0, for: 0, term: 4)
    durable.committed = RegisterVersion(term: 0, count: 1)
    durable.entry = registerEntry.encoded
    durable.committedEntry = foundingEntry.encoded
    durable.relations = [Setting(key: "port", value: "8081")]
    durable.left = [Durable.LeftFounding(founding: founding, term: 2, vote: nil, isFinal: true)]
    return durable
  }

  /// A frame with every part in it: more than a node ever sends at once.
  static var frame: Frame {
    var frame = Frame()
    frame.ping = Frame.Ping(sequence: 300, fingerprint: 0x0123_4567_89ab_cdef, agreement: [7, 1])
    frame.acknowledgement = Frame.Ack(
      sequence: 299, fingerprint: 1, agreement: [], nextMilliseconds: 1_250)
    frame.indirectPing = Frame.IndirectPing(sequence: 12, subject: nodes[3])
    frame.indirectAck = Frame.IndirectAck(sequence: 13, subject: nodes[4])
    frame.records = [memberRecord, record(0, .suspicion(nodes[1]), suspicion.encoded)]
    frame.buckets = (0..<UInt64(Limits.buckets)).map { $0 &* 0x9e37_79b9_7f4a_7c15 }
    frame.digest = digestRange
    frame.wanted = [1, 1 << 63]
    frame.wantedChunks = [digest("one"), digest("two")]
    frame.chunks = [[0, 1, 2, 3], [0]]
    frame.heartbeat = Frame.Heartbeat(term: 4, number: 17)
    frame.promise = Frame.Heartbeat(term: 4, number: 16)
    frame.relayedHeartbeat = relayed(.heartbeat, number: 17)
    frame.relayedPromise = relayed(.promise, number: 16)
    return frame
  }

  /// Node 0 leads, node 1 votes.
  static func relayed(_ kind: RelayedBeat.Kind, number: UInt64) -> RelayedBeat {
    let beat = Frame.Heartbeat(term: 4, number: number)
    let message = RelayedBeat.message(
      kind, beat, leader: nodes[0], voter: nodes[1], cluster: cluster, founding: founding)
    return RelayedBeat(
      leader: nodes[0], voter: nodes[1], beat: beat,
      signature: keys[kind == .heartbeat ? 0 : 1].sign(message))
  }

  static var digestRange: StateDigest {
    StateDigest(
      first: 0, last: 1 << 58 - 1,
      entries: [
        StateDigest.Entry(key: 5, stamp: RecordStamp(counter: 3, version: 5)),
        StateDigest.Entry(key: 1 << 57, stamp: RecordStamp(counter: 300, version: 70_000)),
      ])
  }

  static var beacon: Contact.Beacon {
    var beacon = Contact.Beacon(
      key: keys[0].publicKey, incarnation: incarnation,
      signature: Signature(first: .zero, second: .zero))
    beacon.signature = keys[0].sign(signedMessage("beacon", cluster, beacon.signedPayload))
    return beacon
  }

  static func hello(cookie: Digest?) -> Contact.Hello {
    var hello = Contact.Hello(
      card: memberRecord, nonce: nonce, cookie: cookie, discovery: .multicast,
      signature: Signature(first: .zero, second: .zero))
    hello.signature = keys[0].sign(signedMessage("hello", cluster, hello.signedPayload))
    return hello
  }

  static func welcome(
    _ refusal: Contact.Refusal?, holder: NodeID? = nil, evidence: Record? = nil,
    introductions: [Record] = []
  ) -> Contact.Welcome {
    var welcome = Contact.Welcome(
      card: record(1, .member, card(1).encoded), nonce: nonce, refusal: refusal, holder: holder,
      evidence: evidence, introductions: introductions,
      signature: Signature(first: .zero, second: .zero))
    welcome.signature = keys[1].sign(signedMessage("welcome", cluster, welcome.signedPayload))
    return welcome
  }
}
