/// One signed fact that its author publishes under a name and replaces whole.
///
/// The signature covers exactly the bytes in `payload`, so a relay can change nothing. A record
/// never changes, so that copies of it are one reference: tables of thousands stay small.
package struct Record: Hashable, Sendable {
  private struct Fields: Hashable, Sendable {
    let author: NodeID
    let incarnation: Incarnation
    let name: RecordName
    let version: UInt64
    let content: [UInt8]
    let payload: [UInt8]
    let signature: Signature
  }

  /// One reference, with equality and hashing for free.
  private indirect enum Storage: Hashable, Sendable {
    case shared(Fields)
  }

  private let storage: Storage

  private var fields: Fields {
    switch storage {
    case .shared(let fields): fields
    }
  }

  package init(
    author: NodeID, incarnation: Incarnation, name: RecordName, version: UInt64,
    content: [UInt8], payload: [UInt8], signature: Signature
  ) {
    storage = .shared(
      Fields(
        author: author, incarnation: incarnation, name: name, version: version,
        content: content, payload: payload, signature: signature))
  }

  package var author: NodeID { fields.author }
  package var incarnation: Incarnation { fields.incarnation }
  package var name: RecordName { fields.name }
  package var version: UInt64 { fields.version }
  package var content: [UInt8] { fields.content }
  /// The exact bytes that were signed.
  package var payload: [UInt8] { fields.payload }
  package var signature: Signature { fields.signature }

  package var stamp: RecordStamp {
    RecordStamp(counter: fields.incarnation.counter, version: fields.version)
  }
}

/// Which of two records of one author and name is newer: the life first, then the version.
package struct RecordStamp: Hashable, Comparable, Sendable {
  package var counter: UInt64
  package var version: UInt64

  package init(counter: UInt64, version: UInt64) {
    self.counter = counter
    self.version = version
  }

  package static func < (left: RecordStamp, right: RecordStamp) -> Bool {
    left.counter != right.counter ? left.counter < right.counter : left.version < right.version
  }
}

/// What a record is about. Unknown names are kept and passed on, for versions to come.
package enum RecordName: Hashable, Sendable {
  /// The author's card: key, name, address.
  case member
  /// Term, vote, register, role in the election: `Coordination`.
  case coordination
  /// What the author does in answer to its duty.
  case work
  /// Relation data: the author's keys and values.
  case data
  /// An operator's request at the author, for the leader.
  case request
  /// An accusation: the author could not reach this member.
  case suspicion(NodeID)
  /// Whether the author finds that this member cannot be relied on, in all of its life.
  case unfit(NodeID)
  /// A name of another version of the protocol.
  case other(String)

  package var text: String {
    switch self {
    case .member: "member"
    case .coordination: "coordination"
    case .work: "work"
    case .data: "data"
    case .request: "request"
    case .suspicion(let subject): "suspicion/\(subject)"
    case .unfit(let subject): "unfit/\(subject)"
    case .other(let text): text
    }
  }

  package init(_ text: String) {
    switch text {
    case "member": self = .member
    case "coordination": self = .coordination
    case "work": self = .work
    case "data": self = .data
    case "request": self = .request
    default:
      if text.hasPrefix("suspicion/"), let subject = NodeID(String(text.dropFirst(10))),
        "suspicion/\(subject)" == text
      {
        self = .suspicion(subject)
      } else if text.hasPrefix("unfit/"), let subject = NodeID(String(text.dropFirst(6))),
        "unfit/\(subject)" == text
      {
        self = .unfit(subject)
      } else {
        self = .other(text)
      }
    }
  }
}
