import MusterState

/// The job of every node in the roster, in its order: the policy `auto`. The leader is web, the
/// others are workers.
///
/// While the leader is not in the roster (it was admitted a moment ago, or it leaves) the old
/// table stands for those who remain.
func deriveRoles(roster: [NodeID], previous: RegisterBody, leader: NodeID) -> [Role] {
  guard roster.contains(leader) else {
    return roster.map { previous.role(of: $0) ?? .worker }
  }
  return roster.map { $0 == leader ? .web : .worker }
}
