/// One message of the reference, with the size that it has in its usual coding: maps with the
/// names of all fields, one byte for the kind, node names of eight bytes, IPv4 addresses.
package enum ReferenceMessage: Hashable, Sendable {
  case ping(sequence: UInt32)
  case indirectPing(sequence: UInt32, subject: UInt16, wantsNack: Bool)
  case ack(sequence: UInt32)
  case nack(sequence: UInt32)
  case alive(UInt16, incarnation: UInt32)
  case suspect(UInt16, incarnation: UInt32, by: UInt16)
  case dead(UInt16, incarnation: UInt32, by: UInt16)
  case user(UInt32)

  package var bytes: Int {
    switch self {
    // SeqNo, Node, SourceAddr, SourcePort, SourceNode.
    case .ping: 75
    // The same with Target, Port and Nack.
    case .indirectPing: 101
    // SeqNo and an empty Payload: no coordinates, which a program on top may add.
    case .ack: 20
    case .nack: 13
    // Incarnation, Node, Addr, Port, Meta (empty) and six versions.
    case .alive: 65
    // Incarnation, Node, From.
    case .suspect, .dead: 44
    case .user: 65
    }
  }

  /// What several messages in one packet cost beside themselves: in all, and each.
  package static let compoundBytes = 2
  package static let partBytes = 2
  /// Kind and checksum in front of every packet.
  package static let checksumBytes = 5
  /// One member in an exchange of whole states.
  package static let stateBytes = 80
  /// The shortest update that is passed on.
  static let leastUpdate = 44

  /// The size of a packet with these messages.
  package static func bytes(_ messages: [ReferenceMessage]) -> Int {
    guard messages.count > 1 else { return checksumBytes + (messages.first?.bytes ?? 0) }
    var total = checksumBytes + compoundBytes
    for message in messages { total += partBytes + message.bytes }
    return total
  }
}
