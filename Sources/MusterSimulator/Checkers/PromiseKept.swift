import MusterProtocol
import MusterState

/// Nobody votes while it is promised to a leader that has not resigned, nor in the quarantine
/// after a restart (I8).
struct PromiseKept: Checker {
  let name = "promise-kept"
  private struct Ballot: Hashable {
    var voter: NodeID
    var founding: FoundingID
    var term: UInt64
  }
  private var cast: [Ballot: NodeID] = [:]

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let founding = moment.audit.founding, let vote = moment.audit.vote else { return }
    // Who returns to a founding that it left takes up what it voted there: that is no new vote.
    let ballot = Ballot(voter: moment.id, founding: founding, term: moment.audit.term)
    let earlier = cast.updateValue(vote, forKey: ballot)
    guard let before = moment.before, earlier != vote,
      before.vote != moment.audit.vote || before.term != moment.audit.term
    else { return }
    // A resignation that came in this very turn has ended the promise, so the state after it
    // counts.
    let end = max(moment.audit.boundUntil, moment.audit.quarantineUntil)
    if moment.local < end {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name) voted in term \(moment.audit.term) "
          + "while it was bound for \((end - moment.local).milliseconds) ms more")
    }
  }
}
