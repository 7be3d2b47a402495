import MusterState
import MusterSystem

/// Why a node's state directory cannot be used. Nothing in it was changed: a state that is not
/// understood is never written over.
package enum StateError: Error, Hashable, Sendable {
  /// The directory or a file in it cannot be made, read or written.
  case unusable(directory: String, SystemError)
  /// Another agent runs on it.
  case locked(directory: String)
  case insideShared(directory: String, shared: String)
  /// Others than its owner can read the node's secret.
  case exposed(path: String, mode: UInt32)
  /// It belongs to another cluster than the cluster file.
  case foreign(directory: String, found: ClusterID, wanted: ClusterID)
  case malformed(KeyedTextError, directory: String)
  /// The register's file is torn, changed, or of another node.
  case damaged(path: String, problem: String)
  /// A part is older than the others, or missing: a partial restore.
  case older(path: String, problem: String)
}

extension StateError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unusable(let directory, let error):
      "cannot use the state directory \(directory): \(error); give --state a directory on this "
        + "machine's own disk that this user may write"
    case .locked(let directory):
      "the state directory \(directory) is in use by another agent: stop that one, or give this "
        + "one a directory of its own with --state"
    case .insideShared(let directory, let shared):
      "the state directory \(directory) is inside the shared directory \(shared), which holds "
        + "releases and nothing else: give --state a directory on this machine's own disk"
    case .exposed(let path, let mode):
      "\(path) has mode 0\(String(mode, radix: 8)), so others than its owner can read this "
        + "node's secret: run `chmod 600 \(path)`"
    case .foreign(let directory, let found, let wanted):
      "the state directory \(directory) belongs to cluster \(found), and the cluster file is of "
        + "cluster \(wanted): use that cluster's file, or another --state for a new node"
    case .malformed(let error, let directory):
      "\(error); \(Self.wayOut(directory))"
    case .damaged(let path, let problem):
      "\(path) \(problem); \(Self.wayOut(Self.directory(of: path)))"
    case .older(let path, let problem):
      "\(path) \(problem); \(Self.wayOut(Self.directory(of: path)))"
    }
  }

  /// A node that goes on from an older state could vote twice.
  private static func wayOut(_ directory: String) -> String {
    "put the whole of \(directory) back as it was last, or move it away to join as a new node"
  }

  private static func directory(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }
}
