import MusterProtocol
import MusterState
import MusterSystem

/// A node's memory on its own disk: who it is, how often it was started, what it promised.
///
/// `STATE/lock` keeps a second agent out; `identity` holds the secret; `incarnation` the counter
/// of starts; `register` what the peer must not forget; `peers` where others were last seen;
/// `current` links to the release that was started last.
package struct NodeState: ~Copyable {
  package let directory: String
  package let cluster: ClusterID
  /// Signs with this node's identity.
  package let cryptography: SodiumCryptography
  package let node: NodeID
  package let incarnation: Incarnation
  /// Whether the identity was made in this start.
  package let isFresh: Bool
  /// What the last `Effect.persist` wrote; `nil` when there was none.
  package let durable: [UInt8]?
  /// The number of the register's last version on disk; 0 before the first.
  package let registerSerial: UInt64
  private let lock: DirectoryLock

  package var peersPath: String { "\(directory)/peers" }
  package var currentPath: String { "\(directory)/current" }

  /// Locks the directory, reads what is there or makes a new identity, and has the next
  /// incarnation on disk before it returns: no datagram may be sent earlier.
  ///
  /// - Parameter shared: the shared directory, in which no node's state may be.
  package static func open(
    _ directory: String, cluster: ClusterFile, shared: String
  ) throws(StateError) -> NodeState {
    if (directory + "/").hasPrefix(shared + "/"), !shared.isEmpty {
      throw .insideShared(directory: directory, shared: shared)
    }
    let lock = try lockDirectory(directory)
    let identity = IdentityFile(directory: directory)
    let found = try identity.read(cluster: cluster.id)
    var seed = found ?? Sodium.randomBytes(SigningKey.seedBytes)
    defer { Sodium.wipe(&seed) }
    let cryptography = SodiumCryptography(
      identity: SigningKey(seed: seed), clusterKey: cluster.key)
    let node = cryptography.nodeID(of: cryptography.publicKey)
    let starts = IncarnationFile(directory: directory, node: node)
    let file = RegisterFile(directory: directory, cluster: cluster.id, node: node)
    var register: RegisterFile.Version?
    let incarnation: Incarnation
    if found == nil {
      try file.requireNone(for: identity.path)
      // The identity comes last, so that whoever has one has counted its first start.
      incarnation = try starts.advance(from: nil, register: 0)
      try identity.write(seed: seed, cluster: cluster.id)
    } else {
      let last = try starts.read()
      register = try file.read(lastStart: last)
      incarnation = try starts.advance(from: last, register: register?.serial ?? 0)
    }
    return NodeState(
      directory: directory, cluster: cluster.id, cryptography: cryptography, node: node,
      incarnation: incarnation, isFresh: found == nil, durable: register?.content,
      registerSerial: register?.serial ?? 0, lock: lock)
  }

  private static func lockDirectory(_ directory: String) throws(StateError) -> DirectoryLock {
    do throws(SystemError) {
      try Files.makeDirectory(directory, mode: 0o700)
      return try DirectoryLock.acquire(directory)
    } catch {
      if error.kind == .wouldBlock { throw .locked(directory: directory) }
      throw .unusable(directory: directory, error)
    }
  }
}
