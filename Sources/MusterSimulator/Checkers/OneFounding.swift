import MusterProtocol
import MusterState

/// As long as no more identities than planned were started, at most one cluster is founded; and
/// two sealed ones do not exist without an alarm (I13).
struct OneFounding: Checker {
  let name = "one-founding"
  private var identities: Set<NodeID> = []
  private var founded: Set<FoundingID> = []
  private var sealed: Set<FoundingID> = []

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    if moment.before == nil { identities.insert(moment.id) }
    // What was not shown before a crash was nothing.
    guard let shown = moment.shown, let founding = shown.founding else { return }
    // An operator's decision lets one founding go on as another.
    if simulation.nodes[moment.node].running?.core.isRecovered ?? false { return }
    founded.insert(founding)
    if shown.isSealed { sealed.insert(founding) }
    let isPlanned = identities.count <= Int(clamping: simulation.expect)
    if isPlanned, founded.count > 1 {
      throw broken(simulation, "\(founded.count) clusters were founded of planned nodes")
    }
    if isPlanned, sealed.count > 1 {
      throw broken(simulation, "\(sealed.count) clusters are sealed")
    }
  }
}
