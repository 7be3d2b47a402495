import MusterProtocol
import MusterState

/// Who says `stopped` of a plan runs nothing at that moment.
struct AcknowledgedMeansStopped: Checker {
  let name = "acknowledged-means-stopped"
  private var said: [NodeID: PlanID] = [:]

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard simulation.runsAgents else { return }
    guard let shown = simulation.nodes[moment.node].running?.core.shownAcknowledgement,
      shown.said == .stopped
    else {
      if !said.isEmpty { said[moment.id] = nil }
      return
    }
    guard said.updateValue(shown.plan, forKey: moment.id) != shown.plan else { return }
    if simulation.nodes[moment.node].agent.status.running != nil {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name) says that it has stopped, and runs")
    }
  }
}
