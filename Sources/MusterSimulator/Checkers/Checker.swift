import MusterProtocol
import MusterState

/// One promise of the protocol as a predicate on a whole cluster.
///
/// A checker looks after every event, once a virtual second, and when the faults are over; each
/// stands in a file of its own that begins with the promise.
protocol Checker {
  /// For tables and replay lines.
  var name: String { get }
  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation)
  mutating func assume(_ audit: PeerAudit)
  /// A member that lies is held to nothing; while it has a vote it speaks the truth.
  mutating func hear(insider moment: Moment)
  mutating func lookAround(in simulation: Simulation) throws(Violation)
}

extension Checker {
  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {}
  mutating func lookAround(in simulation: Simulation) throws(Violation) {}
  mutating func hear(insider moment: Moment) {}
  mutating func assume(_ audit: PeerAudit) {}

  func broken(_ simulation: Simulation, _ text: String) -> Violation {
    Violation(checker: name, at: simulation.now, text: text)
  }
}

extension Simulation {
  /// The nodes that a costly look is for in this second: all of a small cluster, and a few of a
  /// large one, in turn.
  var sample: [Int] {
    guard nodes.count > 50 else { return Array(nodes.indices) }
    let second = Int(now.nanoseconds / 1_000_000_000)
    return (0..<4).map { (second * 4 + $0) % nodes.count }
  }
}

/// What one turn changed at one node.
struct Moment {
  var node: Int
  var id: NodeID
  /// As it was after the node's turn before this one; `nil` in the first turn of a life.
  var before: PeerAudit?
  var audit: PeerAudit
  /// What the node shows, when that changed in this turn.
  var shown: ShownState?
  /// On the node's own clock.
  var local: Instant

  /// Whether it held the lease of a term in this turn, even if it has let go of it since.
  func heldLease(of term: UInt64) -> Bool {
    [before, audit].contains { known in
      guard let known, known.term == term, let end = known.leaseUntil else { return false }
      return local < end
    }
  }
}

/// A promise that was not kept.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
  package var checker: String
  package var at: Instant
  package var text: String

  package var description: String { "\(seconds(at)) \(checker): \(text)" }

  /// The same for two violations of one sort: the text without names and numbers.
  package var kind: String {
    let words = text.split(separator: " ").filter { word in
      word.utf8.count > 2 && word.utf8.allSatisfy { (97...122).contains($0) }
    }
    return checker + ": " + words.joined(separator: " ")
  }
}

/// Seconds with milliseconds, for people.
package func seconds(_ instant: Instant) -> String {
  let milliseconds = instant.nanoseconds / 1_000_000
  let rest = String(milliseconds % 1_000)
  return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
}

/// All promises, looked after together.
package struct Checkers {
  private var checkers: [any Checker] = [
    LeaseExclusion(), OneLeaderATerm(), VoteOnce(), DurableBeforeVisible(), PromiseKept(),
    LeaseHorizon(), TermsAreWon(), RegisterChain(), OneFounding(), GenuineRecords(),
    AcknowledgedMeansStopped(),
    StoppedBeforeStart(), OnlyWhatIsCommitted(), VerifiedBinaries(), OneFetch(), OneSingleton(),
    LimitsKept(),
  ]
  private var audits: [PeerAudit?] = []
  private var shown: [ShownState?] = []
  private var lives: [Int] = []
  private var looksAroundAt = Instant.zero
  /// How often a promise was held against the cluster.
  package private(set) var looks = 0

  package init() {}

  /// - Parameter withoutTime: leave out what is promised by clocks alone.
  package init(withoutTime: Bool) {
    guard withoutTime else { return }
    let timed = [
      "lease-exclusion", "promise-kept", "lease-horizon", "one-fetch", "one-singleton",
      "stopped-before-start",
    ]
    checkers.removeAll { timed.contains($0.name) }
  }

  /// Only these: what one node alone can be held to.
  package init(only names: Set<String>) {
    checkers.removeAll { !names.contains($0.name) }
  }

  package var names: [String] { checkers.map(\.name) }

  /// What stands at the beginning of a run that begins formed.
  mutating func assume(_ simulation: Simulation) {
    for node in simulation.nodes {
      guard let audit = node.running?.core.audit else { continue }
      for index in checkers.indices { checkers[index].assume(audit) }
    }
  }

  /// To be called after every event.
  package mutating func look(at simulation: Simulation) throws(Violation) {
    let node = simulation.turn.node
    // Promises are made to, and kept by, those who speak the truth.
    let isHonest = !simulation.nodes[node].isInsider
    if audits.count < simulation.nodes.count {
      let missing = simulation.nodes.count - audits.count
      audits += Array(repeating: nil, count: missing)
      shown += Array(repeating: nil, count: missing)
      lives += Array(repeating: 0, count: missing)
    }
    if lives[node] != simulation.nodes[node].life {
      lives[node] = simulation.nodes[node].life
      audits[node] = nil
      shown[node] = nil
    }
    if let running = simulation.nodes[node].running {
      let audit = running.core.audit
      let shows = running.core.shownState
      let moment = Moment(
        node: node, id: running.core.id, before: audits[node], audit: audit,
        shown: shows == shown[node] ? nil : shows, local: simulation.localTime(node))
      audits[node] = audit
      shown[node] = shows
      for index in checkers.indices {
        if isHonest {
          try checkers[index].look(at: moment, in: simulation)
        } else {
          checkers[index].hear(insider: moment)
        }
      }
      looks += checkers.count
    }
    if simulation.now >= looksAroundAt {
      looksAroundAt = simulation.now + .seconds(1)
      try lookAround(in: simulation)
    }
  }

  package mutating func lookAround(in simulation: Simulation) throws(Violation) {
    for index in checkers.indices { try checkers[index].lookAround(in: simulation) }
    looks += checkers.count
  }
}
