import MusterState
import MusterSystem

/// Why the release store did not do what it was asked to.
///
/// Whatever the case, no partial release is visible and nothing published was changed.
package enum StoreError: Error, Hashable, Sendable {
  /// The order or reference itself is impossible; nothing was touched.
  case refused(String)
  /// The shared directory cannot be used; a stage may be left, which the next fetch removes.
  case storage(StorageState, shared: String)
  /// The archive could not be brought or unpacked; the stage is removed.
  case fetch(FetchProblem, String)
  /// No directory of this release is visible here, or none with a manifest. Trying again helps
  /// when it was published a moment ago: some filesystems remember for a while what was missing.
  case missing(release: String, path: String)
  /// A published copy is not what its manifest says. It is left as it is, for the operator.
  case corrupt(release: String, path: String, reason: String)
  /// The caller cancelled; the stage is removed.
  case cancelled
  /// A system call failed in a way that says nothing about the storage as a whole.
  case system(SystemError)

  /// The same as the word after `failed` of the download program.
  package enum FetchProblem: String, Hashable, Sendable {
    case usage, network, refused, busy, checksum, signature, space, limit, archive, unsafe, disk
    /// The program did not run, or ended without saying why.
    case program
  }

  /// Whether the same order may succeed later without anybody changing it.
  package var mayPass: Bool {
    switch self {
    case .storage, .missing, .cancelled, .system: true
    case .fetch(let problem, _): [.network, .busy, .disk, .program].contains(problem)
    case .refused, .corrupt: false
    }
  }
}

extension StoreError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .refused(let reason): reason
    case .storage(let state, let shared):
      "the shared directory is \(state.line(shared: shared))"
    case .fetch(let problem, let message): "fetch failed (\(problem.rawValue)): \(message)"
    case .missing(let release, let path):
      "release \(release) is not visible: \(path) is missing; check that this node mounts the "
        + "same shared directory as the others"
    case .corrupt(let release, let path, let reason):
      "release \(release) is corrupt: \(path) \(reason); a new copy has to be published under "
        + "the next repair number"
    case .cancelled: "cancelled"
    case .system(let error): error.description
    }
  }

  /// Sorts a failed system call: most say something about the storage as a whole.
  init(_ error: SystemError, shared: String) {
    self =
      if error.isCancelled { .cancelled } else if error.isReadOnly {
        .storage(.readOnly, shared: shared)
      } else if error.isFull {
        .storage(.full(freeBytes: 0), shared: shared)
      } else if error.isDenied {
        .storage(.denied(error.description), shared: shared)
      } else if error.isLost { .storage(.lost(error.description), shared: shared) } else {
        .system(error)
      }
  }
}
