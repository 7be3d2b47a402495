import MusterState

/// One call of `Peer.handle`: what went in, what cryptography answered, and a number for what came
/// out.
package struct JournalTurn: Sendable {
  package var now: Instant
  package var input: Input
  package var answers: [CryptographyAnswer]
  /// See `JournalDigest.turn`.
  package var digest: UInt64

  package init(now: Instant, input: Input, answers: [CryptographyAnswer], digest: UInt64) {
    self.now = now
    self.input = input
    self.answers = answers
    self.digest = digest
  }

  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.fixed(1, UInt64(bitPattern: now.nanoseconds))
    switch input {
    case .start: writer.unsigned(2, 1)
    case .datagram(let bytes, let address):
      writer.unsigned(2, 2)
      writer.item(3, bytes)
      writer.message(4) { address.write(to: &$0) }
    case .timer: writer.unsigned(2, 3)
    case .persisted(let ticket):
      writer.unsigned(2, 4)
      writer.unsigned(5, ticket)
    case .command(let command, let ticket):
      writer.unsigned(2, 5)
      writer.unsigned(5, ticket)
      writer.message(6) { command.write(to: &$0) }
    case .status(let status):
      writer.unsigned(2, 6)
      writer.message(7) { status.write(to: &$0) }
    case .clockStood(let span):
      writer.unsigned(2, 7)
      writer.unsigned(8, UInt64(bitPattern: span.nanoseconds))
    case .datagrams(let waiting, let isMore):
      writer.unsigned(2, 8)
      writer.unsigned(5, isMore ? 1 : 0)
      for datagram in waiting {
        writer.message(9) { part in
          part.item(3, datagram.bytes)
          part.message(4) { datagram.source.write(to: &$0) }
        }
      }
    }
    for answer in answers { writer.item(10, answer.encoded) }
    writer.fixed(11, digest)
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var parts = Parts()
    self.init(now: .zero, input: .timer, answers: [], digest: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: now = Instant(nanoseconds: Int64(bitPattern: try field.unsigned()))
      case 2: parts.kind = try field.unsigned()
      case 3: parts.bytes = try field.array(limit: JournalFrame.limit)
      case 4: parts.address = try Address(decoding: field.message)
      case 5: parts.ticket = try field.unsigned()
      case 6: parts.command = try Command(decoding: field.message)
      case 7: parts.status = try LocalStatus(decoding: field.message)
      case 8: parts.span = Int64(bitPattern: try field.unsigned())
      case 9: parts.datagrams.append(try Datagram(decoding: field.message))
      case 10: answers.append(try CryptographyAnswer(decoding: field.array(limit: 65_536)))
      case 11: digest = try field.unsigned()
      default: break
      }
    }
    input = try parts.input
  }

  /// The fields of an input, of which each kind has some.
  private struct Parts {
    var kind: UInt64 = 0
    var bytes: [UInt8] = []
    var address: Address?
    var ticket: UInt64 = 0
    var command: Command?
    var status: LocalStatus?
    var span: Int64 = 0
    var datagrams: [Datagram] = []

    var input: Input {
      get throws(WireError) {
        switch kind {
        case 1: return .start
        case 2:
          guard let address else { throw .field(4) }
          return .datagram(bytes, from: address)
        case 3: return .timer
        case 4: return .persisted(ticket: ticket)
        case 5:
          guard let command else { throw .field(6) }
          return .command(command, ticket: ticket)
        case 6:
          guard let status else { throw .field(7) }
          return .status(status)
        case 7: return .clockStood(TimeSpan(nanoseconds: span))
        case 8: return .datagrams(datagrams, isMore: ticket != 0)
        default: throw .field(2)
        }
      }
    }
  }
}

extension Datagram {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var content: [UInt8] = []
    var source: Address?
    while let field = try reader.next() {
      switch field.tag {
      case 3: content = try field.array(limit: JournalFrame.limit)
      case 4: source = try Address(decoding: field.message)
      default: break
      }
    }
    guard let source else { throw .field(4) }
    self.init(content, from: source)
  }
}
