/// What a path inside a release may look like. Checked again on every node: the program that
/// unpacked the archive had the same rules, but a manifest comes from elsewhere.
enum ReleasePath {
  /// What is wrong with a path; `nil` when nothing is.
  static func problem(of path: String) -> String? {
    let names = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard path.utf8.count <= ManifestLimits.pathBytes, names.count <= ManifestLimits.depth else {
      return "\(path.prefix(80))… is too long or too deep"
    }
    for name in names {
      if name.isEmpty || name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) {
        return "\"\(path)\" is not a plain relative path"
      }
      if name.count > ManifestLimits.nameBytes { return "a name in \(path) is too long" }
      if !name.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) {
        return "a name in \(path) holds a control character"
      }
    }
    return path.utf8.elementsEqual(Manifest.fileName.utf8)
      ? "\(path) is the name of the manifest itself" : nil
  }

  /// What is wrong with a link; `nil` when nothing is. `..` only leads, and not above the release.
  static func problem(ofLinkAt path: String, to target: String) -> String? {
    let depth = path.utf8.count { $0 == UInt8(ascii: "/") }
    var climbs = 0
    var hasDescended = false
    guard !target.isEmpty, target.utf8.first != UInt8(ascii: "/"),
      target.utf8.count <= ManifestLimits.pathBytes,
      target.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
    else { return "the link \(path) points to no place in the release" }
    for name in target.utf8.split(separator: UInt8(ascii: "/")) {
      if name.elementsEqual("..".utf8) {
        climbs += 1
        if hasDescended || climbs > depth {
          return "the link \(path) points to \(target), out of the release"
        }
      } else if !name.elementsEqual(".".utf8) {
        hasDescended = true
      }
    }
    return nil
  }
}
