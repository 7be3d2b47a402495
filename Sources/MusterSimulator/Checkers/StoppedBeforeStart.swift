import MusterProtocol
import MusterState

/// When a wave's `complete` is first committed, each participant of it is stopped, or named as
/// overtaken (I15); and services stop only when each participant that is counted on has verified
/// the published release (I15b), unless the plan is to stop first.
struct StoppedBeforeStart: Checker {
  let name = "stopped-before-start"
  private struct Wave: Hashable {
    var plan: PlanID
    var wave: UInt8
  }
  private var completed: Set<Wave> = []
  private var prepared: Set<PlanID> = []

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard simulation.runsAgents, moment.audit.committed != moment.before?.committed,
      let body = simulation.nodes[moment.node].running?.core.committedRegister, let plan = body.plan
    else { return }
    if plan.phase == .prepare, !plan.stopsFirst, prepared.insert(plan.id).inserted {
      try lookAtVerification(plan, in: simulation)
    }
    guard plan.phase == .complete, plan.from != nil,
      completed.insert(Wave(plan: plan.id, wave: plan.wave)).inserted
    else { return }
    for index in simulation.nodes.indices {
      guard let id = simulation.nodes[index].running?.core.id, plan.wave(of: id) == plan.wave,
        !plan.overtaken.contains(id),
        let running = simulation.nodes[index].agent.status.running, running == plan.from
      else { continue }
      throw broken(
        simulation,
        "\(simulation.nodes[index].name) still runs \(running.version) when "
          + "\(plan.to.version) is started")
    }
  }

  private func lookAtVerification(_ plan: Plan, in simulation: Simulation) throws(Violation) {
    guard let reference = plan.reference else {
      throw broken(simulation, "services are to stop for a release that is not published")
    }
    for index in simulation.nodes.indices {
      guard let running = simulation.nodes[index].running,
        plan.participants.contains(running.core.id), !plan.overtaken.contains(running.core.id),
        // What an earlier life had verified may still be counted for a moment.
        simulation.now - simulation.nodes[index].bootedAt > .seconds(10),
        !simulation.nodes[index].agent.status.verified.contains(reference)
      else { continue }
      throw broken(
        simulation,
        "services are to stop, and \(simulation.nodes[index].name) has not verified "
          + reference.version)
    }
  }
}
