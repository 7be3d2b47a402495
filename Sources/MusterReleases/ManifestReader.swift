import MusterState

/// Takes the text of a manifest apart, line by line.
struct ManifestReader {
  private var rest: ArraySlice<UInt8>
  private var line = 0

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  func error(_ reason: String) -> ManifestError { ManifestError(line: line, reason: reason) }

  mutating func expect(_ text: String) throws(ManifestError) {
    guard try nextLine() == text else { throw error("\"\(text)\" is expected") }
  }

  func expectEnd() throws(ManifestError) {
    guard rest.isEmpty else { throw error("something follows the signature") }
  }

  mutating func value(_ key: String) throws(ManifestError) -> String {
    let text = try nextLine()
    guard text.utf8.starts(with: "\(key) ".utf8) else { throw error("\(key) is expected") }
    return String(decoding: text.utf8.dropFirst(key.utf8.count + 1), as: UTF8.self)
  }

  mutating func digest(_ key: String) throws(ManifestError) -> Digest {
    guard let digest = Digest(try value(key)) else {
      throw error("a digest is 64 hexadecimal digits")
    }
    return digest
  }

  mutating func number(_ key: String) throws(ManifestError) -> UInt64 {
    guard let number = UInt64(try value(key)) else { throw error("\(key) is no number") }
    return number
  }

  /// Everything up to the line that counts it. Each entry's directory comes before it.
  mutating func entries() throws(ManifestError) -> [Manifest.Entry] {
    var entries: [Manifest.Entry] = []
    var directories: Set<[UInt8]> = [[]]
    while true {
      let text = try nextLine()
      if text.utf8.starts(with: "end ".utf8) {
        guard text.utf8.elementsEqual("end \(entries.count)".utf8) else {
          throw error("the entries do not number what the end says")
        }
        return entries
      }
      guard entries.count < ManifestLimits.entries else { throw error("too many entries") }
      let entry = try entry(text)
      if let problem = ReleasePath.problem(of: entry.path) { throw error(problem) }
      guard entries.last.map({ precedes($0.path, entry.path) }) ?? true else {
        throw error("\(entry.path) is out of order")
      }
      let path = Array(entry.path.utf8)
      let parent = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) } ?? []
      guard directories.contains(parent) else {
        throw error("\(entry.path) is in no directory of the manifest")
      }
      if case .directory = entry.content { directories.insert(path) }
      entries.append(entry)
    }
  }

  private func entry(_ text: String) throws(ManifestError) -> Manifest.Entry {
    let bytes = Array(text.utf8)
    if bytes.starts(with: Array("link \t".utf8)) {
      let fields = bytes.dropFirst(6).split(separator: 9, omittingEmptySubsequences: false)
      guard fields.count == 2 else { throw error("a link has a path and a target") }
      let path = String(decoding: fields[0], as: UTF8.self)
      let target = String(decoding: fields[1], as: UTF8.self)
      if let problem = ReleasePath.problem(ofLinkAt: path, to: target) { throw error(problem) }
      return Manifest.Entry(path: path, content: .link(target: target))
    }
    let isFile = bytes.starts(with: Array("file ".utf8))
    let fields = bytes.split(
      separator: 32, maxSplits: isFile ? 4 : 2, omittingEmptySubsequences: false
    ).map { String(decoding: $0, as: UTF8.self) }
    if fields.count == 3, fields[0] == "directory", let mode = mode(fields[1]) {
      return Manifest.Entry(path: fields[2], content: .directory(mode: mode))
    }
    guard fields.count == 5, fields[0] == "file", let mode = mode(fields[1]),
      let size = UInt64(fields[2]), let digest = Digest(fields[3])
    else { throw error("a file, directory or link is expected") }
    return Manifest.Entry(
      path: fields[4], content: .file(mode: mode, size: size, digest: digest))
  }

  /// Only modes that a published release can have: nobody writes.
  private func mode(_ text: String) -> UInt32? {
    guard let mode = UInt32(text, radix: 8), mode & ~0o555 == 0 else { return nil }
    return mode
  }

  private mutating func nextLine() throws(ManifestError) -> String {
    line += 1
    guard let end = rest.firstIndex(of: 0x0a) else { throw error("the end is missing") }
    let bytes = rest[..<end]
    rest = rest[(end + 1)...]
    guard bytes.count <= 2 * ManifestLimits.sourceBytes else { throw error("too long") }
    guard let text = String(validating: bytes, as: UTF8.self),
      bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 9 })
    else { throw error("a control character, or no UTF-8") }
    return text
  }
}
