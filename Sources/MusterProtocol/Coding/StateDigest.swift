import MusterState

/// The keys and stamps of all records whose keys lie in a range: what a peer needs to tell which
/// of the two has the newer copy of each, or no copy.
struct StateDigest: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    var key: UInt64
    var stamp: RecordStamp
  }

  /// The range is complete: a record in it that is not listed is one that the sender lacks.
  var first: UInt64
  var last: UInt64
  /// Sorted by key.
  var entries: [Entry]

  /// The entries that one datagram holds beside its envelope, at their largest.
  static let entriesPerFrame = 35

  init(first: UInt64, last: UInt64, entries: [Entry]) {
    self.first = first
    self.last = last
    self.entries = entries
  }

  func write(to writer: inout WireWriter) {
    writer.fixed(1, first)
    writer.fixed(2, last)
    for entry in entries {
      writer.message(3) {
        $0.fixed(1, entry.key)
        $0.unsigned(2, entry.stamp.counter)
        $0.unsigned(3, entry.stamp.version)
      }
    }
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(first: 0, last: 0, entries: [])
    while let field = try reader.next() {
      switch field.tag {
      case 1: first = try field.unsigned()
      case 2: last = try field.unsigned()
      case 3: entries.append(try Entry(decoding: field.message))
      default: break
      }
    }
    guard first <= last, entries.allSatisfy({ first <= $0.key && $0.key <= last }),
      zip(entries, entries.dropFirst()).allSatisfy({ $0.key < $1.key })
    else { throw .field(3) }
  }
}

extension StateDigest.Entry {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(key: 0, stamp: RecordStamp(counter: 0, version: 0))
    while let field = try reader.next() {
      switch field.tag {
      case 1: key = try field.unsigned()
      case 2: stamp.counter = try field.unsigned()
      case 3: stamp.version = try field.unsigned()
      default: break
      }
    }
  }
}
