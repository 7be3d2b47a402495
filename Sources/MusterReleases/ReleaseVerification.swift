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
    let inspection = try inspectOnce(reference, cancellation)
    guard let first = inspection.problems.first else { return }
    let more = inspection.problemCount - 1
    throw .corrupt(
      release: reference.directoryName, path: path(of: reference) + "/" + first.path,
      reason: first.reason + (more > 0 ? ", and \(more) more" : ""))
  }

  /// The same look as `verify`, which names everything that is wrong and not only the first.
  ///
  /// - Throws: `missing`, `corrupt` when the manifest itself is wrong, `storage` or `cancelled`.
  package func inspect(
    _ reference: ReleaseReference, cancellation: Cancellation = Cancellation()
  ) throws(StoreError) -> ReleaseInspection {
    for _ in 1..<Self.stalenessAttempts {
      do throws(StoreError) {
        return try inspectOnce(reference, cancellation)
      } catch {
        guard case .storage(.lost, _) = error else { throw error }
      }
    }
    return try inspectOnce(reference, cancellation)
  }

  private func inspectOnce(
    _ reference: ReleaseReference, _ cancellation: Cancellation
  ) throws(StoreError) -> ReleaseInspection {
    let manifest = try manifest(of: reference)
    let releases = try openReleases(creating: false)
    var walk = InspectionWalk(store: self, manifest: manifest, cancellation: cancellation)
    let root = try storing { () throws(SystemError) in
      try releases.directory(reference.directoryName)
    }
    try walk.inspect(root, prefix: "")
    walk.finish()
    return walk.result
  }
}

/// What a walk through a published release has found.
package struct ReleaseInspection: Hashable, Sendable {
  package struct Problem: Hashable, Sendable {
    /// Below the release's directory.
    package var path: String
    package var reason: String

    package init(path: String, reason: String) {
      self.path = path
      self.reason = reason
    }
  }

  /// Problems that are kept; further ones are only counted.
  package static let problemsKept = 100

  package var files = 0
  package var bytes: UInt64 = 0
  package var problems: [Problem] = []
  package var problemCount = 0

  package init() {}

  mutating func add(_ path: String, _ reason: String) {
    problemCount += 1
    if problems.count < Self.problemsKept {
      problems.append(Problem(path: path, reason: reason))
    }
  }
}

/// One walk through a release, comparing everything that is there with its entry.
private struct InspectionWalk {
  let store: ReleaseStore
  let manifest: Manifest
  let cancellation: Cancellation
  private(set) var result = ReleaseInspection()
  private var seen: [Bool]

  init(store: ReleaseStore, manifest: Manifest, cancellation: Cancellation) {
    self.store = store
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
        result.add(path, "is not in the manifest")
        continue
      }
      seen[index] = true
      let entry = manifest.entries[index]
      let problem = try problem(of: name, in: directory, against: entry)
      if let problem { result.add(path, problem) }
      if case .directory = entry.content, problem != Self.noDirectory {
        let child = try store.storing { () throws(SystemError) in try directory.directory(name) }
        try inspect(child, prefix: path + "/")
      }
    }
  }

  mutating func finish() {
    for index in seen.indices where !seen[index] {
      result.add(manifest.entries[index].path, "is missing")
    }
  }

  private static let noDirectory = "is no directory"

  private mutating func problem(
    of name: String, in directory: borrowing StoreDirectory, against entry: Manifest.Entry
  ) throws(StoreError) -> String? {
    let status = try store.storing { () throws(SystemError) in try directory.status(name) }
    switch entry.content {
    case .directory(let mode):
      guard status.kind == .directory else { return Self.noDirectory }
      return Self.problem(of: status.mode, against: mode)
    case .link(let target):
      guard status.kind == .link else { return "is no link" }
      let found = try store.storing { () throws(SystemError) in
        try directory.target(ofLink: name)
      }
      return found.utf8.elementsEqual(target.utf8) ? nil : "points to \(found), not to \(target)"
    case .file(let mode, let size, let digest):
      guard status.kind == .file else { return "is no file" }
      if let problem = Self.problem(of: status.mode, against: mode) { return problem }
      guard status.size == size else { return "has \(status.size) bytes, not \(size)" }
      let found = try store.storing { () throws(SystemError) in
        try directory.digest(name) { cancellation.isCancelled }
      }
      result.files += 1
      result.bytes += found.size
      guard found.size == size, digest.bytes.bytes == found.digest else {
        return "has SHA-256 \(hexadecimal(found.digest)), not \(digest)"
      }
      return nil
    }
  }

  private static func problem(of found: UInt32, against mode: UInt32) -> String? {
    found == mode
      ? nil : "has mode \(String(found, radix: 8)), not \(String(mode, radix: 8))"
  }
}
