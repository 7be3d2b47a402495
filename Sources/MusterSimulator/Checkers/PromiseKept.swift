import MusterProtocol
import MusterState

/// Nobody votes while it is promised to a leader that has not resigned, nor in the quarantine
/// after a restart (I8).
struct PromiseKept: Checker {
  let name = "promise-kept"

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let before = moment.before, moment.audit.vote != nil,
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
