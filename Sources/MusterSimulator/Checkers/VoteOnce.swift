import MusterProtocol
import MusterState

/// An identity shows at most one vote in a founding and term, and its term never goes back, across
/// restarts too (I3).
struct VoteOnce: Checker {
  let name = "vote-once"
  private struct Voter: Hashable {
    var id: NodeID
    var founding: FoundingID
  }
  private struct Ballot: Hashable {
    var voter: Voter
    var term: UInt64
  }
  private var terms: [Voter: UInt64] = [:]
  private var votes: [Ballot: NodeID] = [:]

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    guard let shown = moment.shown, let founding = shown.founding else { return }
    let voter = Voter(id: moment.id, founding: founding)
    if let term = terms[voter], shown.term < term {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name) went back from term \(term) to \(shown.term)")
    }
    terms[voter] = shown.term
    guard let vote = shown.vote else { return }
    let ballot = Ballot(voter: voter, term: shown.term)
    if let earlier = votes[ballot], earlier != vote {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name) voted for \(earlier.short) and \(vote.short) "
          + "in term \(shown.term)")
    }
    votes[ballot] = vote
  }
}
