import MusterState

/// What the executor did with a release, for the history of this node.
package enum ReleaseStep: Hashable, Sendable {
  /// As the leader, this node has begun to fetch.
  case fetching(ReleaseSource)
  /// The fetched release is on the shared filesystem, for everyone.
  case published(ReleaseReference)
  /// Every byte of a published release was checked on this node's mount.
  case verified(ReleaseReference)
  /// A fetch or a verification failed; said again only when the reason changes.
  case failed(version: String, reason: String)
  /// What came of an order to remove releases, in one line.
  case collected(String)
  /// The word for the shared directory has changed.
  case storage(String)
}
