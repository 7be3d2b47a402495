import MusterState

/// A number that stands for what one turn of a peer did (FNV-1a, 64 bits): it tells two courses
/// apart that ran by accident, and proves nothing against somebody who wants them to look alike.
package struct JournalDigest: Hashable, Sendable {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  package mutating func add(_ bytes: some Sequence<UInt8>) {
    var count: UInt64 = 0
    for byte in bytes {
      value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
      count += 1
    }
    add(count)
  }

  package mutating func add(_ number: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      value = (value ^ (number >> shift & 0xff)) &* 0x0000_0100_0000_01b3
    }
  }

  /// What was sealed stands for the ciphertext, which a replay without keys cannot make.
  package mutating func addSealed(
    _ plaintext: [UInt8], nonce: Nonce, associated: [UInt8]
  ) {
    add(plaintext)
    add(nonce.bytes)
    add(associated)
  }

  /// The digest of one turn: what it sealed, then what it asked for.
  package static func turn(_ effects: [Effect], sealed: JournalDigest) -> UInt64 {
    var digest = sealed
    for effect in effects { digest.add(effect) }
    return digest.value
  }

  private mutating func add(_ effect: Effect) {
    switch effect {
    case .send(let bytes, let address):
      add(1)
      addDatagram(bytes)
      add(address.host.bytes)
      add(UInt64(address.port))
    case .multicast(let bytes):
      add(2)
      addDatagram(bytes)
    case .persist(let bytes, let ticket):
      add(3)
      add(bytes)
      add(ticket)
    case .event(let event): add(4, event)
    case .reply(let ticket, let reply):
      add(ticket)
      add(5, reply)
    case .duty(let duty): add(6, duty)
    case .stop(let reason): add(7, reason)
    }
  }

  /// Rare and of many shapes: the description has every field, and no order but theirs.
  private mutating func add(_ kind: UInt64, _ value: some Any) {
    add(kind)
    add(String(describing: value).utf8)
  }

  /// The head, which is not sealed, and the length.
  private mutating func addDatagram(_ bytes: [UInt8]) {
    add(bytes.prefix(Envelope.headerBytes))
    add(UInt64(bytes.count))
  }
}
