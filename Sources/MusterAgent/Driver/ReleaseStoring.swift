import MusterReleases
import MusterState

/// What the executor needs of the release store. Every call returns at once; completions come on
/// the event loop's thread, each exactly once and never from within the call.
package protocol ReleaseStoring: AnyObject {
  /// Brings a release onto the shared filesystem and publishes it. At most one runs at a time:
  /// the executor cancels one before it orders another, which begins when the first has ended.
  func fetch(
    _ order: FetchOrder, progress: @escaping (FetchProgress) -> Void,
    completion: @escaping (Result<ReleaseReference, StoreFailure>) -> Void)

  /// Ends the fetch under way, which then completes with a failure. Without one, does nothing.
  func cancelFetch()

  /// Checks every byte of a published release against its reference, afresh at each call.
  func verify(
    _ reference: ReleaseReference,
    completion: @escaping (Result<Void, StoreFailure>) -> Void)

  /// Looks at every file of a published release, and names everything that is wrong.
  func inspect(
    _ reference: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void)

  /// Reads which version an index names as the latest.
  func read(
    _ index: IndexOrder, completion: @escaping (Result<ReleaseSource, StoreFailure>) -> Void)

  /// Removes published releases other than `keeping`, and what crashes left, by the store's own
  /// rules of age and term. For the leader alone; nothing depends on its success.
  func collect(keeping: [ReleaseReference], term: UInt64)

  /// Removes this node's own copies of all but these versions, of whatever age; for a store that no
  /// other node shares. The completion says whether all of it went.
  func free(
    allBut versions: [String], keeping: [ReleaseReference], term: UInt64,
    completion: @escaping (Bool) -> Void)

  /// Removes what an operator wants gone, by the same rules; a version that is named goes at any
  /// age. The completion says in one line what went, or why nothing more did.
  func collect(_ order: CollectOrder, completion: @escaping (String) -> Void)

  /// Removes what crashes left behind an hour ago or earlier, in lower terms. For the leader alone.
  func tidy(term: UInt64)

  /// Ends a `collect(_:completion:)` under way between two releases.
  func cancelCollect()

  /// Where releases come from, and the term that says so: a store that no other node shares
  /// fetches for itself what it is to verify.
  func learn(_ sources: [ReleaseSource], term: UInt64)

  /// Whether this node keeps its own copies.
  var isLocal: Bool { get }

  /// Hands these copies on to others that share no directory, and says where; `nil` where that is
  /// not so.
  func offer(_ verified: [ReleaseReference]) -> ReleaseOffer?

  /// Of a download of this node's own copy.
  var progress: FetchProgress? { get }

  /// Which release must be readable through the mount: what `storageState` is probed with.
  func expect(_ current: ReleaseReference?)

  /// The directory in which a published release is, or would be.
  func path(of reference: ReleaseReference) -> String

  /// One word for the shared directory (ready, read-only, full, lost …), and the next step.
  var storageState: String { get }

  /// The filesystem behind it; `nil` while it cannot be asked.
  var volume: StorageVolume? { get }

  /// Called whenever one of these two has changed.
  var onStorageChange: (() -> Void)? { get set }

  /// Called when the expected release is found damaged, whoever looked at it.
  var onDamage: ((ReleaseReference) -> Void)? { get set }
}

/// Why the store did not do what it was asked to: one line for people.
package struct StoreFailure: Error, Hashable, Sendable {
  package let reason: String
  /// Whether the same call may succeed later without anybody changing it.
  package let mayPass: Bool
  /// Whether the published copy itself is wrong, so that only another one can help.
  package let isCorrupt: Bool

  package init(reason: String, mayPass: Bool, isCorrupt: Bool = false) {
    self.reason = reason
    self.mayPass = mayPass
    self.isCorrupt = isCorrupt
  }
}
