/// Updates that a member passes on: those sent least often first, and among them the one that was
/// queued or sent last. (The original goes by age there; lists are cheaper than a tree, and no
/// schedule depends on it.)
package struct BroadcastQueue: Sendable {
  private struct Entry: Sendable {
    var key: UInt32
    var serial: UInt32
    var message: ReferenceMessage
  }

  /// By how often they were sent. Entries that a newer one has replaced are passed over when met.
  private var tiers: [[Entry]] = []
  private var current: [UInt32: UInt32] = [:]
  private var serial: UInt32 = 0

  package init() {}

  package var isEmpty: Bool { current.isEmpty }
  package var count: Int { current.count }

  /// Queues an update; one about the same `key` that waits is replaced.
  package mutating func put(_ message: ReferenceMessage, about key: UInt32) {
    serial &+= 1
    current[key] = serial
    if tiers.isEmpty { tiers.append([]) }
    tiers[0].append(Entry(key: key, serial: serial, message: message))
  }

  /// Moves what fits into `packet`; what was sent `limit` times is forgotten.
  package mutating func take(
    into packet: inout [ReferenceMessage], available: inout Int, limit: Int
  ) {
    let least = ReferenceMessage.partBytes + ReferenceMessage.leastUpdate
    var sent: [(tier: Int, entry: Entry)] = []
    for tier in tiers.indices {
      var passed: [Entry] = []
      while available >= least, passed.count < 64, let entry = tiers[tier].popLast() {
        guard current[entry.key] == entry.serial else { continue }
        let bytes = ReferenceMessage.partBytes + entry.message.bytes
        guard bytes <= available else {
          passed.append(entry)
          continue
        }
        available -= bytes
        packet.append(entry.message)
        sent.append((tier, entry))
      }
      if !passed.isEmpty { tiers[tier].append(contentsOf: passed.reversed()) }
      if available < least { break }
    }
    // Backwards, so that what went first goes first again.
    for (tier, entry) in sent.reversed() {
      guard tier + 1 < limit else {
        current[entry.key] = nil
        continue
      }
      while tiers.count <= tier + 1 { tiers.append([]) }
      tiers[tier + 1].append(entry)
    }
    if current.isEmpty { tiers.removeAll(keepingCapacity: true) }
  }
}
