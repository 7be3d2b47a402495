import MusterState

/// One node of the mesh as a value: inputs and time go in, effects come out.
package struct Peer: Sendable {
  /// - Parameter durable: what the last `Effect.persist` of this identity wrote; `nil` at first.
  package init(
    configuration: PeerConfiguration, durable: [UInt8]?, cryptography: any Cryptography,
    at now: Instant
  ) throws(PeerError) {
  }

  package let id = NodeID(.zero)

  /// The one way in. Effects are to be carried out in order.
  package mutating func handle(_ input: Input, at now: Instant) -> [Effect] { [] }

  /// When `Input.timer` is wanted next; `nil`: never.
  package var deadline: Instant? { nil }

  /// A snapshot for the operator.
  package func view(at now: Instant) -> ClusterView { preconditionFailure("not yet built") }
}

/// Why a peer cannot be made from what it was given.
package enum PeerError: Error, Hashable, Sendable {
  /// The durable state is not of this protocol, or damaged; nothing was changed.
  case unreadableState(String)
}
