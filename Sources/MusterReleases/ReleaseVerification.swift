import MusterState
import MusterSystem

extension ReleaseStore {
  /// Checks every byte of a published release against the one digest that a node trusts.
  ///
  /// The manifest is opened afresh and must have the digest that `reference` names; then every
  /// file, mode, size, link and directory must be as it says, and nothing may be missing or extra.
  ///
  /// - Throws: `missing`, `corrupt` with the path concerned, `storage`, or `cancelled`.
  package func verify(
    _ reference: ReleaseReference, cancellation: Cancellation = Cancellation()
  ) throws(StoreError) {
    // A handle can go stale under us when a directory's server restarts; a fresh one is good.
    for _ in 1..<Self.stalenessAttempts {
      do throws(StoreError) {
        return try verifyOnce(reference, cancellation)
      } catch {
        guard case .storage(.lost, _) = error else { throw error }
      }
    }
    try verifyOnce(reference, cancellation)
  }

  private static let stalenessAttempts = 3

  private func verifyOnce(
    _ reference: ReleaseReference, _ cancellation: Cancellation
  ) throws(StoreError) {
    let name = reference.directoryName
    let manifest = try manifest(of: reference)
    let releases = try openReleases(creating: false)
    var inspection = Inspection(
      store: self, release: name, manifest: manifest, cancellation: cancellation)
    let root = try storing { () throws(SystemError) in try releases.directory(name) }
    try inspection.inspect(root, prefix: "")
    try inspection.finish()
  }
}

/// One walk through a release, comparing everything that is there with its entry.
private struct Inspection {
  let store: ReleaseStore
  let release: String
  let manifest: Manifest
  let cancellation: Cancellation
  private var seen: [Bool]

  init(
    store: ReleaseStore, release: String, manifest: Manifest, cancellation: Cancellation
  ) {
    self.store = store
    self.release = release
    self.manifest = manifest
    self.cancellation = cancellation
    seen = Array(repeating: false, count: manifest.entries.count)
  }

  mutating func inspect(
    _ directory: borrowing StoreDirectory, prefix: String
  ) throws(StoreError) {
    let names = try store.storing { () throws(SystemError) in
      try directory.names(limit: ManifestLimits.entries)
    }
    for name in names {
      let path = prefix + name
      if path.utf8.elementsEqual(Manifest.fileName.utf8) { continue }
      if cancellation.isCancelled { throw .cancelled }
      guard let index = manifest.index(of: path) else {
        throw corrupt(path, "is not in the manifest")
      }
      seen[index] = true
      try compare(name, in: directory, with: manifest.entries[index])
      if case .directory = manifest.entries[index].content {
        let child = try store.storing { () throws(SystemError) in try directory.directory(name) }
        try inspect(child, prefix: path + "/")
      }
    }
  }

  private func compare(
    _ name: String, in directory: borrowing StoreDirectory, with entry: Manifest.Entry
  ) throws(StoreError) {
    let status = try store.storing { () throws(SystemError) in try directory.status(name) }
    switch entry.content {
    case .directory(let mode):
      guard status.kind == .directory else { throw corrupt(entry.path, "is no directory") }
      try compare(status.mode, with: mode, entry)
    case .link(let target):
      guard status.kind == .link else { throw corrupt(entry.path, "is no link") }
      let found = try store.storing { () throws(SystemError) in
        try directory.target(ofLink: name)
      }
      guard found.utf8.elementsEqual(target.utf8) else {
        throw corrupt(entry.path, "points to \(found), not to \(target)")
      }
    case .file(let mode, let size, let digest):
      guard status.kind == .file else { throw corrupt(entry.path, "is no file") }
      try compare(status.mode, with: mode, entry)
      guard status.size == size else {
        throw corrupt(entry.path, "has \(status.size) bytes, not \(size)")
      }
      let found = try store.storing { () throws(SystemError) in
        try directory.digest(name) { cancellation.isCancelled }
      }
      guard found.size == size, digest.bytes.bytes == found.digest else {
        throw corrupt(entry.path, "has SHA-256 \(hexadecimal(found.digest)), not \(digest)")
      }
    }
  }

  private func compare(
    _ found: UInt32, with mode: UInt32, _ entry: Manifest.Entry
  ) throws(StoreError) {
    guard found != mode else { return }
    throw corrupt(
      entry.path, "has mode \(String(found, radix: 8)), not \(String(mode, radix: 8))")
  }

  func finish() throws(StoreError) {
    if let index = seen.firstIndex(of: false) {
      throw corrupt(manifest.entries[index].path, "is missing")
    }
  }

  private func corrupt(_ path: String, _ reason: String) -> StoreError {
    .corrupt(
      release: release, path: "\(store.shared)/releases/\(release)/\(path)", reason: reason)
  }
}
