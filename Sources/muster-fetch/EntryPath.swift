/// The place of one entry inside the tree: names below each other, none of which can lead out.
///
/// Paths are taken apart byte by byte, as the kernel does: to Swift, a slash with a combining
/// accent behind it is another character and no slash.
struct EntryPath {
  /// Empty for the root of the tree itself.
  let names: [String]

  var text: String { names.joined(separator: "/") }

  /// - Throws: `unsafe` for a path that is absolute, climbs, or holds what a name may not hold.
  init(_ text: String) throws(FetchFailure) {
    guard text.utf8.count <= FetchLimits.pathBytes else {
      throw FetchFailure(
        .limit, "a path has more than \(FetchLimits.pathBytes) bytes: \(text.prefix(80))…")
    }
    guard !text.isEmpty, text.utf8.first != UInt8(ascii: "/") else {
      throw FetchFailure(.unsafe, "the path \"\(text)\" is empty or absolute")
    }
    names = Self.names(of: text)
    for name in names {
      guard !Self.climbs(name) else {
        throw FetchFailure(.unsafe, "the path \(text) climbs with ..")
      }
      try Self.check(name, of: text)
    }
    guard names.count <= FetchLimits.depth else {
      throw FetchFailure(
        .limit, "the path \(text) is deeper than \(FetchLimits.depth) directories")
    }
  }

  /// Checks where a link in this place points to.
  ///
  /// `..` is allowed only at the beginning and no further up than the tree: the link's own
  /// directory is real, so counting is exact there. Behind a name, `..` could climb from wherever
  /// another link leads. So by induction no chain of links ever leaves the tree.
  func checkLink(to target: String) throws(FetchFailure) {
    guard !target.isEmpty, target.utf8.first != UInt8(ascii: "/"),
      target.utf8.count <= FetchLimits.pathBytes
    else {
      throw FetchFailure(.unsafe, "the link \(text) points to \"\(target)\", out of the tree")
    }
    var climbs = 0
    var hasDescended = false
    for name in Self.names(of: target) {
      if Self.climbs(name) {
        climbs += 1
        guard !hasDescended, climbs < names.count else {
          throw FetchFailure(
            .unsafe, "the link \(text) points to \(target), which may lead out of the tree")
        }
      } else {
        hasDescended = true
        try Self.check(name, of: target)
      }
    }
  }

  private static func names(of text: String) -> [String] {
    text.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private static func climbs(_ name: String) -> Bool { name.utf8.elementsEqual("..".utf8) }

  private static func check(_ name: String, of path: String) throws(FetchFailure) {
    guard name.utf8.count <= FetchLimits.nameBytes else {
      throw FetchFailure(.limit, "a name in \(path) has more than \(FetchLimits.nameBytes) bytes")
    }
    guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw FetchFailure(.unsafe, "a name in \(path) holds a control character")
    }
  }
}
