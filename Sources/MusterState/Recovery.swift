/// An operator's decision that a founding whose majority of voters is lost goes on as a new one,
/// with one node as its only voter. The authority's signature makes it one.
package struct Recovery: Hashable, Sendable {
  /// The founding that ends, and the register of it that the new one begins with.
  package var from: FoundingID
  package var version: RegisterVersion
  package var digest: Digest
  /// The founding that begins.
  package var to: FoundingID
  /// Who alone votes in it at first, and alone may carry this out.
  package var voter: NodeID
  /// Sorted; further foundings whose nodes are to follow, where one cluster was founded twice.
  package var absorbed: [FoundingID]
  package var signature: Signature

  package init(
    from: FoundingID, version: RegisterVersion, digest: Digest, to: FoundingID, voter: NodeID,
    absorbed: [FoundingID] = [], signature: Signature = Signature(first: .zero, second: .zero)
  ) {
    self.from = from
    self.version = version
    self.digest = digest
    self.to = to
    self.voter = voter
    self.absorbed = absorbed
    self.signature = signature
  }

  /// Whether nodes of this founding are to follow.
  package func ends(_ founding: FoundingID) -> Bool {
    from == founding || absorbed.contains(founding)
  }

  /// What the authority signs: the purpose, a zero byte, the cluster, and everything above.
  package func message(cluster: ClusterID) -> [UInt8] {
    var bytes = Array("muster recovery v1".utf8) + [0] + cluster.bytes.bytes
    bytes += from.bytes.bytes + Bytes16(high: version.term, low: version.count).bytes
    bytes += digest.bytes.bytes + to.bytes.bytes + voter.bytes.bytes
    return bytes + absorbed.flatMap(\.bytes.bytes)
  }
}
