import MusterDecisions
import MusterState

/// What the members of a cluster have in common that was founded, sealed and then left alone: one
/// set of tables for all of them, every record signed, the register with its certificate.
///
/// To form ten thousand members from nothing takes a simulation hours that prove nothing about
/// what comes after. This is a state that forming could have led to: see "Founding" and "Leader"
/// in `proto/README.md`. The smallest voter was elected in term 1, sealed the register as its
/// second version, and heard from all voters a moment ago.
package struct FormedState: Sendable {
  /// One member: what its daemon is given at its start.
  package struct Founder: Sendable {
    package var configuration: PeerConfiguration
    package var cryptography: any Cryptography

    package init(configuration: PeerConfiguration, cryptography: any Cryptography) {
      self.configuration = configuration
      self.cryptography = cryptography
    }

    var id: NodeID { cryptography.nodeID(of: cryptography.publicKey) }
  }

  /// The last heartbeat that everyone has answered.
  static let heartbeat: UInt64 = 100
  /// How long ago it was sent; less than `Timing.heartbeat`.
  static let heartbeatAge = TimeSpan.milliseconds(50)
  /// The version of every `coordination` record: a few were shown on the way.
  private static let coordinationVersion: UInt64 = 5

  let now: Instant
  /// Long enough ago that every member is stable.
  let formedAt: Instant
  let founders: [NodeID: Founder]
  let ids: [NodeID]
  let leader: NodeID
  let certificate: Certificate
  /// The founding entry, the leader's first, and the sealed one; oldest first.
  let entries: [RegisterEntry]
  /// The sealed entry as it is on every disk.
  private let written: [UInt8]
  private(set) var digests: [Digest] = []
  private(set) var chunks = ChunkStore()
  private(set) var store = RecordStore()
  private(set) var members = SortedTable<NodeID, Member>()
  private(set) var ring = SortedSet<NodeID>()
  private(set) var ringFingerprint: UInt64 = 0
  private(set) var overlay = Overlay()
  private(set) var senders = SortedTable<UInt64, NodeID>()
  private(set) var coordinationCards = CoordinationTable()
  private(set) var workCards = SharedTable<NodeID, WorkCard>()
  private(set) var agreement = AgreementState()
  private(set) var shownRoles: [NodeID: Role] = [:]

  var sealed: RegisterEntry { entries[2] }
  var voters: [NodeID] { sealed.body.voters }

  /// - Parameter members: at least two, alike in cluster and timing, each expecting so many.
  package init(_ members: [Founder], founding: FoundingID, at now: Instant) {
    precondition(members.count > 1, "a cluster of one is founded by hand")
    self.now = now
    let timing = members[0].configuration.timing
    formedAt = now - (timing.voterStable * 2 + .seconds(30))
    founders = Dictionary(members.map { ($0.id, $0) }) { _, _ in
      preconditionFailure("every member has an identity of its own")
    }
    ids = founders.keys.sorted()
    leader = ids[0]
    let odd = ids.count.isMultiple(of: 2) ? ids.count - 1 : ids.count
    let body = RegisterBody(
      founding: founding, promiseMilliseconds: UInt32(clamping: timing.promise.milliseconds),
      expect: members[0].configuration.expect,
      voters: Array(ids.prefix(min(odd, Limits.voters))),
      roster: Array(ids.prefix(Limits.roster)))
    certificate = Self.certificate(of: ids[0], body, founders)
    entries = Self.register(body, certificate, founders)
    written = entries[2].encoded
    keepRegister()
    keepRecords()
    keepMembers()
    agree()
  }

  private static func certificate(
    of leader: NodeID, _ body: RegisterBody, _ founders: [NodeID: Founder]
  ) -> Certificate {
    let votes = body.voters.prefix(body.majority).map { voter in
      Certificate.Vote(voter: voter, signature: vote(of: voter, for: leader, body, founders))
    }
    return Certificate(term: 1, leader: leader, votes: votes)
  }

  private static func vote(
    of voter: NodeID, for leader: NodeID, _ body: RegisterBody, _ founders: [NodeID: Founder]
  ) -> Signature {
    guard let founder = founders[voter] else { preconditionFailure("a voter is a member") }
    return founder.cryptography.sign(
      voteMessage(
        cluster: founder.configuration.cluster, founding: body.founding, term: 1,
        candidate: leader))
  }

  /// The founding entry, the same body under term 1, and the sealed body with its roles.
  private static func register(
    _ body: RegisterBody, _ certificate: Certificate, _ founders: [NodeID: Founder]
  ) -> [RegisterEntry] {
    guard let leader = founders[certificate.leader] else {
      preconditionFailure("a leader is a member")
    }
    var sealed = body
    sealed.sealed = true
    sealed.roles = body.roster.map { $0 == certificate.leader ? .web : .worker }
    var entries: [RegisterEntry] = []
    var parent: Digest?
    for (term, count, body) in [(0, 1, body), (1, 1, body), (1, 2, sealed)] {
      let entry = RegisterEntry.make(
        version: RegisterVersion(term: UInt64(term), count: UInt64(count)), parent: parent,
        body: body, certificate: term == 0 ? nil : certificate, proposer: certificate.leader,
        cluster: leader.configuration.cluster, signer: leader.cryptography)
      parent = ChunkTree.chunks(of: entry.encoded, digester: leader.cryptography).last?.name
      entries.append(entry)
    }
    return entries
  }

  private mutating func keepRegister() {
    guard let digester = founders[leader]?.cryptography else { return }
    for entry in entries {
      let tree = ChunkTree.chunks(of: entry.encoded, digester: digester)
      for chunk in tree { chunks.insert(chunk.name, chunk.bytes) }
      if let root = tree.last { digests.append(root.name) }
    }
    for (node, role) in zip(sealed.body.roster, sealed.body.roles) { shownRoles[node] = role }
  }

  private mutating func keepRecords() {
    var records: [(key: UInt64, record: Record, hash: UInt64)] = []
    for id in ids {
      guard let founder = founders[id] else { continue }
      for (name, version, content) in contents(of: id, founder) {
        let record = Record.make(
          author: id, incarnation: founder.configuration.incarnation, name: name,
          version: version, content: content, cluster: founder.configuration.cluster,
          signer: founder.cryptography)
        let key = recordKey(id, name, founder.cryptography)
        records.append((key, record, recordHash(key: key, stamp: record.stamp)))
      }
    }
    store = RecordStore(records)
    coordinationCards = CoordinationTable(
      sorted: ids.map { (key: $0, value: coordinationCard(of: $0)) })
    workCards = SharedTable(sorted: ids.map { (key: $0, value: WorkCard()) })
  }

  /// What a member has published: its card, where it stands, and that it has nothing to do yet.
  func contents(of id: NodeID, _ founder: Founder) -> [(RecordName, UInt64, [UInt8])] {
    [
      (.member, 1, memberCard(founder).encoded),
      (.coordination, Self.coordinationVersion, coordinationCard(of: id).encoded),
      (.work, 1, WorkCard().encoded),
    ]
  }

  private func memberCard(_ founder: Founder) -> MemberCard {
    MemberCard(
      key: founder.cryptography.publicKey, name: founder.configuration.name,
      address: founder.configuration.address, hasLeft: false,
      software: founder.configuration.software)
  }

  private func coordinationCard(of id: NodeID) -> CoordinationCard {
    let durable = durable(of: id)
    var card = CoordinationCard()
    card.founding = durable.founding
    card.term = durable.term
    card.vote = durable.vote
    card.voteSignature = durable.voteSignature
    card.register = RegisterPointer(version: sealed.version, digest: digests[2])
    card.committed = durable.committed
    card.role = id == leader ? .leader : .follower
    card.isFree = !voters.contains(id)
    card.certificate = id == leader ? certificate : nil
    card.expect = sealed.body.expect
    card.isSealed = true
    return card
  }

  /// What is on a member's disk.
  func durable(of id: NodeID) -> Durable {
    var durable = Durable()
    durable.founding = sealed.body.founding
    durable.term = 1
    if voters.contains(id) {
      durable.vote = leader
      durable.voteSignature = Self.vote(of: id, for: leader, sealed.body, founders)
    }
    durable.committed = sealed.version
    durable.entry = written
    durable.committedEntry = written
    return durable
  }

  private mutating func keepMembers() {
    var entries: [(key: NodeID, value: Member)] = []
    for id in ids {
      guard let founder = founders[id] else { continue }
      let incarnation = founder.configuration.incarnation
      entries.append(
        (
          id,
          Member(
            card: memberCard(founder),
            stamp: RecordStamp(counter: incarnation.counter, version: 1),
            incarnation: incarnation, state: .alive, since: formedAt)
        ))
      ringFingerprint &+= mixed(id.bytes.low)
    }
    members = SortedTable(sorted: entries)
    ring = SortedSet(sorted: ids)
    overlay = Overlay(ids)
    let hints = ids.map { (key: Envelope.hint(of: $0), value: $0) }
    senders = SortedTable(sorted: hints)
  }

  private mutating func agree() {
    agreement.fingerprint = store.fingerprint &+ ringFingerprint
    for position in 0..<min(ids.count, Agreement.members) { agreement.set.insert(position) }
    agreement.since = formedAt + .seconds(10)
    agreement.hasReported = true
    agreement.hasAnnounced = true
    agreement.change = formedAt + .seconds(10)
  }
}
