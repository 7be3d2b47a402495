import MusterState

/// The voters of the next register: at most one change from `body`, towards an odd number of
/// stable members. See `proto/README.md`, "Voters".
func nextElectorate(of body: RegisterBody, _ observation: Observation) -> [NodeID] {
  let voters = body.voters
  let limits = observation.limits
  func isGone(_ id: NodeID) -> Bool {
    guard let node = observation.node(id) else { return true }
    return node.isLeaving || body.forgotten.contains(id) || !body.roster.containsSorted(id)
      || !node.isAlive && node.sinceMilliseconds >= limits.voterDemotion
  }
  // Higher priority first, then smaller identity: the same whatever order they were seen in.
  let candidates = observation.nodes.filter {
    $0.isAlive && !$0.isLeaving && $0.sinceMilliseconds >= limits.voterStable
      && body.roster.containsSorted($0.id) && !voters.contains($0.id)
  }.sorted { isWantedBefore($0.id, $1.id, observation) }.map(\.id)
  let gone = voters.filter { isGone($0) && $0 != observation.leader }

  // Add before removing, so that the quorum never depends on the one that is gone.
  if let lost = gone.first {
    if voters.count.isMultiple(of: 2) || candidates.isEmpty && voters.count > 3 {
      return voters.filter { $0 != lost }
    }
    if let newcomer = candidates.first, voters.count < Limits.voters {
      return (voters + [newcomer]).sorted()
    }
    let isDecided = body.forgotten.contains(lost) || !body.roster.contains(lost)
    return isDecided && voters.count > 1 ? voters.filter { $0 != lost } : voters
  }
  if voters.count.isMultiple(of: 2) {
    // An even electorate grows to odd when it can, and shrinks otherwise.
    if let newcomer = candidates.first, voters.count < Limits.voters {
      return (voters + [newcomer]).sorted()
    }
    let spare = voters.filter { $0 != observation.leader }
      .max { isWantedBefore($0, $1, observation) }
    // Of two voters both are needed, of one only one: with two members left one is safer.
    let mayShrink = voters.count > 2 || body.roster.count <= 2
    return mayShrink ? voters.filter { $0 != spare } : voters
  }
  let wanted = wantedVoters(members: voters.count + candidates.count)
  if voters.count < wanted, let newcomer = candidates.first {
    return (voters + [newcomer]).sorted()
  }
  return voters
}

/// Voters are wanted by priority, then by identity. Nobody is replaced for a better one: that
/// would be a change for its own sake.
private func isWantedBefore(_ left: NodeID, _ right: NodeID, _ sight: Observation) -> Bool {
  let priorities = (sight.node(left)?.priority ?? 0, sight.node(right)?.priority ?? 0)
  return priorities.0 != priorities.1 ? priorities.0 > priorities.1 : left < right
}

/// One voter up to two members, three up to four, five up to six, seven from then on.
func wantedVoters(members: Int) -> Int {
  members >= 7 ? 7 : members >= 5 ? 5 : members >= 3 ? 3 : 1
}
