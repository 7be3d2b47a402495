import MusterProtocol
import MusterState
import MusterSystem

/// What `muster init` does: draws a cluster's identifier and keys and writes its two files.
package struct ClusterCreation: Sendable {
  package let cluster: ClusterFile
  /// Where the cluster file and the operator's key were written.
  package let clusterPath: String
  package let authorityPath: String

  /// Writes `DIR/cluster` and `DIR/authority.key`, both with mode 0600.
  ///
  /// - Throws: neither file is there that was not there before; none is ever overwritten.
  package static func write(
    name: String, expect: UInt32, directory: String
  ) throws(ClusterFileError) -> ClusterCreation {
    guard ClusterFile.isName(name) else {
      throw .refused(
        "--name \"\(name.prefix(80))\" cannot name a cluster: use \(ClusterFile.nameRule)")
    }
    guard ClusterFile.sizes.contains(expect) else {
      throw .refused("--expect \(expect) is out of range: give \(ClusterFile.sizeRule)")
    }
    let authority = SigningKey.generate()
    var id = Sodium.randomBytes(16)
    var key = Sodium.randomBytes(32)
    defer { Sodium.wipe(&key) }
    id[0] |= 1  // never all zeros
    guard let idBytes = Bytes16(id), let keyBytes = Bytes32(key),
      let publicKey = Bytes32(authority.publicKey)
    else { preconditionFailure("the sizes are fixed") }
    let creation = ClusterCreation(
      cluster: ClusterFile(
        name: name, id: ClusterID(idBytes), expect: expect, key: SealingKey(keyBytes),
        authority: PublicKey(publicKey)),
      clusterPath: "\(directory)/cluster", authorityPath: "\(directory)/authority.key")
    try creation.write(authority, into: directory)
    return creation
  }

  private func write(
    _ authority: borrowing SigningKey, into directory: String
  ) throws(ClusterFileError) {
    do throws(SystemError) {
      try Files.makeDirectory(directory, mode: 0o700)
      for path in [clusterPath, authorityPath] where try Files.mode(of: path) != nil {
        throw SystemError.exists("create", path)
      }
      try Files.create(
        authorityPath, content: AuthorityKey.render(authority, cluster: cluster), mode: 0o600)
      do throws(SystemError) {
        try Files.create(clusterPath, content: cluster.render(), mode: 0o600)
      } catch {
        // Half a cluster is none; this key has signed nothing yet.
        try Files.remove(authorityPath)
        throw error
      }
    } catch {
      throw error.kind == .exists ? .exists(path: error.subject) : .unwritable(error)
    }
  }
}

/// The operator's key, which signs what only an operator may decide.
package enum AuthorityKey {
  private static let kind = "muster-authority"

  static func render(_ key: borrowing SigningKey, cluster: ClusterFile) -> [UInt8] {
    var seed = key.seed()
    defer { Sodium.wipe(&seed) }
    return KeyedText.render(
      kind: kind,
      comments: ["The operator's secret: keep it off the cluster's machines, mode 0600."],
      [("cluster", cluster.id.description), ("secret", hexadecimal(seed))], isChecked: true)
  }

  /// Reads the key that `muster init` wrote.
  ///
  /// - Parameter cluster: the one it must belong to; `nil` for any.
  package static func read(
    _ path: String, of cluster: ClusterID? = nil
  ) throws(ClusterFileError) -> SigningKey {
    let content: [UInt8]?
    let mode: UInt32?
    do throws(SystemError) {
      content = try Files.read(path, limit: KeyedText.limit)
      mode = try Files.mode(of: path)
    } catch {
      throw .unreadable(error)
    }
    guard let content, let mode else {
      throw .refused(
        "there is no authority key at \(path): give the authority.key that `muster init` wrote")
    }
    if mode & 0o077 != 0 { throw .exposed(path: path, mode: mode) }
    let (owner, seed) = try parse(content, path: path)
    if let cluster, cluster != owner {
      throw .refused(
        "\(path) is the key of cluster \(owner), not of \(cluster): give the authority.key that "
          + "was made with this cluster's file")
    }
    return SigningKey(seed: seed.bytes)
  }

  private static func parse(
    _ content: [UInt8], path: String
  ) throws(ClusterFileError) -> (ClusterID, seed: Bytes32) {
    do throws(KeyedTextError) {
      let text = try KeyedText(
        parsing: content, path: path, kind: kind, keys: ["cluster", "secret"], isChecked: true)
      return (ClusterID(try text.bytes16("cluster")), try text.bytes32("secret"))
    } catch {
      throw .malformed(error)
    }
  }
}
