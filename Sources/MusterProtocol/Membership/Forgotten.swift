import MusterState

/// How a member learns that it was forgotten while nobody spoke to it any more. See "First contact"
/// in `proto/README.md`.
extension Peer {
  /// A newcomer believes anyone. A member believes a majority of its register's voters, because one
  /// liar must not end it; they are asked at once.
  mutating func hearForgotten(by author: NodeID) {
    if ring.count <= 1 {
      stop(.forgotten)
      return
    }
    if isVoterOfRegister(author) { contacting.forgottenBy.insert(author) }
    if isForgottenByMajority {
      stop(.forgotten)
      return
    }
    for voter in voters where voter != id && !contacting.forgottenBy.contains(voter) {
      if let address = members[voter]?.card.address { contact(address, via: .gossip, tries: 3) }
    }
  }

  private func isVoterOfRegister(_ node: NodeID) -> Bool { voters.contains(node) }

  private var isForgottenByMajority: Bool {
    let others = voters.filter { $0 != id }
    return !others.isEmpty
      && others.filter { contacting.forgottenBy.contains($0) }.count >= others.count / 2 + 1
  }
}
