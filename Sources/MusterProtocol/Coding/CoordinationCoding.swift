import MusterState

/// Where a node stands in the election. See `proto/README.md`, "Leader".
enum ElectionRole: UInt8, Hashable, Sendable {
  case follower = 0
  case candidate = 1
  case leader = 2
}

/// A register by version and name.
struct RegisterPointer: Hashable, Sendable {
  var version: RegisterVersion
  var digest: Digest
}

/// The content of the record `coordination`: everything that is counted together is this one
/// signed value, so that nobody ever reads half of it.
struct CoordinationCard: Hashable, Sendable {
  /// `nil` while the node is unfounded.
  var founding: FoundingID?
  var term: UInt64 = 0
  var vote: NodeID?
  /// Over `voteMessage`: it can stand in a certificate.
  var voteSignature: Signature?
  var register: RegisterPointer?
  var committed = RegisterVersion.none
  var role = ElectionRole.follower
  /// My promise and quarantine are over: an implicit pre-vote.
  var isFree = false
  /// The highest term that this node has resigned; 0: none.
  var resigned: UInt64 = 0
  /// With `role` leader: the votes that made it so.
  var certificate: Certificate?
  var expect: UInt32 = 0
  var isLeaving = false
  /// Whether the register it shows is sealed: decides which founding is the better one.
  var isSealed = false
  /// Who stands first for election, and votes first; 0: never leads.
  var priority = LeaderPriority.standard
  /// Whom the author wants elected in its place, with `resigned`.
  var successor: NodeID?
  /// How many recoveries its founding comes from: others look whether one of them is theirs.
  var recoveries: UInt32 = 0

  /// Whether nothing has changed in it but how far its author has come with the register.
  func isProgress(since old: CoordinationCard) -> Bool {
    guard role == .follower else { return false }
    var expected = old
    expected.register = register
    expected.committed = committed
    return expected == self
  }

  var encoded: [UInt8] {
    var writer = WireWriter()
    if let founding { writer.array(1, founding.bytes.bytes) }
    writer.unsigned(2, term)
    if let vote { writer.array(3, vote.bytes.bytes) }
    if let voteSignature { writer.array(4, voteSignature.bytes) }
    if let register {
      writer.unsigned(5, register.version.term)
      writer.unsigned(6, register.version.count)
      writer.array(7, register.digest.bytes.bytes)
    }
    writer.unsigned(8, committed.term)
    writer.unsigned(9, committed.count)
    writer.unsigned(10, UInt64(role.rawValue))
    writer.flag(11, isFree)
    writer.unsigned(12, resigned)
    if let certificate { writer.message(13) { certificate.write(to: &$0) } }
    writer.unsigned(14, UInt64(expect))
    writer.flag(15, isLeaving)
    writer.flag(16, isSealed)
    if priority != LeaderPriority.standard { writer.unsigned(20, UInt64(priority) + 1) }
    if let successor { writer.array(21, successor.bytes.bytes) }
    writer.unsigned(22, UInt64(recoveries))
    return writer.bytes
  }

  init() {}

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var version = RegisterVersion.none
    var digest: Digest?
    while let field = try reader.next() {
      switch field.tag {
      case 1: founding = FoundingID(try field.bytes16())
      case 2: term = try field.unsigned()
      case 3: vote = try field.node()
      case 4: voteSignature = try field.signature()
      case 5: version.term = try field.unsigned()
      case 6: version.count = try field.unsigned()
      case 7: digest = try field.digest()
      case 8: committed.term = try field.unsigned()
      case 9: committed.count = try field.unsigned()
      case 10:
        guard let role = ElectionRole(rawValue: UInt8(clamping: try field.unsigned())) else {
          throw .field(10)
        }
        self.role = role
      case 11: isFree = try field.flag()
      case 12: resigned = try field.unsigned()
      case 13: certificate = try Certificate(decoding: field.message)
      case 14: expect = try field.unsigned32()
      case 15: isLeaving = try field.flag()
      case 16: isSealed = try field.flag()
      case 20: priority = try LeaderPriority.decoded(field.unsigned())
      case 21: successor = try field.node()
      case 22: recoveries = try field.unsigned32()
      default: break
      }
    }
    if let digest { register = RegisterPointer(version: version, digest: digest) }
    // Terms near the end of their range would make the next one overflow.
    guard term < 1 << 62, version.term < 1 << 62, version.count < 1 << 62 else { throw .overflow }
  }
}

/// How much a node is wanted as leader.
package enum LeaderPriority {
  package static let standard: UInt8 = 100

  /// One more than the priority is written, and nothing for the standard one: a card of a daemon
  /// that knows no priorities means the standard one, and not *never leads*.
  static func decoded(_ value: UInt64) throws(WireError) -> UInt8 {
    guard value > 0 else { return standard }
    guard value <= 256 else { throw .field(20) }
    return UInt8(value - 1)
  }
}

/// What a vote signs: the founding, the term and the candidate, and nothing else.
func voteMessage(
  cluster: ClusterID, founding: FoundingID, term: UInt64, candidate: NodeID
) -> [UInt8] {
  signedMessage(
    "vote", cluster,
    founding.bytes.bytes + Bytes16(high: 0, low: term).bytes + candidate.bytes.bytes)
}
