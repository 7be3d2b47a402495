import MusterProtocol
import MusterState

/// Runs a recorded peer again through the same core, holds it to what one node alone can be held
/// to, and compares every turn with what it did then.
package struct JournalReplay {
  /// Where a replay and its journal part.
  package struct Difference: Hashable, Sendable {
    package var turn: Int
    /// Since the start of the journal.
    package var at: Instant
    package var text: String
  }

  /// What one turn came to.
  package struct Step {
    package var events: [String] = []
    package var difference: Difference?
    package var violation: Violation?
    package var isGood: Bool { difference == nil && violation == nil }
    package init() {}
  }

  /// The promises that concern no second node.
  private static let promises: Set<String> = [
    "vote-once", "durable-before-visible", "promise-kept", "lease-horizon", "limits-kept",
  ]

  package private(set) var turns = 0
  package private(set) var events = 0
  /// Since the start of the journal, of the last turn.
  package var time: TimeSpan { simulation.now - start }
  package var looks: Int { checkers.looks }
  private var simulation: Simulation
  private var checkers: Checkers
  private let cryptography: any AnsweringCryptography
  private let start: Instant
  private var writes: [UInt64: [UInt8]] = [:]

  /// - Throws: when the peer of the header cannot be made.
  package init(
    _ header: JournalHeader, cryptography: any AnsweringCryptography
  ) throws(PeerError) {
    self.cryptography = cryptography
    start = header.startedAt
    simulation = Simulation(seed: 0, expect: header.configuration.expect)
    simulation.keepsEvents = false
    checkers = Checkers(only: Self.promises)
    let index = simulation.add(name: header.configuration.name)
    cryptography.begin(header.answers)
    let peer = try Peer(
      configuration: header.configuration, durable: header.durable, cryptography: cryptography,
      at: header.startedAt)
    _ = cryptography.end()
    simulation.nodes[index].running = RunningPeer(peer)
    simulation.nodes[index].disk = header.durable
    simulation.nodes[index].incarnation = header.configuration.incarnation.counter
    _ = simulation.step(upTo: header.startedAt)
  }

  package mutating func play(_ turn: JournalTurn) -> Step {
    turns += 1
    var step = Step()
    guard let running = simulation.nodes[0].running else { return step }
    guard turn.now >= simulation.now else {
      step.difference = difference(
        "time goes back by \((simulation.now - turn.now).milliseconds) ms")
      return step
    }
    _ = simulation.step(upTo: turn.now)
    if case .persisted(let ticket) = turn.input, let bytes = writes.removeValue(forKey: ticket) {
      simulation.nodes[0].disk = bytes
    }
    simulation.beginTurn(0)
    cryptography.begin(turn.answers)
    let effects = running.core.handle(turn.input, at: turn.now)
    let (sealed, mismatch) = cryptography.end()
    for effect in effects { note(effect) }
    events += simulation.turn.events.count
    step.events = simulation.turn.events.map { event in
      "\(time(turn.now)) \(RunTrace.text(event) { running.core.name(of: $0) })"
    }
    if let mismatch {
      step.difference = difference(mismatch)
    } else if JournalDigest.turn(effects, sealed: sealed) != turn.digest {
      step.difference = difference("its effects are others: \(Self.list(effects))")
    }
    do throws(Violation) { try checkers.look(at: simulation) } catch {
      step.violation = Violation(
        checker: error.checker, at: .zero + (error.at - start), text: error.text)
    }
    return step
  }

  private mutating func note(_ effect: Effect) {
    switch effect {
    case .send(let bytes, _), .multicast(let bytes):
      simulation.largestDatagram = max(simulation.largestDatagram, bytes.count)
    case .persist(let bytes, let ticket): writes[ticket] = bytes
    case .event(let event): simulation.turn.events.append(event)
    case .reply, .duty, .stop: break
    }
  }

  private func difference(_ text: String) -> Difference {
    Difference(turn: turns, at: .zero + (simulation.now - start), text: text)
  }

  private func time(_ now: Instant) -> String {
    let text = seconds(.zero + (now - start))
    return String(repeating: " ", count: max(0, 8 - text.utf8.count)) + text
  }

  /// What a turn asked for, in a few words.
  private static func list(_ effects: [Effect]) -> String {
    if effects.isEmpty { return "none" }
    return effects.map { effect in
      switch effect {
      case .send(let bytes, let address): "send \(bytes.count) bytes to \(address)"
      case .multicast(let bytes): "multicast \(bytes.count) bytes"
      case .persist(let bytes, _): "persist \(bytes.count) bytes"
      case .event(let event): "event \(RunTrace.text(event) { $0.short })"
      case .reply(_, let reply): "reply \(reply)"
      case .duty: "a duty"
      case .stop(let reason): "stop: \(reason)"
      }
    }.joined(separator: ", ")
  }
}
