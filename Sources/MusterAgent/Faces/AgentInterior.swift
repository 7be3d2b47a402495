import MusterProtocol
import MusterReleases
import MusterState

/// What the faces see of the agent. Used on the event loop's thread only.
package protocol AgentInterior: AnyObject {
  /// A fresh snapshot; each call makes one.
  var view: ClusterView { get }
  /// The clock of the instants in `view`.
  var now: Instant { get }
  var history: EventHistory { get }
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
