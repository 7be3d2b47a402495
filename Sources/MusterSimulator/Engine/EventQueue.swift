import MusterProtocol

/// What will happen, in the order of time and, at one instant, of scheduling: a binary heap of
/// small keys. Payloads stay where they were put, so that ordering never touches them.
package struct EventQueue<Payload: Sendable>: Sendable {
  private struct Key: Sendable {
    var at: Int64
    var serial: UInt64
    var slot: Int
  }

  private var heap: [Key] = []
  private var slots: [Payload?] = []
  private var free: [Int] = []
  private var serial: UInt64 = 0

  package init() {}

  package var count: Int { heap.count }

  /// When the next event is due; `nil` when there is none.
  package var next: Instant? { heap.first.map { Instant(nanoseconds: $0.at) } }

  /// What the next event is.
  package var first: Payload? { heap.first.flatMap { slots[$0.slot] } }

  package mutating func schedule(_ payload: Payload, at time: Instant) {
    let slot: Int
    if let last = free.popLast() {
      slot = last
      slots[slot] = payload
    } else {
      slot = slots.count
      slots.append(payload)
    }
    serial += 1
    heap.append(Key(at: time.nanoseconds, serial: serial, slot: slot))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard isBefore(child, parent) else { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the earliest event out.
  package mutating func popFirst() -> (at: Instant, payload: Payload)? {
    guard let first = heap.first, let payload = slots[first.slot] else { return nil }
    slots[first.slot] = nil
    free.append(first.slot)
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      sink()
    }
    return (Instant(nanoseconds: first.at), payload)
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var least = parent
      let left = 2 * parent + 1
      if left < heap.count, isBefore(left, least) { least = left }
      if left + 1 < heap.count, isBefore(left + 1, least) { least = left + 1 }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private func isBefore(_ left: Int, _ right: Int) -> Bool {
    heap[left].at != heap[right].at
      ? heap[left].at < heap[right].at : heap[left].serial < heap[right].serial
  }
}
