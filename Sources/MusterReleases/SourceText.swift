/// The source of a release, as people may see it.
package enum SourceText {
  /// A URL as it may be shown and stored: without `user:password@`.
  package static func withoutPassword(_ url: String) -> String {
    let bytes = Array(url.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: Array("://".utf8))
    else { return url }
    let start = colon + 3
    let end = bytes[start...].firstIndex { Array("/?#".utf8).contains($0) } ?? bytes.count
    guard let mark = bytes[start..<end].lastIndex(of: UInt8(ascii: "@")) else { return url }
    return String(decoding: bytes[..<start] + bytes[(mark + 1)...], as: UTF8.self)
  }
}
