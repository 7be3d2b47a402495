import MusterState
import MusterSystem

/// The releases on the shared filesystem.
///
/// `SHARED/releases/<version>-<digest>-<repair>/` is immutable from the moment it is visible:
/// written under a private name, synced, renamed whole. There is no mutable name on the share,
/// no lock and no marker; what is current is for the register to say. Every function blocks, for
/// as long as an absent file server takes, and belongs on a worker thread.
package struct ReleaseStore: Sendable {
  /// The directory that all nodes share; empty when none is configured.
  package let shared: String

  /// Free bytes below which nothing is fetched and the storage is called full.
  package static let minimumFreeBytes: UInt64 = 64 << 20
  /// Names below `releases/` that are looked at.
  static let names = 10_000

  package init(shared: String) { self.shared = shared }

  /// Where a release is, or would be.
  package func path(of reference: ReleaseReference) -> String {
    "\(shared)/releases/\(reference.directoryName)"
  }

  /// What the manifest of a release says, read afresh; its digest is checked, its files are not.
  package func manifest(of reference: ReleaseReference) throws(StoreError) -> Manifest {
    guard isVersion(reference.version) else {
      throw .refused("\"\(reference.version)\" is no version, so no release can have it")
    }
    let releases = try openReleases(creating: false)
    let name = reference.directoryName
    let manifest = try manifest(in: releases, name)
    guard manifest.version == reference.version, manifest.digest == reference.manifest else {
      throw .corrupt(
        release: name, path: "\(releases.path)/\(name)/\(Manifest.fileName)",
        reason: "has digest \(manifest.digest), not \(reference.manifest)")
    }
    return manifest
  }

  /// The filesystem that holds the shared directory.
  package func volume() throws(StoreError) -> StoreVolume {
    try storing { () throws(SystemError) in try StoreVolume(at: shared) }
  }

  /// What is published, as the manifests say it; their files are not looked at. Empty where
  /// nothing was ever published, or nothing is mounted.
  package func list() throws(StoreError) -> StoreListing {
    do throws(StoreError) {
      return try listing(of: try openReleases(creating: false))
    } catch {
      if case .storage(.waiting, _) = error { return StoreListing() }
      throw error
    }
  }

  private func listing(of releases: borrowing StoreDirectory) throws(StoreError) -> StoreListing {
    var listing = StoreListing()
    for name in try storing({ () throws(SystemError) in try releases.names(limit: Self.names) }) {
      switch StoreName(name) {
      case .release(_, _, let repair):
        let reference = try readableManifest(in: releases, name)?.reference(repair: repair)
        if let reference, reference.directoryName == name {
          listing.releases.append(reference)
        } else {
          listing.damaged.append(name)
        }
      case .stage: listing.stages.append(name)
      case .trash, .probe: continue
      case nil: listing.foreign.append(name)
      }
    }
    return listing
  }

  // MARK: Shared by the other files

  /// The directory of all releases, made when `creating` and it is not there.
  func openReleases(creating: Bool) throws(StoreError) -> StoreDirectory {
    guard !shared.isEmpty else { throw .storage(.notConfigured, shared: shared) }
    do throws(SystemError) {
      let root = try StoreDirectory.open(shared)
      if creating {
        try root.makeDirectory("releases", mode: 0o755)
        try root.sync()
      }
      return try root.directory("releases")
    } catch {
      if error.isMissing || error.isNotDirectory {
        throw .storage(.waiting(.directory), shared: shared)
      }
      throw StoreError(error, shared: shared)
    }
  }

  /// Runs a step on the store and sorts what goes wrong.
  func storing<Value: ~Copyable>(
    _ step: () throws(SystemError) -> Value
  ) throws(StoreError) -> Value {
    do throws(SystemError) {
      return try step()
    } catch {
      throw StoreError(error, shared: shared)
    }
  }

  /// The same as `manifest(in:_:)`; `nil` when there is none, or none that can be read.
  func readableManifest(
    in releases: borrowing StoreDirectory, _ name: String
  ) throws(StoreError) -> Manifest? {
    do throws(StoreError) {
      return try manifest(in: releases, name)
    } catch {
      switch error {
      case .missing, .corrupt: return nil
      case .refused, .storage, .fetch, .cancelled, .system: throw error
      }
    }
  }

  /// Reads the manifest of the release directory `name` afresh.
  func manifest(
    in releases: borrowing StoreDirectory, _ name: String
  ) throws(StoreError) -> Manifest {
    let path = "\(releases.path)/\(name)/\(Manifest.fileName)"
    let text: [UInt8]
    do throws(SystemError) {
      text = try releases.directory(name).read(
        Manifest.fileName, limit: ManifestLimits.bytes)
    } catch {
      if error.isMissing { throw .missing(release: name, path: error.subject) }
      if error.isTooLarge || error.isNotDirectory {
        throw .corrupt(release: name, path: path, reason: "is no manifest (\(error.reason))")
      }
      throw StoreError(error, shared: shared)
    }
    do throws(ManifestError) {
      return try Manifest(parsing: text)
    } catch {
      throw .corrupt(release: name, path: path, reason: "cannot be read: \(error)")
    }
  }
}

/// The names below `releases/`, sorted out.
package struct StoreListing: Equatable, Sendable {
  package var releases: [ReleaseReference] = []
  /// Directories whose name and manifest do not belong together, or that have none.
  package var damaged: [String] = []
  /// Downloads under way, or what a crash left of them.
  package var stages: [String] = []
  /// Names that Muster never made and never touches.
  package var foreign: [String] = []

  package init() {}
}
