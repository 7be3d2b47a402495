import MusterDecisions
import MusterState

/// One node of the mesh as a value: inputs and time go in, effects come out.
///
/// A peer never reaches for a clock, for chance, a socket or a file. The same configuration and
/// the same inputs at the same instants give the same effects, byte for byte, so that a recorded
/// journal replays a failure exactly. See `proto/README.md` for the protocol in prose.
package struct Peer: Sendable {
  let configuration: PeerConfiguration
  let cryptography: any Cryptography
  package let id: NodeID
  var timing: Timing { configuration.timing }

  /// The instant of the input being handled.
  var now: Instant
  let bornAt: Instant
  var generator: Generator
  package internal(set) var counters = Counters()
  var effects: [Effect] = []
  /// Set by `Effect.stop`; from then on nothing is answered.
  var isStopped = false
  /// When `Input.timer` is wanted next; `nil`: never.
  package internal(set) var deadline: Instant?

  var store = RecordStore()
  var members = SortedTable<NodeID, Member>()
  /// Live members (alive or suspect) and this node, sorted: the ring of observers.
  var ring = SortedSet<NodeID>() { didSet { suspicionAlarm = nil } }
  /// The sum over `ring`, kept with it.
  var ringFingerprint: UInt64 = 0
  var overlay = Overlay()
  var suspects: [NodeID] = [] { didSet { suspicionAlarm = nil } }
  /// Members believed dead: those that are greeted again and again.
  var dead = SortedSet<NodeID>()
  /// Accusations by subject, then accuser.
  var accusations: [NodeID: [NodeID: RecordStamp]] = [:] {
    didSet { if !plants(.staleAlarm) { suspicionAlarm = nil } }
  }
  var unfitness = Unfitness()
  /// `nil` when ring, suspects or accusations have changed since it was looked for.
  var suspicionAlarm: SuspicionAlarm?
  var sessions: [NodeID: Session] = [:]
  var senders = SortedTable<UInt64, NodeID>()
  var allowances = Allowances()
  var prober = Prober()
  var contacting: Contacting
  var outbox = Outbox()
  var ownVersions: [RecordName: UInt64] = [:]
  var ownContents: [RecordName: [UInt8]] = [:]
  var repair = Repair()
  var chunks = ChunkStore()
  var agreement = AgreementState()

  var coordinationCards = CoordinationTable()
  var workCards = SharedTable<NodeID, WorkCard>()
  var relations = SortedTable<NodeID, [Setting]>()
  var requests = SortedTable<NodeID, RequestCard>()
  var durable: Durable
  var coordination: Coordination
  var duty = Duty()
  var status = LocalStatus()
  var work = WorkState()
  var asking = Asking()
  var leaving = Leaving()

  /// - Parameter durable: what the last `Effect.persist` of this identity wrote; `nil` at first.
  /// - Throws: `PeerError.unreadableState` when `durable` is no state of this protocol.
  package init(
    configuration: PeerConfiguration, durable bytes: [UInt8]?, cryptography: any Cryptography,
    at now: Instant
  ) throws(PeerError) {
    self.configuration = configuration
    self.cryptography = cryptography
    id = cryptography.nodeID(of: cryptography.publicKey)
    self.now = now
    bornAt = now
    var generator = Generator(seed: configuration.seed)
    contacting = Contacting(
      secret: SealingKey(Bytes32(first: generator.bytes16(), second: generator.bytes16())))
    self.generator = generator
    if let bytes {
      do throws(WireError) {
        durable = try Durable(decoding: bytes)
      } catch {
        throw .unreadableState("\(error)")
      }
    } else {
      durable = Durable()
    }
    coordination = Coordination()
    coordination.quarantineUntil =
      configuration.isFreshIdentity ? now : now + configuration.timing.promise
    if plants(.noQuarantine) { coordination.quarantineUntil = now }
    deadline = earliestDeadline()
  }

  /// The one way in. Effects are to be carried out in order.
  package mutating func handle(_ input: Input, at now: Instant) -> [Effect] {
    precondition(now >= self.now, "time does not go back")
    guard !isStopped else { return [] }
    noteStall(at: now)
    self.now = now
    var isReading = false
    switch input {
    case .start: start()
    case .datagram(let bytes, let source): receive(bytes, from: source)
    case .datagrams(let waiting, let isMore):
      // All are read before any timer is looked at: what a verdict waits for may be the last.
      for datagram in waiting where !isStopped { receive(datagram.bytes, from: datagram.source) }
      isReading = isMore
    case .timer: break
    case .persisted(let ticket): persisted(ticket)
    case .command(let command, let ticket): obey(command, ticket: ticket)
    case .status(let status): take(status)
    case .clockStood(let span): clockStood(for: span)
    }
    if !isStopped {
      if !isReading { tick() }
      coordinate()
      flush()
    }
    deadline = earliestDeadline()
    let result = effects
    effects = []
    return result
  }

  /// What `deadline` is after a turn: looked for once, because the driver and the next turn both
  /// ask for it.
  mutating func earliestDeadline() -> Instant? {
    guard !isStopped else { return nil }
    var earliest: Instant?
    func consider(_ instant: Instant?) {
      guard let instant else { return }
      earliest = min(instant, earliest ?? instant)
    }
    consider(prober.deadline)
    consider(suspicionDeadline())
    consider(unfitness.nextLook)
    consider(contacting.deadline)
    consider(outbox.deadline)
    consider(repair.deadline)
    consider(agreement.deadline(after: repair.changedAt, settling: agreementSettling))
    consider(coordination.deadline)
    consider(work.deadline)
    consider(asking.deadline)
    consider(leaving.deadline)
    return earliest
  }

  /// Introduces this node: loads what is durable, publishes its records, begins to look around.
  private mutating func start() {
    adopt(
      card: ownCard(hasLeft: false),
      stamp: RecordStamp(counter: configuration.incarnation.counter, version: 0),
      incarnation: configuration.incarnation, via: nil)
    publish(.member, ownCard(hasLeft: false).encoded)
    loadDurable()
    publishRelations()
    startContacting()
  }

  /// Carries out everything whose time has come.
  private mutating func tick() {
    probeDue()
    judgeSuspects()
    leaveOutUnfit()
    contactDue()
    exchangeAgreement()
    repairDue()
    workDue()
    askingDue()
    leavingDue()
  }

  /// A turn that comes late has not been listening: verdicts that ran meanwhile are shifted by the
  /// delay, so that a starved node accuses nobody (Lifeguard, section IV: doubt yourself first).
  private mutating func noteStall(at next: Instant) {
    // What was due before the last turn was looked at in it: the delay is counted from there.
    guard let due = deadline.map({ max($0, now) }), next > due + timing.stallThreshold else {
      return
    }
    let delay = next - due
    prober.shift(by: delay, limit: next)
    prober.stalls.note(delay, at: next)
    for subject in suspects {
      guard let since = members[subject]?.suspectedAt else { continue }
      members[subject]?.suspectedAt = since + delay
      suspicionAlarm = nil
    }
  }

  func ownCard(hasLeft: Bool) -> MemberCard {
    MemberCard(
      key: cryptography.publicKey, name: configuration.name, address: configuration.address,
      hasLeft: hasLeft, software: configuration.software,
      expect: durable.founding == nil ? configuration.expect : 0)
  }

  mutating func emit(_ event: Event) { effects.append(.event(event)) }

  mutating func stop(_ reason: StopReason) {
    outbox.hurry()
    flush()
    effects.append(.stop(reason))
    isStopped = true
  }

  /// What people call a node; its short identity while no card is known.
  package func name(of node: NodeID) -> String { members[node]?.name ?? node.short }
}

/// Why a peer cannot be made from what it was given.
package enum PeerError: Error, Hashable, Sendable {
  /// The durable state is not of this protocol, or damaged; nothing was changed.
  case unreadableState(String)
}
