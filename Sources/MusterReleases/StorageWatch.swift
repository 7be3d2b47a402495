import MusterState
import MusterSystem

/// What one look at the shared directory has found.
package struct StorageSurvey: Sendable {
  package var state: StorageState
  /// The filesystem that was looked at; `nil` when it could not be asked.
  package var volume: StoreVolume?
  /// Whether the release that was expected has been read through this mount.
  package var hasReadBack: Bool

  package init(state: StorageState, volume: StoreVolume?, hasReadBack: Bool) {
    self.state = state
    self.volume = volume
    self.hasReadBack = hasReadBack
  }
}

/// Judges one look at the shared directory by those before it: a directory that was never usable
/// is waited for, and one that was is lost; what was published a moment ago may not be visible.
package struct StorageWatch: Sendable {
  /// How long a release may take to become visible. Attribute caches are a few seconds old.
  package static let visibility: Int64 = 10_000_000_000

  /// The filesystem on which the directory was last usable. Nothing is written to another one
  /// until a release is read there: an unmounted directory is one on the wrong disk.
  package private(set) var home: StoreVolume.Identity?
  private var expected: ReleaseReference?
  private var expectedSince: Int64 = 0

  package init() {}

  package mutating func expect(_ release: ReleaseReference?, at now: Int64) {
    guard release != expected else { return }
    expected = release
    expectedSince = now
  }

  package mutating func judge(_ survey: StorageSurvey, at now: Int64) -> StorageState {
    switch survey.state {
    case .ready, .readOnly, .full:
      home = survey.volume?.identity ?? home
      return survey.state
    case .waiting(.directory) where home != nil:
      return .lost("the directory is gone")
    case .notShared(let release):
      if let home, survey.volume?.identity.isBeneath(home) ?? false {
        return .lost("the \(home.type) filesystem that was mounted there is gone")
      }
      return now - expectedSince < Self.visibility ? .waiting(.release(release)) : survey.state
    case .notConfigured, .waiting, .denied, .lost, .damaged:
      return survey.state
    }
  }
}
