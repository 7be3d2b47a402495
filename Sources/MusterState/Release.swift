/// A release as an operator announced it: where its archive is, and what its bytes must hash to.
package struct ReleaseSource: Hashable, Sendable {
  package var version: String
  package var source: String
  /// SHA-256 of the archive. Nothing is unpacked before it matches.
  package var archive: Digest
  /// Further places of the same archive, in the order in which they are tried.
  package var mirrors: [String]
  /// The minisign public key that must have signed the archive; empty: none is asked for.
  package var signer: String
  /// What the archive unpacks to, for the space that is checked first; 0: not known.
  package var unpackedBytes: UInt64
  /// The number of the next copy to publish: raised by the leader when one was found corrupt.
  package var repair: UInt32

  package init(
    version: String, source: String, archive: Digest, mirrors: [String] = [],
    signer: String = "", unpackedBytes: UInt64 = 0, repair: UInt32 = 0
  ) {
    self.version = version
    self.source = source
    self.archive = archive
    self.mirrors = mirrors
    self.signer = signer
    self.unpackedBytes = unpackedBytes
    self.repair = repair
  }
}

/// One published copy of a release on the shared filesystem, as the register names it.
package struct ReleaseReference: Hashable, Comparable, Sendable {
  package var version: String
  /// SHA-256 of the manifest: the one thing that a node trusts about the files.
  package var manifest: Digest
  /// Raised by a committed order when a copy was found corrupt; 0 for the first copy.
  package var repair: UInt32

  package init(version: String, manifest: Digest, repair: UInt32) {
    self.version = version
    self.manifest = manifest
    self.repair = repair
  }

  /// The directory's name below `releases/`. Version characters outside a safe set are not
  /// possible: `ReleaseSource` is checked when it is added.
  package var directoryName: String {
    "\(version)-\(manifest.description.prefix(16))-\(repair)"
  }

  /// Whether both are copies of the same bytes: only the repair number may differ.
  package func isCopy(of other: ReleaseReference) -> Bool {
    version == other.version && manifest == other.manifest
  }

  package static func < (left: ReleaseReference, right: ReleaseReference) -> Bool {
    if left.version != right.version { return left.version < right.version }
    if left.manifest != right.manifest { return left.manifest < right.manifest }
    return left.repair < right.repair
  }
}

/// Whether a version is fit for a directory's name and a command line: letters, digits and
/// `. _ + -`, beginning with a letter or digit, at most 64 bytes.
package func isVersion(_ text: String) -> Bool {
  let bytes = Array(text.utf8)
  guard let first = bytes.first, bytes.count <= 64 else { return false }
  func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }
  return isAlphanumeric(first)
    && bytes.allSatisfy { isAlphanumeric($0) || Array("._+-".utf8).contains($0) }
}
