import MusterState
import MusterSystem

/// Turns an unpacked tree into what a release is for ever: read-only, durable and listed.
///
/// Every file and directory is synced. Modes become 0555 for programs and directories and 0444
/// for other files, whatever the archive or a umask said, so that every leader that unpacks the
/// same archive gets the same manifest, and every node's user can read what it has to verify.
struct ReleaseSealing {
  let store: ReleaseStore
  let cancellation: Cancellation
  private(set) var entries: [Manifest.Entry] = []

  static let programMode: UInt32 = 0o555
  static let fileMode: UInt32 = 0o444

  init(store: ReleaseStore, cancellation: Cancellation) {
    self.store = store
    self.cancellation = cancellation
  }

  /// Seals everything below `directory`, and leaves the directory itself writable.
  mutating func seal(
    _ directory: borrowing StoreDirectory, prefix: String = ""
  ) throws(StoreError) {
    let names = try store.storing { () throws(SystemError) in
      try directory.names(limit: ManifestLimits.entries)
    }
    for name in names {
      let path = prefix + name
      if let problem = ReleasePath.problem(of: path) { throw .fetch(.unsafe, problem) }
      guard entries.count < ManifestLimits.entries else {
        throw .fetch(.limit, "the release has more than \(ManifestLimits.entries) entries")
      }
      let status = try store.storing { () throws(SystemError) in try directory.status(name) }
      switch status.kind {
      case .directory:
        entries.append(
          Manifest.Entry(path: path, content: .directory(mode: Self.programMode)))
        let child = try store.storing { () throws(SystemError) in try directory.directory(name) }
        try seal(child, prefix: path + "/")
        try store.storing { () throws(SystemError) in
          try child.setMode(Self.programMode)
          try child.sync()
        }
      case .file:
        try sealFile(name, path, status, in: directory)
      case .link:
        try sealLink(name, path, in: directory)
      case .other:
        throw .fetch(.unsafe, "\(path) is a device, pipe or socket")
      }
    }
  }

  private mutating func sealFile(
    _ name: String, _ path: String, _ status: StoreStatus, in directory: borrowing StoreDirectory
  ) throws(StoreError) {
    let mode = status.mode & 0o111 == 0 ? Self.fileMode : Self.programMode
    let sealed = try store.storing { () throws(SystemError) in
      try directory.seal(name, mode: mode) { cancellation.isCancelled }
    }
    guard let digest = Bytes32(sealed.digest) else {
      preconditionFailure("SHA-256 has thirty-two bytes")
    }
    entries.append(
      Manifest.Entry(
        path: path, content: .file(mode: mode, size: sealed.size, digest: Digest(digest))))
  }

  private mutating func sealLink(
    _ name: String, _ path: String, in directory: borrowing StoreDirectory
  ) throws(StoreError) {
    let target = try store.storing { () throws(SystemError) in try directory.target(ofLink: name) }
    if let problem = ReleasePath.problem(ofLinkAt: path, to: target) {
      throw .fetch(.unsafe, problem)
    }
    entries.append(Manifest.Entry(path: path, content: .link(target: target)))
  }
}
