import MusterProtocol
import MusterState

/// A node starts only what a committed register on its own disk, in whose roster it is, gives it
/// (I14).
struct OnlyWhatIsCommitted: Checker {
  let name = "only-what-is-committed"

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard !simulation.turn.deeds.isEmpty else { return }
    for deed in simulation.turn.deeds {
      guard case .started(let reference, _, _) = deed else { continue }
      let node = simulation.nodes[moment.node]
      let body = node.disk.flatMap { DurableAudit(decoding: $0) }?.committedBody
      guard let body, body.roster.contains(moment.id) else {
        throw broken(
          simulation, "\(node.name) starts \(reference.version) and is in no committed roster")
      }
      let allowed = Self.allowed(moment.id, by: body)
      guard allowed.contains(reference) else {
        throw broken(
          simulation,
          "\(node.name) starts \(reference.version); its committed register gives "
            + (allowed.compactMap(\.?.version).first ?? "nothing"))
      }
    }
  }

  private static func allowed(_ node: NodeID, by body: RegisterBody) -> [ReleaseReference?] {
    guard let plan = body.plan else { return [body.current] }
    let overtaken = plan.overtaken.contains(node) ? [plan.from] : []
    return switch plan.part(of: node) {
    case .moves: [plan.reference]
    case .stops: overtaken
    case .none: plan.phase == .prepare && plan.isLastWave ? [] : [body.current]
    case .waits, .returns: [body.current] + overtaken
    }
  }
}
