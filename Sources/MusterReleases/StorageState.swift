/// What can be done with the shared directory from this node.
package enum StorageState: Hashable, Sendable {
  case notConfigured
  case ready
  /// Enough for a worker; a leader cannot publish.
  case readOnly
  /// Less is free than a release needs at least.
  case full(freeBytes: UInt64)
  /// The directory is not there: not mounted, or the path is wrong.
  case missing
  /// This user may not read or write there.
  case denied(String)
  /// The server or the mount does not answer, or answers with an error.
  case lost(String)
  /// Everything works, but the current release, which is published, is not here.
  case notShared(release: String)
  /// The current release is here, but its manifest does not read back as published.
  case damaged(release: String, reason: String)

  /// One word, for people and scripts.
  package var name: String {
    switch self {
    case .notConfigured: "not-configured"
    case .ready: "ready"
    case .readOnly: "read-only"
    case .full: "full"
    case .missing: "missing"
    case .denied: "denied"
    case .lost: "lost"
    case .notShared: "not-shared"
    case .damaged: "damaged"
    }
  }

  /// Whether releases can be verified and run from here.
  package var isReadable: Bool {
    switch self {
    case .ready, .readOnly, .full: true
    case .notConfigured, .missing, .denied, .lost, .notShared, .damaged: false
    }
  }

  /// What the operator should do; empty when nothing is wrong.
  package func nextStep(shared: String) -> String {
    switch self {
    case .notConfigured:
      "start the agent with --shared DIR, a directory that all nodes see"
    case .ready:
      ""
    case .readOnly:
      "mount \(shared) writable on nodes that may lead; workers need no more than this"
    case .full(let free):
      "free some space on \(shared), where \(free >> 20) MiB are left, or remove old releases"
    case .missing:
      "mount the shared filesystem at \(shared), or correct --shared"
    case .denied(let reason):
      "let this user read and write \(shared)/releases (\(reason))"
    case .lost(let reason):
      "check the mount and the server of \(shared), then mount it again (\(reason))"
    case .notShared(let release):
      "mount on \(shared) the filesystem that the other nodes use: \(release) is published but "
        + "is not there"
    case .damaged(let release, let reason):
      "publish \(release) anew under the next repair number: \(reason)"
    }
  }

  /// The name and the next step in one line, as status messages carry them.
  package func line(shared: String) -> String {
    let step = nextStep(shared: shared)
    return step.isEmpty ? name : "\(name): \(step)"
  }
}
