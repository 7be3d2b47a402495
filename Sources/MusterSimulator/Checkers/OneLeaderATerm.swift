import MusterProtocol
import MusterState

/// In one founding and term at most one identity is ever elected (I1).
struct OneLeaderATerm: Checker {
  let name = "one-leader-a-term"
  private struct Term: Hashable {
    var founding: FoundingID?
    var term: UInt64
  }
  private var leaders: [Term: NodeID] = [:]

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    let audit = moment.audit
    guard audit.isLeader,
      moment.before.map({ !$0.isLeader || $0.term != audit.term }) ?? true
    else { return }
    let term = Term(founding: audit.founding, term: audit.term)
    if let other = leaders[term], other != moment.id {
      throw broken(
        simulation, "\(other.short) and \(moment.id.short) were both elected in \(audit.term)")
    }
    leaders[term] = moment.id
  }
}
