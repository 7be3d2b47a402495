import MusterProtocol
import MusterState

/// What the faces see of the agent. Used on the event loop's thread only.
package protocol AgentInterior: AnyObject {
  /// A fresh snapshot; each call makes one.
  var view: ClusterView { get }
  /// The clock of the instants in `view`.
  var now: Instant { get }
  var history: EventHistory { get }
  /// Hands an operator's request to the peer. `completion` is called once, perhaps at once.
  func submit(_ command: MusterProtocol.Command, completion: @escaping (Reply) -> Void)
}
