import MusterState

/// What an index on the web says of the latest version. It is fetched, checked against its
/// signature and read by `muster-fetch`, as archives are.
package enum ReleaseIndex {
  /// Blocks until the program ends.
  ///
  /// - Throws: `fetch`, with the class that the program gives; `refused` for an index that lacks
  ///   something.
  package static func read(
    _ url: String, signer: String, fetchProgram: String,
    cancellation: Cancellation = Cancellation()
  ) throws(StoreError) -> ReleaseSource {
    var lines: [String] = []
    let words = ["--index", url] + (signer.isEmpty ? [] : ["--minisign", signer])
    try FetchProgram(program: fetchProgram, arguments: words).run(
      progress: { _ in }, notice: { lines.append($0) }, cancellation: cancellation)
    return try release(lines.map { $0.split(separator: " ").dropFirst().map(String.init) })
  }

  /// What the lines say, each a key and a value.
  static func release(_ lines: [[String]]) throws(StoreError) -> ReleaseSource {
    func values(_ key: String) -> [String] {
      lines.filter { $0.count == 2 && $0[0] == key }.map { $0[1] }
    }
    guard let version = values("version").first, isVersion(version) else {
      throw .refused("the index names no version")
    }
    guard let archive = values("sha256").first.flatMap({ Digest($0) }) else {
      throw .refused("the index names no SHA-256 for \(version)")
    }
    let sources = values("source")
    guard let source = sources.first, sources.count <= Limits.mirrors + 1 else {
      throw .refused("the index names no source for \(version), or too many")
    }
    return ReleaseSource(
      version: version, source: source, archive: archive, mirrors: Array(sources.dropFirst()),
      signer: values("minisign").first ?? "",
      unpackedBytes: values("unpacked").first.flatMap { UInt64($0) } ?? 0)
  }
}
