import MusterState

/// How a journal lies on disk: one line, then records of length, checksum and payload, so that a
/// torn end is seen as one.
package enum JournalFrame {
  /// The first line of the file.
  package static let mark = Array("muster-journal 1\n".utf8)
  /// No record is longer.
  package static let limit = 1 << 24

  package static func header(_ header: JournalHeader) -> [UInt8] { frame(1, header.encoded) }
  package static func turn(_ turn: JournalTurn) -> [UInt8] { frame(2, turn.encoded) }
  /// Says that nothing follows, and why.
  package static func ending(_ reason: String) -> [UInt8] { frame(3, Array(reason.utf8)) }

  private static func frame(_ kind: UInt8, _ content: [UInt8]) -> [UInt8] {
    let payload = [kind] + content
    return number(UInt64(payload.count), 4) + number(checksum(payload), 8) + payload
  }

  fileprivate static func checksum(_ payload: some Sequence<UInt8>) -> UInt64 {
    var digest = JournalDigest()
    digest.add(payload)
    return digest.value
  }

  private static func number(_ value: UInt64, _ count: UInt64) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  fileprivate static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}

/// Why a file cannot be replayed at all.
package enum JournalError: Error, Hashable, Sendable {
  case noJournal
  case noHeader
  /// A record that is whole says what this version does not understand.
  case malformed(record: Int, WireError)
}

/// Reads a journal from its beginning.
package struct JournalReader {
  package enum Piece: Sendable {
    case turn(JournalTurn)
    /// The journal was closed, for this reason.
    case ending(String)
    /// The bytes end within a record: the agent was killed, or its disk was full.
    case torn
    /// A record differs from its checksum and others follow.
    case damaged(offset: Int)
    /// The bytes end behind a record.
    case end
  }

  package let header: JournalHeader
  private let bytes: [UInt8]
  private var offset: Int
  private var records = 0

  package init(_ bytes: [UInt8]) throws(JournalError) {
    guard bytes.starts(with: JournalFrame.mark) else { throw .noJournal }
    self.bytes = bytes
    offset = JournalFrame.mark.count
    guard case .record(let kind, let content, let end) = Self.record(bytes, offset), kind == 1
    else { throw .noHeader }
    do throws(WireError) { header = try JournalHeader(decoding: content) } catch {
      throw .malformed(record: 0, error)
    }
    offset = end
  }

  package mutating func next() throws(JournalError) -> Piece {
    while true {
      switch Self.record(bytes, offset) {
      case .none: return .end
      case .torn: return .torn
      case .damaged: return .damaged(offset: offset)
      case .record(let kind, let content, let end):
        offset = end
        records += 1
        if kind == 3 { return .ending(String(decoding: content, as: UTF8.self)) }
        // Records of other kinds are of versions to come.
        guard kind == 2 else { continue }
        do throws(WireError) { return .turn(try JournalTurn(decoding: content)) } catch {
          throw .malformed(record: records, error)
        }
      }
    }
  }

  private enum Found {
    case none, torn, damaged
    case record(kind: UInt8, content: [UInt8], end: Int)
  }

  private static func record(_ bytes: [UInt8], _ offset: Int) -> Found {
    guard offset < bytes.count else { return .none }
    guard bytes.count - offset >= 12 else { return .torn }
    let length = JournalFrame.number(bytes[offset..<offset + 4])
    guard length > 0, length <= UInt64(JournalFrame.limit) else { return .damaged }
    let start = offset + 12
    guard bytes.count - start >= Int(length) else { return .torn }
    let end = start + Int(length)
    guard
      JournalFrame.number(bytes[offset + 4..<start])
        == JournalFrame.checksum(bytes[start..<end])
    else { return end == bytes.count ? .torn : .damaged }
    return .record(kind: bytes[start], content: Array(bytes[start + 1..<end]), end: end)
  }
}
