import MusterState

/// A published copy, and where peers hand it on: below each URL its manifest and its files.
package struct CopySource: Sendable {
  package let reference: ReleaseReference
  package let urls: [String]

  package init(_ reference: ReleaseReference, at peers: [Address]) {
    self.reference = reference
    urls = peers.map { "http://\($0)/release/\(reference.manifest)" }
  }
}
