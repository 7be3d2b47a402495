import MusterState

/// What a program's own version output says: of the first line, the first word that looks like a
/// version (`v2.10.2`, `1.22.1`), without its `v`; failing that, the first that begins with a
/// digit. `nil` when there is none.
package func reportedVersion(in output: String) -> String? {
  guard let line = output.split(whereSeparator: { $0.isNewline }).first else { return nil }
  let words = line.split { $0.isWhitespace || "/,;:()\"'".contains($0) }.map { word in
    word.first == "v" || word.first == "V" ? String(word.dropFirst()) : String(word)
  }
  let versions = words.filter { word in
    word.first.map { ("0"..."9").contains($0) } == true && isVersion(word)
  }
  return versions.first { $0.contains(".") } ?? versions.first
}
