import MusterState

/// Who leads publishes, and can do that only where the others look. A leader that keeps its own
/// copies is no use to those that share a directory, while theirs are of use to everyone.
///
/// - Returns: what stands in the way of publishing, and what to do; empty: nothing.
func refusePublishing(by leader: NodeID?, among nodes: [Observation.Node]) -> String {
  guard let own = nodes.first(where: { $0.id == leader }), own.keepsOwnCopies else { return "" }
  // Who has said nothing of its storage may yet turn out to be either.
  let sharing = nodes.filter { $0.isAlive && !$0.keepsOwnCopies && !$0.storage.isEmpty }
  guard !sharing.isEmpty else { return "" }
  let names = listed(sharing.map(\.id.short), ", ", rest: " ")
  return "node \(own.id.short) leads and keeps its own copies, so nobody publishes where \(names) "
    + "look: 'muster leader step-down --to NODE' hands over to one of these"
}

extension Observation {
  /// The same, of the leader that deliberates.
  func publishingRefusal(_ body: RegisterBody) -> String {
    refusePublishing(
      by: leader, among: nodes.filter { body.roster.containsSorted($0.id) })
  }
}
