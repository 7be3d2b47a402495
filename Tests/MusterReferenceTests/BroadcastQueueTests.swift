import MusterReference
import Testing

@Suite struct BroadcastQueueTests {
  private func update(_ subject: UInt16, _ incarnation: UInt32 = 1) -> ReferenceMessage {
    .alive(subject, incarnation: incarnation)
  }

  private func take(_ queue: inout BroadcastQueue, bytes: Int, limit: Int) -> [ReferenceMessage] {
    var packet: [ReferenceMessage] = []
    var available = bytes
    queue.take(into: &packet, available: &available, limit: limit)
    return packet
  }

  @Test func `an update is sent so often and then forgotten`() {
    var queue = BroadcastQueue()
    queue.put(update(1), about: 1)
    for _ in 0..<3 { #expect(take(&queue, bytes: 1_000, limit: 3) == [update(1)]) }
    #expect(take(&queue, bytes: 1_000, limit: 3) == [])
    #expect(queue.isEmpty)
  }

  @Test func `what was sent least goes first, and among it what came last`() {
    var queue = BroadcastQueue()
    queue.put(update(1), about: 1)
    queue.put(update(2), about: 2)
    #expect(take(&queue, bytes: 70, limit: 4) == [update(2)])
    queue.put(update(3), about: 3)
    #expect(take(&queue, bytes: 140, limit: 4) == [update(3), update(1)])
    #expect(take(&queue, bytes: 1_000, limit: 4) == [update(3), update(1), update(2)])
  }

  @Test func `a newer update replaces what waits about the same member`() {
    var queue = BroadcastQueue()
    queue.put(update(1), about: 1)
    _ = take(&queue, bytes: 1_000, limit: 4)
    queue.put(update(1, 2), about: 1)
    #expect(queue.count == 1)
    for _ in 0..<4 { #expect(take(&queue, bytes: 1_000, limit: 4) == [update(1, 2)]) }
    #expect(queue.isEmpty)
  }

  @Test func `a packet is never larger than its bound`() {
    var queue = BroadcastQueue()
    for subject in 0..<200 { queue.put(update(UInt16(subject)), about: UInt32(subject)) }
    let packet = take(&queue, bytes: 1_398, limit: 4)
    #expect(packet.count == 20)
    #expect(ReferenceMessage.bytes(packet) <= 1_400 + ReferenceMessage.checksumBytes)
  }
}
