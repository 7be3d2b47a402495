/// Which releases a node without a shared directory hands on to others, and where.
///
/// There is no host in it: it is the one at which the node is a member, so that nobody can send
/// others to a third party.
package struct ReleaseOffer: Hashable, Sendable {
  /// Of the read-only HTTP address.
  package var port: UInt16
  /// The beginnings of the digests of their manifests. They are no names: what comes is held to
  /// the whole digest.
  package var manifests: [UInt64]

  package init(port: UInt16, manifests: [UInt64] = []) {
    self.port = port
    self.manifests = manifests
  }

  /// The newest of them, as many as an offer holds.
  package init(port: UInt16, of references: [ReleaseReference]) {
    var manifests: [UInt64] = []
    for reference in references.reversed() {
      let manifest = Self.beginning(of: reference.manifest)
      if !manifests.contains(manifest) { manifests.append(manifest) }
    }
    self.init(port: port, manifests: Array(manifests.prefix(Limits.offers)))
  }

  package func holds(_ reference: ReleaseReference) -> Bool {
    manifests.contains(Self.beginning(of: reference.manifest))
  }

  private static func beginning(of digest: Digest) -> UInt64 {
    digest.bytes.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
