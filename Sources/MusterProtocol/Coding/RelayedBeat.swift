import MusterState

/// A heartbeat or a promise on its way through a relay: the author's signature covers everything,
/// so that a relay can pass it on or keep it, and nothing else.
struct RelayedBeat: Hashable, Sendable {
  /// Which of the two it is; one cannot be taken for the other.
  enum Kind: String {
    case heartbeat, promise
  }

  var leader: NodeID
  var voter: NodeID
  var beat: Frame.Heartbeat
  var signature: Signature

  /// What the signature covers: a promise of one founding means nothing in another.
  static func message(
    _ kind: Kind, _ beat: Frame.Heartbeat, leader: NodeID, voter: NodeID, cluster: ClusterID,
    founding: FoundingID
  ) -> [UInt8] {
    signedMessage(
      kind.rawValue, cluster,
      founding.bytes.bytes + leader.bytes.bytes + voter.bytes.bytes
        + Bytes16(high: beat.term, low: beat.number).bytes)
  }

  func write(to writer: inout WireWriter) {
    writer.array(1, leader.bytes.bytes)
    writer.array(2, voter.bytes.bytes)
    writer.unsigned(3, beat.term)
    writer.unsigned(4, beat.number)
    writer.array(5, signature.bytes)
  }

  init(leader: NodeID, voter: NodeID, beat: Frame.Heartbeat, signature: Signature) {
    self.leader = leader
    self.voter = voter
    self.beat = beat
    self.signature = signature
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var leader: NodeID?
    var voter: NodeID?
    var beat = Frame.Heartbeat(term: 0, number: 0)
    var signature: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: leader = try field.node()
      case 2: voter = try field.node()
      case 3: beat.term = try field.unsigned()
      case 4: beat.number = try field.unsigned()
      case 5: signature = try field.signature()
      default: break
      }
    }
    guard let leader else { throw .field(1) }
    guard let voter else { throw .field(2) }
    guard let signature else { throw .field(5) }
    self.init(leader: leader, voter: voter, beat: beat, signature: signature)
  }
}
