import MusterProtocol
import MusterState
import MusterSystem

/// The last events of this node, each rendered once, for whoever asks and whoever follows.
///
/// A follower keeps only its place in the ring: one that does not read costs no memory, and is
/// cut when the ring has gone past it.
package final class EventHistory {
  package static let capacity = 10_000

  package struct Entry: Hashable, Sendable {
    /// Counts from 1 in each life of the agent.
    package let sequence: UInt64
    package let kind: String
    /// One JSON object on one line, without the line break.
    package let line: [UInt8]
  }

  /// Names a subscriber until it unsubscribes.
  package struct Subscription: Hashable, Sendable { fileprivate let serial: UInt64 }

  private let node: NodeID
  private let capacity: Int
  /// Entry `sequence` lies at `(sequence - 1) % capacity`.
  private var ring: [Entry] = []
  private var names: [NodeID: String] = [:]
  private var subscribers: [(serial: UInt64, action: () -> Void)] = []
  private var serial: UInt64 = 0
  /// The number of the newest event; 0 before the first.
  package private(set) var last: UInt64 = 0

  /// - Parameters:
  ///   - node: the agent's own, the `node` of events that are about no other.
  ///   - capacity: how many events are kept; tests make it small.
  package init(node: NodeID, name: String, capacity: Int = EventHistory.capacity) {
    precondition(capacity > 0)
    self.node = node
    self.capacity = capacity
    names[node] = name
  }

  /// The number of the oldest event that is kept; `last + 1` while there is none.
  package var first: UInt64 { last + 1 - UInt64(ring.count) }

  /// The entry of that number; `nil` when it is gone or has not happened.
  package subscript(_ sequence: UInt64) -> Entry? {
    guard sequence >= first, sequence <= last, sequence > 0 else { return nil }
    return ring[Int((sequence - 1) % UInt64(capacity))]
  }

  /// Adds what the protocol reports.
  package func record(_ event: Event, wall: Int64 = MonotonicClock.wallNanoseconds) {
    learn(event)
    let shown = EventDetails(event) { self.name(of: $0) }
    append(kind: shown.kind, node: shown.node ?? node, shown.details, wall: wall)
  }

  /// Adds what happens in this agent.
  package func record(_ event: LocalEvent, wall: Int64 = MonotonicClock.wallNanoseconds) {
    append(kind: event.kind, node: node, event.details, wall: wall)
  }

  /// Calls `action` after every event, until `unsubscribe`.
  package func subscribe(_ action: @escaping () -> Void) -> Subscription {
    serial += 1
    subscribers.append((serial, action))
    return Subscription(serial: serial)
  }

  package func unsubscribe(_ subscription: Subscription) {
    subscribers.removeAll { $0.serial == subscription.serial }
  }

  private func append(kind: String, node: NodeID, _ details: [JsonMember], wall: Int64) {
    last += 1
    let json = Json.object(
      [
        JsonMember("seq", .count(last)), JsonMember("at", .string(Timestamp.utc(wall))),
        JsonMember("kind", .string(kind)), JsonMember("node", .string(name(of: node))),
        JsonMember("id", .string(node.description)),
      ] + details)
    let entry = Entry(sequence: last, kind: kind, line: json.bytes)
    if ring.count < capacity {
      ring.append(entry)
    } else {
      ring[Int((last - 1) % UInt64(capacity))] = entry
    }
    // A subscriber may unsubscribe while it is told.
    for subscriber in subscribers { subscriber.action() }
  }

  /// A node is announced with its name before anything else is said about it.
  private func learn(_ event: Event) {
    switch event {
    case .memberAlive(let id, let name, _), .memberSuspect(let id, let name, _),
      .memberDead(let id, let name, _), .memberLeft(let id, let name),
      .memberUnfit(let id, let name):
      if names.count < Limits.members || names[id] != nil { names[id] = name }
    case .memberForgotten, .recordUpdated, .leaderChanged, .founded, .joined, .sealed,
      .registerCommitted, .roleChanged, .planChanged, .acknowledged, .releaseChanged,
      .clusterConflict, .equivocation, .nameConflict, .clockStood, .recovered,
      .ruleStep:
      break
    }
  }

  /// Eight digits of the identity stand in for a name that was never heard.
  private func name(of id: NodeID) -> String { names[id] ?? id.short }
}
