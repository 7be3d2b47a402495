/// What can be done with the shared directory from this node.
package enum StorageState: Hashable, Sendable {
  case notConfigured
  /// Not usable yet, and nothing is known to be wrong: not mounted so far, or a release that was
  /// published a moment ago is not visible here.
  case waiting(Awaited)
  case ready
  /// Enough for a worker; a leader cannot publish.
  case readOnly
  /// Less is free than a release needs at least.
  case full(freeBytes: UInt64)
  /// This user may not read or write there.
  case denied(String)
  /// The server or the mount does not answer, or answers with an error, or what was mounted here
  /// is not any more.
  case lost(String)
  /// Everything works, but the current release, which is published, is not here.
  case notShared(release: String)
  /// The current release is here, but its manifest does not read back as published.
  case damaged(release: String, reason: String)

  package enum Awaited: Hashable, Sendable {
    /// The first answer of the directory.
    case answer
    /// The directory itself.
    case directory
    case release(String)
  }

  /// One word, for people and scripts.
  package var name: String {
    switch self {
    case .notConfigured: "not-configured"
    case .waiting: "waiting"
    case .ready: "ready"
    case .readOnly: "read-only"
    case .full: "full"
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
    case .notConfigured, .waiting, .denied, .lost, .notShared, .damaged: false
    }
  }

  /// What the operator should do; empty when nothing is wrong.
  package func nextStep(shared: String) -> String {
    switch self {
    case .notConfigured:
      "start the agent with --shared DIR, a directory that all nodes see"
    case .waiting(.answer):
      "\(shared) has not answered yet"
    case .waiting(.directory):
      "mount the shared filesystem at \(shared), or correct --shared"
    case .waiting(.release(let release)):
      "\(release) is published and not visible at \(shared) yet; some seconds are usual"
    case .ready:
      ""
    case .readOnly:
      "mount \(shared) writable on nodes that may lead; workers need no more than this"
    case .full(let free):
      "free some space on \(shared), where \(free >> 20) MiB are left, or remove old releases "
        + "with 'muster release gc'"
    case .denied(let reason):
      "let this user read and write \(shared)/releases (\(reason))"
    case .lost(let reason):
      "check the mount and the server of \(shared), then mount it again (\(reason))"
    case .notShared(let release):
      "mount on \(shared) the filesystem that the other nodes use: \(release) is published but "
        + "is not there"
    case .damaged(let release, let reason):
      "\(release) has to be published anew under the next repair number, which the leader orders: "
        + reason
    }
  }

  /// The name and the next step in one line, as status messages carry them.
  package func line(shared: String) -> String {
    let step = nextStep(shared: shared)
    return step.isEmpty ? name : "\(name): \(step)"
  }
}
