import MusterProtocol
import MusterState

/// When a plan's `complete` is first committed, each of its participants is stopped, or named as
/// overtaken (I15); and `prepare` is committed only over a published release (I15b).
struct StoppedBeforeStart: Checker {
  let name = "stopped-before-start"
  private var completed: Set<PlanID> = []

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard simulation.runsAgents, moment.audit.committed != moment.before?.committed,
      let body = simulation.nodes[moment.node].running?.core.committedRegister, let plan = body.plan
    else { return }
    if plan.phase == .prepare, plan.reference == nil {
      throw broken(simulation, "services are to stop for a release that is not published")
    }
    guard plan.phase == .complete, plan.from != nil, completed.insert(plan.id).inserted else {
      return
    }
    for index in simulation.nodes.indices {
      guard let id = simulation.nodes[index].running?.core.id, plan.participants.contains(id),
        !plan.overtaken.contains(id),
        let running = simulation.nodes[index].agent.status.running, running == plan.from
      else { continue }
      throw broken(
        simulation,
        "\(simulation.nodes[index].name) still runs \(running.version) when "
          + "\(plan.to.version) is started")
    }
  }
}
