import MusterProtocol
import MusterState

/// No node starts a binary that does not match its manifest, and a published copy is never
/// written again (I16, I17).
struct VerifiedBinaries: Checker {
  let name = "verified-binaries"

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    for deed in simulation.turn.deeds {
      switch deed {
      case .started(let reference, _, let isIntact):
        if !isIntact {
          throw broken(
            simulation,
            "\(simulation.nodes[moment.node].name) starts a copy of \(reference.version) "
              + "that differs from its manifest")
        }
      case .published(let reference):
        if let copy = simulation.share.copies[reference.directoryName], copy.publications > 1 {
          throw broken(simulation, "\(reference.directoryName) was written twice")
        }
      case .fetchStarted, .stopped: break
      }
    }
  }
}
