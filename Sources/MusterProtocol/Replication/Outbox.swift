import MusterState

/// Records to pass on. One that comes alone leaves with the turn that brought it. When hundreds of
/// nodes start at once, each of them has hundreds of records to pass on to all its neighbours: then
/// they wait a moment for each other, share datagrams, and are not sent to whoever has sent them
/// here meanwhile. See "Dissemination" in `proto/README.md`.
struct Outbox: Sendable {
  struct Item: Sendable {
    var key: UInt64
    /// The neighbours that have sent it here.
    var holders: [NodeID]
  }

  private var items: [Item] = []
  private var places: [UInt64: Int] = [:]
  /// Something is among them that waits for nothing.
  private var isUrgent = false
  /// Since when there are only such as interest nobody at once; `nil`: there is something else.
  private var idleSince: Instant?
  /// Flushes since `since`, in stretches of a tenth of a second.
  private var flushes = 0
  private var since = Instant.zero
  private var flushedAt = Instant.zero
  /// When what waits is to leave.
  private(set) var deadline: Instant?

  /// - Parameter idleFrom: now, of what interests nobody at once: it waits for other news, or for
  ///   more of its kind.
  mutating func add(
    _ key: UInt64, heldBy holder: NodeID?, isUrgent: Bool = false, idleFrom now: Instant? = nil
  ) {
    self.isUrgent = self.isUrgent || isUrgent
    idleSince = items.isEmpty ? now : now == nil ? nil : idleSince
    if let place = places[key] {
      // Another version than the one that was waiting: who has sent that one lacks this one.
      items[place].holders = holder.map { [$0] } ?? []
      return
    }
    places[key] = items.count
    items.append(Item(key: key, holders: holder.map { [$0] } ?? []))
  }

  /// Somebody has sent what waits here.
  mutating func note(_ key: UInt64, heldBy holder: NodeID) {
    guard let place = places[key] else { return }
    if !items[place].holders.contains(holder) { items[place].holders.append(holder) }
  }

  /// Whether what waits, if anything, leaves now; otherwise `deadline` says when.
  mutating func isDue(
    at now: Instant, atOnce: Int, pause: TimeSpan, idlePause: TimeSpan = .zero
  ) -> Bool {
    guard !items.isEmpty else { return false }
    if let idleSince, !isUrgent, now < idleSince + idlePause {
      deadline = idleSince + idlePause
      return false
    }
    if now - since >= .milliseconds(100) {
      since = now
      flushes = 0
    }
    if !isUrgent, flushes >= atOnce, now < flushedAt + pause {
      deadline = flushedAt + pause
      return false
    }
    flushes += 1
    flushedAt = now
    deadline = nil
    return true
  }

  /// The node ends: what waits leaves now.
  mutating func hurry() { isUrgent = true }

  mutating func take() -> [Item] {
    defer {
      deadline = nil
      items = []
      isUrgent = false
      idleSince = nil
      places = [:]
    }
    return items
  }
}
