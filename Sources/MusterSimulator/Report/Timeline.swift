import MusterProtocol

/// What held from when to when, without gaps: the course of one thing.
struct Timeline<Value: Hashable & Sendable>: Sendable {
  struct Stretch: Hashable, Sendable {
    var value: Value
    var from: Instant
    var to: Instant
  }

  private(set) var stretches: [Stretch] = []

  mutating func become(_ value: Value, at time: Instant) {
    if let last = stretches.last {
      stretches[stretches.count - 1].to = time
      if last.value == value { return }
      // What lasted for no time was never so.
      if last.from == time { stretches.removeLast() }
    }
    if stretches.last?.value == value { return }
    stretches.append(Stretch(value: value, from: time, to: time))
  }

  mutating func end(at time: Instant) {
    if !stretches.isEmpty { stretches[stretches.count - 1].to = time }
  }
}
