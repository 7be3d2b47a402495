import MusterProtocol
import MusterState

/// Who has a copy of a release that this node lacks, as its view of the cluster says.
package struct PeerCopies: Hashable, Sendable {
  /// Where it can be had now.
  package var holders: [Address]
  /// Whether somebody else lacks it who would hand it on.
  package var isAwaited: Bool
  /// Whether this node is the one that asks the source while nobody has it.
  package var goesFirst: Bool

  package init(of reference: ReleaseReference, in view: ClusterView) {
    var holders: [Address] = []
    var lacking: [NodeID] = []
    var offers = false
    for member in view.members where member.state == .alive {
      guard let offer = member.offer else { continue }
      if member.id == view.node {
        offers = true
      } else if offer.holds(reference) {
        // The host is the member's own, so that nobody can send others to a third party.
        holders.append(Address(host: member.address.host, port: offer.port))
      } else {
        lacking.append(member.id)
      }
    }
    self.holders = holders
    isAwaited = !lacking.isEmpty
    goesFirst = lacking.isEmpty || offers && lacking.allSatisfy { view.node < $0 }
  }
}
