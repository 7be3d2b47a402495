import MusterProtocol
import MusterState

/// Nobody honest is ever in a term for which no honest voter has stood: a member that merely claims
/// a term, or leadership without votes, moves nobody (certificates, R5 and R7).
struct TermsAreWon: Checker {
  let name = "terms-are-won"
  private struct Term: Hashable {
    var founding: FoundingID
    var term: UInt64
  }
  private var stoodFor: Set<Term> = []

  mutating func assume(_ audit: PeerAudit) {
    guard let founding = audit.founding else { return }
    stoodFor.insert(Term(founding: founding, term: audit.term))
  }

  mutating func hear(insider moment: Moment) {
    guard let founding = moment.audit.founding, moment.audit.vote == moment.id else { return }
    stoodFor.insert(Term(founding: founding, term: moment.audit.term))
  }

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let founding = moment.audit.founding, moment.audit.term > 0,
      moment.before?.term != moment.audit.term || moment.before?.founding != founding
        || moment.audit.isCandidate
    else { return }
    let term = Term(founding: founding, term: moment.audit.term)
    if moment.audit.vote == moment.id { stoodFor.insert(term) }
    guard !stoodFor.contains(term) else { return }
    throw broken(
      simulation,
      "\(simulation.nodes[moment.node].name) is in term \(moment.audit.term), "
        + "for which no voter has stood")
  }
}
