import MusterState
import MusterSystem

/// What one release consists of, byte for byte, and who says so.
///
/// Its digest names the release everywhere. It covers what the release *is* (version, archive,
/// entries) and not who fetched it from where, so that two leaders that unpack the same archive
/// make the same directory.
package struct Manifest: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
      case directory(mode: UInt32)
      case file(mode: UInt32, size: UInt64, digest: Digest)
      case link(target: String)
    }

    /// Relative, its names separated by single slashes.
    package var path: String
    package var content: Content

    package init(path: String, content: Content) {
      self.path = path
      self.content = content
    }
  }

  /// Who published the release: signed, and no part of the digest.
  package struct Publication: Equatable, Sendable {
    package var term: UInt64
    package var node: NodeID
    /// Where the archive came from, without a password.
    package var source: String
    /// The publishing leader's, over `signedMessage`.
    package var signature: Signature

    package init(term: UInt64, node: NodeID, source: String, signature: Signature) {
      self.term = term
      self.node = node
      self.source = source
      self.signature = signature
    }
  }

  package var version: String
  /// SHA-256 of the archive.
  package var archive: Digest
  /// Sorted by the bytes of their paths; every directory is an entry of its own.
  package let entries: [Entry]
  package var publication: Publication

  /// Sorts the entries. The caller answers for the rest: `init(parsing:)` refuses whatever this
  /// lets through.
  package init(
    version: String, archive: Digest, entries: [Entry], publication: Publication
  ) {
    self.version = version
    self.archive = archive
    self.entries = entries.sorted { precedes($0.path, $1.path) }
    self.publication = publication
  }

  /// The name of this file beside the files it describes. No archive may bring one of its own.
  package static let fileName = "manifest"

  /// SHA-256 over the canonical text of version, archive and entries.
  package var digest: Digest {
    Self.digest(ofContent: Self.contentText(version: version, archive: archive, entries: entries))
  }

  package func reference(repair: UInt32) -> ReleaseReference {
    ReleaseReference(version: version, manifest: digest, repair: repair)
  }

  private static func digest(ofContent text: [UInt8]) -> Digest {
    guard let bytes = Bytes32(StoreHash.digest(text)) else {
      preconditionFailure("SHA-256 has thirty-two bytes")
    }
    return Digest(bytes)
  }

  /// What the publishing leader signs: the digest, bound to its cluster, term, node and source.
  package static func signedMessage(
    digest: Digest, cluster: ClusterID, term: UInt64, node: NodeID, source: String
  ) -> [UInt8] {
    Array("muster manifest 1\n\(digest)\n\(cluster)\n\(term)\n\(node)\n\(source)\n".utf8)
  }

  /// The entry of a path, found by its bytes.
  package func index(of path: String) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if precedes(entries[middle].path, path) { low = middle + 1 } else { high = middle }
    }
    guard low < entries.count, entries[low].path.utf8.elementsEqual(path.utf8) else { return nil }
    return low
  }
}

/// Paths are compared by their bytes: to Swift's own `==` and `<`, two spellings of one accented
/// letter are the same name, and to the kernel they are two files.
func precedes(_ left: String, _ right: String) -> Bool {
  left.utf8.lexicographicallyPrecedes(right.utf8)
}
