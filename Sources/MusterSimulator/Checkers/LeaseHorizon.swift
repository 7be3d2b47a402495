import MusterProtocol
import MusterState

/// Within one life and term a leader's lease never ends earlier than it once said (I10), so what
/// was done under a guarantee stays covered by it.
struct LeaseHorizon: Checker {
  let name = "lease-horizon"

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let before = moment.before, before.isLeader, moment.audit.isLeader,
      before.term == moment.audit.term, before.founding == moment.audit.founding,
      let said = before.leaseUntil
    else { return }
    guard let now = moment.audit.leaseUntil, now >= said else {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name)'s lease in term \(moment.audit.term) "
          + "ends earlier than it said")
    }
  }
}
