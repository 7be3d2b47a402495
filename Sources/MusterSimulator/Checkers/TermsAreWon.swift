import MusterProtocol
import MusterState

/// Nobody honest is ever in a term for which no honest voter has stood: a member that merely claims
/// a term, or leadership without votes, moves nobody (certificates, R5 and R7). The terms of a
/// recovered founding are above all of the one that it continues.
struct TermsAreWon: Checker {
  let name = "terms-are-won"
  private struct Term: Hashable {
    var founding: FoundingID
    var term: UInt64
  }
  private var stoodFor: Set<Term> = []
  /// Above these no founding goes that has been recovered.
  private var bounds: [FoundingID: UInt64] = [:]
  private var highest: [FoundingID: UInt64] = [:]

  mutating func assume(_ audit: PeerAudit) {
    guard let founding = audit.founding else { return }
    stoodFor.insert(Term(founding: founding, term: audit.term))
  }

  mutating func hear(insider moment: Moment) {
    guard let founding = moment.audit.founding, moment.audit.vote == moment.id else { return }
    stoodFor.insert(Term(founding: founding, term: moment.audit.term))
  }

  /// The one node that an operator has named begins in a term of its own; nobody votes yet.
  ///
  /// - Returns: the founding that ends by it.
  private func foundingLeft(
    by moment: Moment, in simulation: Simulation
  ) -> FoundingID? {
    guard let core = simulation.nodes[moment.node].running?.core,
      let link = core.registerLink, let recovery = link.body.recoveries.last,
      recovery.to == moment.audit.founding, recovery.voter == moment.id,
      moment.before?.founding == recovery.from, moment.audit.term == link.version.term
    else { return nil }
    return recovery.from
  }

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let founding = moment.audit.founding, moment.audit.term > 0,
      moment.before?.term != moment.audit.term || moment.before?.founding != founding
        || moment.audit.isCandidate
    else { return }
    let term = Term(founding: founding, term: moment.audit.term)
    if moment.audit.vote == moment.id { stoodFor.insert(term) }
    if let left = foundingLeft(by: moment, in: simulation) {
      stoodFor.insert(term)
      bounds[left] = min(bounds[left] ?? .max, term.term)
    }
    highest[founding] = max(highest[founding] ?? 0, term.term)
    for (left, bound) in bounds where highest[left] ?? 0 >= bound {
      throw broken(
        simulation, "a founding that was recovered in term \(bound) has that term or a higher one")
    }
    guard !stoodFor.contains(term) else { return }
    throw broken(
      simulation,
      "\(simulation.nodes[moment.node].name) is in term \(moment.audit.term), "
        + "for which no voter has stood")
  }
}
