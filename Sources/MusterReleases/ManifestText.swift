import MusterState

/// Why a manifest was not accepted: the line and what is wrong with it. Nothing was changed.
package struct ManifestError: Error, Equatable, Sendable, CustomStringConvertible {
  package let line: Int
  package let reason: String
  package var description: String { "line \(line) of the manifest: \(reason)" }
}

/// The canonical text of a manifest: one line for each entry, one spelling for each value.
///
///     muster-manifest 1
///     version 2.10.2
///     archive <64 hexadecimal digits>
///     directory 0555 bin
///     file 0555 12345 <64 hexadecimal digits> bin/caddy
///     link <tab>bin/latest<tab>caddy
///     end 3
///     term 7
///     node <32 hexadecimal digits>
///     source https://…
///     signature <128 hexadecimal digits>
///
/// The digest is taken over the lines up to and including `end`, which counts the entries.
extension Manifest {
  package var text: [UInt8] {
    var text = Self.contentText(version: version, archive: archive, entries: entries)
    text += Array(
      """
      term \(publication.term)
      node \(publication.node)
      source \(publication.source)
      signature \(hexadecimal(publication.signature.bytes))

      """.utf8)
    return text
  }

  static func contentText(version: String, archive: Digest, entries: [Entry]) -> [UInt8] {
    var text = Array("muster-manifest 1\nversion \(version)\narchive \(archive)\n".utf8)
    for entry in entries {
      switch entry.content {
      case .directory(let mode):
        text += Array("directory \(octal(mode)) \(entry.path)\n".utf8)
      case .file(let mode, let size, let digest):
        text += Array("file \(octal(mode)) \(size) \(digest) \(entry.path)\n".utf8)
      case .link(let target):
        text += Array("link \t\(entry.path)\t\(target)\n".utf8)
      }
    }
    return text + Array("end \(entries.count)\n".utf8)
  }

  private static func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// Reads a manifest strictly: what this accepts, `text` writes again in the same bytes.
  package init(parsing bytes: [UInt8]) throws(ManifestError) {
    var reader = ManifestReader(bytes)
    try reader.expect("muster-manifest 1")
    let version = try reader.value("version")
    guard isVersion(version) else { throw reader.error("\(version) is no version") }
    let archive = try reader.digest("archive")
    let entries = try reader.entries()
    let term = try reader.number("term")
    guard let node = NodeID(try reader.value("node")) else {
      throw reader.error("a node is 32 hexadecimal digits")
    }
    let source = try reader.value("source")
    guard source.utf8.count <= ManifestLimits.sourceBytes else {
      throw reader.error("the source is too long")
    }
    guard let raw = MusterState.bytes(hexadecimal: try reader.value("signature")),
      let signature = Signature(raw)
    else { throw reader.error("a signature is 128 hexadecimal digits") }
    try reader.expectEnd()
    self.init(
      version: version, archive: archive, entries: entries,
      publication: Publication(term: term, node: node, source: source, signature: signature))
    // Capital digits, zeros in front, an unsorted entry: one comparison refuses every second
    // spelling there could be.
    guard text == bytes else {
      throw ManifestError(line: 1, reason: "it is not written in the canonical form")
    }
  }
}
