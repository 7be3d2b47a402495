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

  /// Removes published releases other than `keeping`, and what crashes left, by the store's own
  /// rules of age and term. For the leader alone; nothing depends on its success.
  func collect(keeping: [ReleaseReference], term: UInt64)

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
}

/// Why the store did not do what it was asked to: one line for people.
package struct StoreFailure: Error, Hashable, Sendable {
  package let reason: String
  /// Whether the same call may succeed later without anybody changing it.
  package let mayPass: Bool

  package init(reason: String, mayPass: Bool) {
    self.reason = reason
    self.mayPass = mayPass
  }
}
