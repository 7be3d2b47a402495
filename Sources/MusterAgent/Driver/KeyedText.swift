import MusterState
import MusterSystem

/// A small text file of ours: a first line that names its kind and version, then `key: value`
/// lines. Blank lines and lines that begin with `#` are for people.
///
/// Files that only the agent writes end with a line `check`, the beginning of the BLAKE2b digest
/// of all before it: a damaged secret must not pass for another one.
struct KeyedText {
  /// More than any of our files needs.
  static let limit = 65_536

  private struct Field {
    let key: String
    let value: String
    let line: Int
  }

  let path: String
  private var fields: [Field] = []

  /// - Parameters:
  ///   - kind: the first word of the first line, such as `muster-cluster`.
  ///   - keys: every key that may occur.
  ///   - repeated: those of them that may occur more than once.
  init(
    parsing bytes: [UInt8], path: String, kind: String, keys: [String], repeated: [String] = [],
    isChecked: Bool = false
  ) throws(KeyedTextError) {
    self.path = path
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw KeyedTextError(path: path, line: 1, problem: "is not text")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    try Self.checkFirstLine(lines.first ?? "", kind: kind, path: path)
    if isChecked { try Self.checkSum(bytes, path: path) }
    for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty && line.first != "#" {
      let field = try Self.field(line, number: index + 1, path: path)
      if field.key == "check", isChecked { continue }
      guard keys.contains(field.key) else {
        throw KeyedTextError(
          path: path, line: index + 1,
          problem: "\"\(field.key)\" is not a key of this file; allowed are "
            + keys.joined(separator: ", "))
      }
      if !repeated.contains(field.key), fields.contains(where: { $0.key == field.key }) {
        throw KeyedTextError(
          path: path, line: index + 1, problem: "\"\(field.key)\" is there twice; keep one")
      }
      fields.append(field)
    }
  }

  private static func field(
    _ line: Substring, number: Int, path: String
  ) throws(KeyedTextError) -> Field {
    guard let colon = line.firstIndex(of: ":") else {
      throw KeyedTextError(
        path: path, line: number, problem: "\"\(line.prefix(40))\" is not \"key: value\"")
    }
    let value = line[line.index(after: colon)...].drop { $0 == " " }
    return Field(key: String(line[..<colon]), value: String(value), line: number)
  }

  private static func checkFirstLine(
    _ line: Substring, kind: String, path: String
  ) throws(KeyedTextError) {
    if line == "\(kind) 1" { return }
    if line.hasPrefix("\(kind) ") {
      throw KeyedTextError(
        path: path, line: 1,
        problem: "\"\(line.prefix(60))\" is of another version of muster; use that one")
    }
    throw KeyedTextError(path: path, line: 1, problem: "does not begin with \"\(kind) 1\"")
  }

  private static func checkSum(_ bytes: [UInt8], path: String) throws(KeyedTextError) {
    let sum = Array("check: ".utf8)
    let last = bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    guard bytes.last == UInt8(ascii: "\n"), bytes[last...].starts(with: sum),
      bytes[last...] == ArraySlice(checkLine(Array(bytes[..<last])))
    else {
      throw KeyedTextError(
        path: path, line: 1,
        problem: "is torn or was changed: its last line does not fit the others")
    }
  }

  /// The last line of a checked file with this content before it.
  static func checkLine(_ content: [UInt8]) -> [UInt8] {
    Array("check: \(hexadecimal(Sodium.digest(content).prefix(8)))\n".utf8)
  }

  /// The text of a file that this type reads.
  static func render(
    kind: String, comments: [String] = [], _ fields: [(String, String)], isChecked: Bool = false
  ) -> [UInt8] {
    var lines = ["\(kind) 1"] + comments.map { "# \($0)" }
    lines += fields.map { "\($0.0): \($0.1)" }
    let content = Array((lines.joined(separator: "\n") + "\n").utf8)
    return isChecked ? content + checkLine(content) : content
  }

  func values(_ key: String) -> [(text: String, line: Int)] {
    fields.filter { $0.key == key }.map { ($0.value, $0.line) }
  }

  /// The value of a key that must be there, read by `reading`, which gives `nil` for a wrong one.
  func value<Value>(
    _ key: String, expected: String, _ reading: (String) -> Value?
  ) throws(KeyedTextError) -> Value {
    guard let field = fields.first(where: { $0.key == key }) else {
      throw KeyedTextError(path: path, line: 1, problem: "has no line \"\(key): \(expected)\"")
    }
    guard let value = reading(field.value) else {
      throw KeyedTextError(
        path: path, line: field.line,
        problem: "\"\(key)\" must be \(expected), not \"\(field.value.prefix(80))\"")
    }
    return value
  }

  func bytes32(_ key: String) throws(KeyedTextError) -> Bytes32 {
    try value(key, expected: "64 hexadecimal digits") {
      bytes(hexadecimal: $0).flatMap { Bytes32($0) }
    }
  }

  func bytes16(_ key: String) throws(KeyedTextError) -> Bytes16 {
    try value(key, expected: "32 hexadecimal digits") {
      bytes(hexadecimal: $0).flatMap { Bytes16($0) }
    }
  }
}

/// A line of one of our files that cannot be used. The file is untouched.
package struct KeyedTextError: Error, Hashable, Sendable, CustomStringConvertible {
  package let path: String
  package let line: Int
  package let problem: String

  package var description: String { "\(path):\(line): \(problem)" }
}
