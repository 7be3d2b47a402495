import MusterState

/// What must survive a crash before anybody may see it: see "Durable before visible" in
/// `proto/README.md`.
struct Durable: Hashable, Sendable {
  var founding: FoundingID?
  var term: UInt64 = 0
  var vote: NodeID?
  var voteSignature: Signature?
  /// The highest register known to be committed; never above the one held.
  var committed = RegisterVersion.none
  /// The register held, encoded.
  var entry: [UInt8] = []
  /// The register of version `committed`, encoded: what this node acts on.
  var committedEntry: [UInt8] = []
  /// This node's relation data.
  var relations: [Setting] = []
  /// Votes in foundings that this node has left: they are never cast again.
  var left: [LeftFounding] = []

  struct LeftFounding: Hashable, Sendable {
    var founding: FoundingID
    var term: UInt64
    var vote: NodeID?
    /// Left by an operator's recovery: this node never returns.
    var isFinal = false
  }

  init() {}

  var encoded: [UInt8] {
    var writer = WireWriter()
    if let founding { writer.array(1, founding.bytes.bytes) }
    writer.unsigned(2, term)
    if let vote { writer.array(3, vote.bytes.bytes) }
    if let voteSignature { writer.array(4, voteSignature.bytes) }
    writer.unsigned(5, committed.term)
    writer.unsigned(6, committed.count)
    writer.array(7, entry)
    writer.array(8, committedEntry)
    for setting in relations { writer.message(9) { setting.write(to: &$0) } }
    for founding in left {
      writer.message(10) {
        $0.array(1, founding.founding.bytes.bytes)
        $0.unsigned(2, founding.term)
        if let vote = founding.vote { $0.array(3, vote.bytes.bytes) }
        $0.flag(4, founding.isFinal)
      }
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    while let field = try reader.next() {
      switch field.tag {
      case 1: founding = FoundingID(try field.bytes16())
      case 2: term = try field.unsigned()
      case 3: vote = try field.node()
      case 4: voteSignature = try field.signature()
      case 5: committed.term = try field.unsigned()
      case 6: committed.count = try field.unsigned()
      case 7: entry = try field.array(limit: 2 * Limits.treeBytes)
      case 8: committedEntry = try field.array(limit: 2 * Limits.treeBytes)
      case 9: relations.append(try Setting(decoding: field.message))
      case 10: left.append(try LeftFounding(decoding: field.message))
      default: break
      }
    }
    if !entry.isEmpty { _ = try RegisterEntry(decoding: entry) }
    if !committedEntry.isEmpty { _ = try RegisterEntry(decoding: committedEntry) }
    guard founding == nil || !entry.isEmpty else { throw .field(7) }
  }
}

extension Durable.LeftFounding {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(founding: FoundingID(.zero), term: 0, vote: nil)
    while let field = try reader.next() {
      switch field.tag {
      case 1: founding = FoundingID(try field.bytes16())
      case 2: term = try field.unsigned()
      case 3: vote = try field.node()
      case 4: isFinal = try field.flag()
      default: break
      }
    }
  }
}
