import MusterProtocol
import MusterState

/// No two nodes serve in the singleton role inside valid leases.
struct OneSingleton: Checker {
  let name = "one-singleton"

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard simulation.runsAgents, simulation.holdsLease(moment.node),
      simulation.nodes[moment.node].agent.status.runningRole == .web
    else { return }
    for other in simulation.nodes.indices where other != moment.node {
      guard simulation.nodes[other].agent.status.runningRole == .web,
        let audit = simulation.nodes[other].running?.core.audit,
        audit.founding == moment.audit.founding, simulation.holdsLease(other)
      else { continue }
      throw broken(
        simulation,
        "\(simulation.nodes[other].name) and \(simulation.nodes[moment.node].name) both serve "
          + "as web inside a lease")
    }
  }
}
