import MusterProtocol
import MusterReference
import MusterSimulator

/// The published protocol, as an experiment sees it.
struct ReferenceContestant: Contestant {
  private var cluster: ReferenceCluster
  /// With which incarnation each member's changes were published.
  private var changed: [Int: [UInt32]] = [:]

  init(_ count: Int, seed: UInt64, _ settings: ReferenceSettings) {
    cluster = ReferenceCluster(count: count, seed: seed, settings: settings)
  }

  var now: Instant { cluster.now }
  var count: Int { cluster.count }
  var payloadSends: Int { cluster.sendsOfWatched }
  var parts: Parts { Parts() }
  var largestDatagram: Int { 0 }

  var network: SimulatedNetwork {
    get { cluster.network }
    set { cluster.network = newValue }
  }

  var sightings: [Sighting] {
    cluster.sightings.map { sighting in
      let state: Sighting.State =
        switch sighting.state {
        case .alive: .alive
        case .suspect: .suspect
        case .dead: .dead
        case .updated: .updated
        }
      return Sighting(observer: sighting.observer, subject: sighting.subject, state: state)
    }
  }

  mutating func step(upTo end: Instant) -> Bool { cluster.step(upTo: end) }
  mutating func form(_ members: Int) { cluster.form(members) }
  mutating func join(_ index: Int, through seed: Int) { cluster.join(index, through: seed) }
  mutating func crash(_ index: Int) { cluster.crash(index) }
  mutating func leave(_ index: Int) { cluster.leave(index) }
  mutating func pause(_ index: Int) { cluster.pause(index) }
  mutating func block(_ index: Int) { cluster.block(index) }
  mutating func unblock(_ index: Int) { cluster.unblock(index) }
  mutating func resume(_ index: Int) { cluster.resume(index) }
  mutating func starve(_ index: Int, _ span: TimeSpan) { cluster.starve(index, span) }

  mutating func update(_ index: Int) {
    cluster.watched = index
    cluster.update(index)
  }

  /// It has no keys: an update stands for a change and for all before it, and is charged with the
  /// bytes of a member without any.
  mutating func change(_ index: Int, key: Int, serial: Int) {
    cluster.update(index)
    changed[index, default: []].append(cluster.incarnation(of: index, seenBy: index))
  }

  func changes(knownBy observer: Int) -> [Int] {
    (0..<count).map { index in
      let incarnation = cluster.incarnation(of: index, seenBy: observer)
      return changed[index]?.lastIndex { $0 <= incarnation }.map { $0 + 1 } ?? 0
    }
  }

  func sent(_ index: Int) -> Traffic {
    Traffic(cluster.sent(index), segments: cluster.streamed(index))
  }
  func received(_ index: Int) -> Traffic { Traffic(cluster.received(index)) }
}
