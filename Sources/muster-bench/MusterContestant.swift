import MusterProtocol
import MusterSimulator
import MusterState

/// Muster, as the simulator drives it: the daemon's own core with its coding and its signatures.
struct MusterContestant: Contestant {
  private static let key = "bench"
  private static let ticketsOfLeaving: UInt64 = 1 << 32
  private static let ticketsOfChanges: UInt64 = 2 << 32

  private var simulation: Simulation
  private var places: [NodeID: Int] = [:]
  private var updates: UInt64 = 0
  private var tickets: UInt64 = 0
  private(set) var sightings: [Sighting] = []

  init(_ count: Int, seed: UInt64, _ timing: Timing) {
    simulation = Simulation(seed: seed, expect: UInt32(count))
    simulation.timing = timing
    simulation.keepsEvents = false
  }

  var now: Instant { simulation.now }
  var count: Int { simulation.nodes.count }
  var payloadSends: Int { simulation.markedDatagrams }
  var largestDatagram: Int { simulation.largestDatagram }
  var parts: Parts {
    var parts = Parts()
    for node in simulation.nodes {
      if let counters = node.running?.core.counters { parts.add(counters) }
    }
    return parts
  }

  var network: SimulatedNetwork {
    get { simulation.network }
    set { simulation.network = newValue }
  }

  mutating func step(upTo end: Instant) -> Bool {
    let went = simulation.step(upTo: end)
    sightings.removeAll(keepingCapacity: true)
    guard went else { return false }
    collect()
    return true
  }

  private mutating func collect() {
    let observer = simulation.turn.node
    for event in simulation.turn.events {
      let seen: (NodeID, Sighting.State)? =
        switch event {
        case .memberAlive(let node, _, _): (node, .alive)
        case .memberSuspect(let node, _, _): (node, .suspect)
        case .memberDead(let node, _, _), .memberLeft(let node, _): (node, .dead)
        case .recordUpdated(let node, let name) where name == RecordName.data.text:
          (node, .updated)
        default: nil
        }
      guard let (node, state) = seen, let subject = places[node] else { continue }
      sightings.append(Sighting(observer: observer, subject: subject, state: state))
    }
  }

  mutating func form(_ members: Int) {
    precondition(count == 0, "a simulation forms as a whole")
    for _ in 0..<members { simulation.add() }
    simulation.form(usesMulticast: false)
    for index in 0..<members { note(index) }
  }

  private mutating func note(_ index: Int) {
    if let id = simulation.id(index) { places[id] = index }
  }

  mutating func join(_ index: Int, through seed: Int) {
    while count <= index { simulation.add() }
    simulation.beginTurn(index)
    let addresses = index == seed ? [] : [simulation.nodes[seed].address]
    simulation.boot(index, join: addresses, multicast: false)
    note(index)
  }

  mutating func crash(_ index: Int) { simulation.crash(index) }
  mutating func leave(_ index: Int) {
    tickets += 1
    simulation.beginTurn(index)
    simulation.command(index, .leave, ticket: Self.ticketsOfLeaving + tickets)
  }
  mutating func pause(_ index: Int) { simulation.pause(index) }
  mutating func block(_ index: Int) { simulation.block(index) }
  mutating func unblock(_ index: Int) { simulation.unblock(index) }
  mutating func resume(_ index: Int) { simulation.resume(index) }
  mutating func starve(_ index: Int, _ span: TimeSpan) {
    simulation.nodes[index].starvation = span
  }

  mutating func update(_ index: Int) {
    updates += 1
    let value = "value-to-be-followed-\(updates)"
    simulation.marker = Array(value.utf8)
    simulation.beginTurn(index)
    simulation.command(index, .setOwn(key: Self.key, value: value), ticket: updates)
  }

  mutating func change(_ index: Int, key: Int, serial: Int) {
    tickets += 1
    simulation.beginTurn(index)
    simulation.command(
      index, .setOwn(key: Self.padded("k", key, 2), value: Self.padded("", serial, 5)),
      ticket: Self.ticketsOfChanges + tickets)
  }

  /// As long for every number, so that all changes cost the same.
  private static func padded(_ letter: String, _ number: Int, _ digits: Int) -> String {
    let text = String(number)
    return letter + String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  func changes(knownBy observer: Int) -> [Int] {
    var known = Array(repeating: 0, count: count)
    for member in simulation.view(observer)?.members ?? [] {
      guard let place = places[member.id] else { continue }
      known[place] = member.data.lazy.compactMap { Int($0.value) }.max() ?? 0
    }
    return known
  }

  func sent(_ index: Int) -> Traffic { Traffic(simulation.nodes[index].sent) }
  func received(_ index: Int) -> Traffic { Traffic(simulation.nodes[index].received) }
}
