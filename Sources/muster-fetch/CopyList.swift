/// What a manifest says is in a release. It is read only once its digest is the one that was
/// ordered; so what is wrong in it is no peer's fault.
struct CopyList {
  struct File {
    var path: EntryPath
    var isProgram: Bool
    var size: UInt64
    var digest: [UInt8]
  }

  private(set) var directories: [EntryPath] = []
  private(set) var files: [File] = []
  private(set) var links: [(path: EntryPath, target: String)] = []
  private(set) var bytes: UInt64 = 0

  /// The part of a manifest that its digest is taken over: up to and with the line that counts
  /// the entries. Who published it from where follows, and is not looked at.
  static func content(of text: [UInt8]) -> ArraySlice<UInt8> {
    var start = 0
    while let end = text[start...].firstIndex(of: 0x0a) {
      if text[start..<end].starts(with: "end ".utf8) { return text[...end] }
      start = end + 1
    }
    return []
  }

  init(_ content: ArraySlice<UInt8>) throws(FetchFailure) {
    for line in content.split(separator: 0x0a) { try read(line) }
  }

  private mutating func read(_ line: ArraySlice<UInt8>) throws(FetchFailure) {
    guard directories.count + files.count + links.count <= FetchLimits.copiedEntries else {
      throw FetchFailure(.limit, "the release has more than \(FetchLimits.copiedEntries) entries")
    }
    if line.starts(with: "file ".utf8) {
      let fields = Self.fields(line, 5)
      guard fields.count == 5, let mode = UInt32(fields[1], radix: 8), let size = UInt64(fields[2])
      else { throw Self.malformed(line) }
      let (sum, overflows) = bytes.addingReportingOverflow(size)
      guard !overflows else { throw Self.malformed(line) }
      bytes = sum
      files.append(
        File(
          path: try EntryPath(fields[4]), isProgram: mode & 0o111 != 0, size: size,
          digest: try FetchRequest.digest(fields[3])))
    } else if line.starts(with: "directory ".utf8) {
      let fields = Self.fields(line, 3)
      guard fields.count == 3 else { throw Self.malformed(line) }
      directories.append(try EntryPath(fields[2]))
    } else if line.starts(with: "link \t".utf8) {
      let fields = line.dropFirst(6).split(separator: 9, omittingEmptySubsequences: false)
      guard fields.count == 2 else { throw Self.malformed(line) }
      links.append(
        (
          try EntryPath(String(decoding: fields[0], as: UTF8.self)),
          String(decoding: fields[1], as: UTF8.self)
        ))
    }
  }

  private static func fields(_ line: ArraySlice<UInt8>, _ count: Int) -> [String] {
    line.split(separator: 32, maxSplits: count - 1, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private static func malformed(_ line: ArraySlice<UInt8>) -> FetchFailure {
    FetchFailure(
      .archive, "the manifest cannot be read: \(String(decoding: line.prefix(80), as: UTF8.self))")
  }
}
