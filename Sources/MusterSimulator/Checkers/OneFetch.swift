import MusterProtocol
import MusterState

/// At most one fetch of a plan is started in a term, by the holder of that term's lease; and each
/// repair number of a release is published once.
struct OneFetch: Checker {
  let name = "one-fetch"
  private struct Started: Hashable {
    var plan: PlanID
    var term: UInt64
  }
  private var started: [Started: Int] = [:]
  private var published: Set<ReleaseReference> = []

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    for deed in simulation.turn.deeds {
      switch deed {
      case .fetchStarted(let order):
        let name = simulation.nodes[moment.node].name
        let key = Started(plan: order.plan, term: order.term)
        if started.updateValue(moment.node, forKey: key) != nil {
          throw broken(
            simulation, "\(name) fetches \(order.release.version) again in term \(order.term)")
        }
        if !moment.heldLease(of: order.term) {
          throw broken(
            simulation,
            "\(name) begins a fetch of term \(order.term) without the lease of that term")
        }
      case .published(let reference):
        if !published.insert(reference).inserted {
          throw broken(simulation, "\(reference.directoryName) was published twice")
        }
      case .started, .stopped: break
      }
    }
  }
}
