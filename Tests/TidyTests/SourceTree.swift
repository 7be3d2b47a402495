import Foundation

/// One file of the project, as the guards see it.
struct SourceFile: Sendable {
  /// Below the project's folder, like `Sources/MusterState/Limits.swift`.
  let path: String
  let lines: [String]
  /// The same lines with comments and strings blanked; see `CodeMask`.
  let code: [String]

  init(path: String, text: String) {
    self.path = path
    lines = text.components(separatedBy: "\n")
    code =
      path.hasSuffix(".swift")
      ? CodeMask.code(of: text).components(separatedBy: "\n") : lines
  }

  /// The target that the file belongs to; empty outside `Sources`.
  var room: String {
    let parts = path.split(separator: "/")
    return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : ""
  }
}

/// A line that breaks a rule, printed as `path:line: what`.
struct Finding: CustomStringConvertible, Hashable {
  let path: String
  let line: Int
  let what: String

  init(_ file: SourceFile, index: Int, _ what: String) {
    path = file.path
    line = index + 1
    self.what = what
  }

  var description: String { "\(path):\(line): \(what)" }
}

/// The files of the project, read once.
enum SourceTree {
  /// Swift files below `Sources`.
  static let sources = swift.filter { $0.path.hasPrefix("Sources/") }
  /// Swift files below `Sources` and `Tests`, and the manifest.
  static let swift = all.filter { $0.path.hasSuffix(".swift") }
  /// Every text file that is written by hand.
  static let all: [SourceFile] = read()

  private static let folders = [
    "Sources", "Tests", "proto", "scripts", "examples", "docs", ".ci",
  ]
  private static let loose = ["Package.swift", "README.md"]

  private static func read() -> [SourceFile] {
    let root = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    var paths = loose
    for folder in folders {
      let found = FileManager.default.enumerator(atPath: root.appending(path: folder).path())
      for case let path as String in found ?? .init() { paths.append(folder + "/" + path) }
    }
    return paths.sorted().compactMap { path in
      guard let data = try? Data(contentsOf: root.appending(path: path)) else { return nil }
      return String(validating: data, as: UTF8.self).map { SourceFile(path: path, text: $0) }
    }
  }
}

/// Whether `text` uses `word` as a whole word. Ends of `word` that are punctuation match anywhere.
func uses(_ word: String, in text: String) -> Bool {
  func isName(_ character: Character?) -> Bool {
    character.map { $0 == "_" || $0.isLetter || $0.isNumber } ?? false
  }
  var rest = text[...]
  while let range = rest.firstRange(of: word) {
    let before =
      range.lowerBound > text.startIndex ? text[text.index(before: range.lowerBound)] : nil
    let after = range.upperBound < text.endIndex ? text[range.upperBound] : nil
    let joined = (isName(before) && isName(word.first)) || (isName(after) && isName(word.last))
    if !joined { return true }
    rest = text[range.upperBound...]
  }
  return false
}
