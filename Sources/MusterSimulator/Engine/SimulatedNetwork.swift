import MusterProtocol

/// What the network does to datagrams: every link is directed and can be worse than the others.
package struct SimulatedNetwork: Sendable {
  /// One direction between two machines.
  package struct Link: Hashable, Comparable, Sendable, ExpressibleByArrayLiteral {
    package var from: Int
    package var to: Int

    package init(_ from: Int, _ to: Int) {
      self.from = from
      self.to = to
    }

    package init(arrayLiteral elements: Int...) {
      precondition(elements.count == 2, "a link is from one machine to another")
      self.init(elements[0], elements[1])
    }

    package static func < (left: Link, right: Link) -> Bool {
      left.from != right.from ? left.from < right.from : left.to < right.to
    }
  }

  package var delay = TimeSpan(nanoseconds: 200_000)
  package var jitter = TimeSpan(nanoseconds: 300_000)
  package var lossPerMille: UInt64 = 0
  /// Datagrams that arrive twice, and that are held back for up to `lateness`.
  package var duplicatedPerMille: UInt64 = 0
  package var latePerMille: UInt64 = 0
  package var lateness = TimeSpan.seconds(2)
  /// What one machine can send in a second; 0: no bound. What does not fit waits, and what would
  /// wait longer than `queueing` is lost.
  package var bytesPerSecond = 0
  package var queueing = TimeSpan.milliseconds(500)
  package var allowsMulticast = true
  /// Directed links that are cut.
  package var cut: Set<Link> = []
  /// Links that lose more than the others.
  package var linkLoss: [Link: UInt64] = [:]
  /// Links on which nothing arrives before an instant: then all of it does.
  package var clogged: [Link: Instant] = [:]
  /// Multicast reaches only machines of the sender's zone; 0 when not set.
  package var multicastZone: [Int: Int] = [:]

  package init() {}

  package func isOpen(from: Int, to: Int) -> Bool {
    cut.isEmpty || !cut.contains(Link(from, to))
  }

  func carriesMulticast(from: Int, to: Int) -> Bool {
    allowsMulticast && (multicastZone[from] ?? 0) == (multicastZone[to] ?? 0)
  }

  package func loss(from: Int, to: Int) -> UInt64 {
    linkLoss.isEmpty ? lossPerMille : max(lossPerMille, linkLoss[Link(from, to)] ?? 0)
  }

  /// When a datagram that was sent arrives; `again` is set where it was duplicated.
  package struct Arrival: Hashable, Sendable {
    package var at: Instant
    package var again: Instant?
  }

  /// What happens to one datagram. Every protocol that is simulated sends through here, so that a
  /// comparison compares protocols and not networks.
  ///
  /// - Parameter sendsUntil: until when the sender's own link is busy.
  /// - Returns: `nil` when it is lost.
  package func carry(
    bytes: Int, over link: Link, at now: Instant, sendsUntil: inout Instant,
    dice: inout SimulatedDice
  ) -> Arrival? {
    let loss = loss(from: link.from, to: link.to)
    guard isOpen(from: link.from, to: link.to), loss == 0 || dice.below(1_000) >= loss else {
      return nil
    }
    var arrival = now + delay + dice.upTo(jitter)
    if latePerMille > 0, dice.below(1_000) < latePerMille {
      arrival = arrival + dice.upTo(lateness)
    }
    if bytesPerSecond > 0 {
      let begins = max(now, sendsUntil)
      guard begins - now <= queueing else { return nil }
      sendsUntil =
        begins + TimeSpan(nanoseconds: Int64(bytes) * 1_000_000_000 / Int64(bytesPerSecond))
      arrival = arrival + (begins - now)
    }
    if !clogged.isEmpty, let until = clogged[link] { arrival = max(arrival, until) }
    guard duplicatedPerMille > 0, dice.below(1_000) < duplicatedPerMille else {
      return Arrival(at: arrival)
    }
    return Arrival(at: arrival, again: arrival + dice.upTo(.milliseconds(50)))
  }

  /// Cuts every link between two groups, both ways.
  package mutating func partition(_ left: [Int], _ right: [Int]) {
    for a in left {
      for b in right {
        cut.insert(Link(a, b))
        cut.insert(Link(b, a))
      }
    }
  }

  /// Opens every link; losses and delays stay.
  package mutating func heal() {
    cut = []
    clogged = [:]
  }

  /// As it was at first.
  package mutating func calm() {
    let multicast = allowsMulticast
    self = SimulatedNetwork()
    allowsMulticast = multicast
  }
}
