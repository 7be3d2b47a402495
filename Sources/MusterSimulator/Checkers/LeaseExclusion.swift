import MusterProtocol
import MusterState

/// At any instant at most one node of a founding holds a valid lease, also while it is paused
/// (I2; assumption A4 bounds the clocks' rates).
struct LeaseExclusion: Checker {
  let name = "lease-exclusion"
  private var holders: Set<Int> = []

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard simulation.holdsLease(moment.node) else {
      if !holders.isEmpty { holders.remove(moment.node) }
      return
    }
    for other in holders.sorted() where other != moment.node {
      guard simulation.holdsLease(other), let audit = simulation.nodes[other].running?.core.audit
      else {
        holders.remove(other)
        continue
      }
      guard audit.founding == moment.audit.founding else { continue }
      throw broken(
        simulation,
        "\(simulation.nodes[other].name) in term \(audit.term) and "
          + "\(simulation.nodes[moment.node].name) in term \(moment.audit.term) "
          + "hold a lease at once")
    }
    holders.insert(moment.node)
  }
}
