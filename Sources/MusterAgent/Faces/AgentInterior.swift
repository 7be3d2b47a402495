import MusterProtocol
import MusterReleases
import MusterState

/// Datagrams that were lost on this machine, on their way in and out: the protocol makes up for
/// them, and an operator should know.
package struct DatagramOverflow: Hashable, Sendable {
  package var received: UInt64 = 0
  package var unsent: UInt64 = 0
  package init() {}
}

/// What the faces see of the agent. Used on the event loop's thread only.
package protocol AgentInterior: AnyObject {
  /// A fresh snapshot; each call makes one.
  var view: ClusterView { get }
  /// The clock of the instants in `view`.
  var now: Instant { get }
  var history: EventHistory { get }
  var overflow: DatagramOverflow { get }
  /// Looks at every file of a published copy on this node's mount.
  func inspect(
    _ copy: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void)
  /// What the manifest of a published copy says.
  func manifest(
    of copy: ReleaseReference, completion: @escaping (Result<Manifest, StoreFailure>) -> Void)
  /// Hands an operator's request to the peer. `completion` is called once, perhaps at once.
  func submit(_ command: MusterProtocol.Command, completion: @escaping (Reply) -> Void)
}
