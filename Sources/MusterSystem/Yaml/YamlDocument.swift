import CYaml
import Glibc

/// A YAML text as a tree, read whole through libyaml's events.
///
/// Only what configuration needs: one document, text as keys, each key once; no anchors, aliases
/// or tags, so that a small file cannot become a large tree.
package struct YamlDocument: Sendable {
  /// The largest text, the deepest nesting and the most values that are read.
  package static let maximumBytes = 1 << 20
  package static let maximumDepth = 16
  package static let maximumNodes = 16_384

  /// `nil` when the text holds nothing but comments.
  package let root: YamlNode?

  /// - Throws: `YamlError` with the first problem and its place.
  package init(_ text: [UInt8]) throws(YamlError) {
    guard text.count <= Self.maximumBytes else {
      throw YamlError(
        place: YamlPlace(line: 1, column: 1),
        problem: "\(text.count) bytes are too many: at most \(Self.maximumBytes) are read")
    }
    let parsed: Result<YamlNode?, YamlError> = unsafe text.withUnsafeBufferPointer { buffer in
      guard let address = buffer.baseAddress else { return .success(nil) }
      return Result { () throws(YamlError) -> YamlNode? in
        var reader = unsafe YamlReader(address, count: buffer.count)
        do throws(YamlError) {
          return try reader.document()
        } catch {
          throw error.placed(in: text)
        }
      }
    }
    root = try parsed.get()
  }
}

extension YamlError {
  /// libyaml gives a byte offset, not a line, for bytes that are not UTF-8; see `YamlReader`.
  fileprivate func placed(in text: [UInt8]) -> YamlError {
    guard place.line == 0 else { return self }
    let before = text.prefix(place.column)
    let line = before.filter { $0 == 10 }.count + 1
    let column = before.count - (before.lastIndex(of: 10).map { $0 + 1 } ?? 0) + 1
    return YamlError(place: YamlPlace(line: line, column: column), problem: problem)
  }
}

/// Turns events into the tree. Safe while the text that it was given lives.
@safe private struct YamlReader: ~Copyable {
  private let yaml: UnsafeMutablePointer<muster_yaml>
  private var nodes = 0

  /// The bytes must outlive the reader.
  init(_ text: UnsafePointer<UInt8>, count: Int) {
    guard let yaml = unsafe muster_yaml_open(text, count) else {
      preconditionFailure("no memory is left to read the configuration")
    }
    unsafe self.yaml = yaml
  }

  deinit { unsafe muster_yaml_close(yaml) }

  mutating func document() throws(YamlError) -> YamlNode? {
    var root: YamlNode?
    while true {
      switch try next() {
      case Int(MUSTER_YAML_END): return root
      case Int(MUSTER_YAML_DOCUMENT):
        if root != nil { throw error("a second document; only one is read") }
        let node = try node(kind: try next(), depth: 0)
        root = node.isNull ? nil : node
      default: continue
      }
    }
  }

  private mutating func next() throws(YamlError) -> Int {
    let kind = Int(unsafe muster_yaml_next(yaml))
    guard kind == Int(MUSTER_YAML_FAILED) else { return kind }
    guard let text = unsafe muster_yaml_problem(yaml) else {
      preconditionFailure("no memory is left to read the configuration")
    }
    let problem = unsafe String(cString: text)
    if unsafe muster_yaml_is_encoding_problem(yaml) != 0 {
      // Line 0 marks a byte offset, which the caller turns into a place.
      let offset = unsafe muster_yaml_offset(yaml)
      throw YamlError(place: YamlPlace(line: 0, column: offset), problem: problem)
    }
    throw YamlError(place: place(failed: 1), problem: problem)
  }

  private func place(failed: Int32 = 0) -> YamlPlace {
    YamlPlace(
      line: unsafe muster_yaml_line(yaml, failed) + 1,
      column: unsafe muster_yaml_column(yaml, failed) + 1)
  }

  private func error(_ problem: String) -> YamlError {
    YamlError(place: place(), problem: problem)
  }

  /// The value that begins with the current event, of kind `kind`.
  private mutating func node(kind: Int, depth: Int) throws(YamlError) -> YamlNode {
    nodes += 1
    if nodes > YamlDocument.maximumNodes {
      throw error("more than \(YamlDocument.maximumNodes) values")
    }
    if depth > YamlDocument.maximumDepth {
      throw error("nested more than \(YamlDocument.maximumDepth) deep")
    }
    let start = place()
    if unsafe muster_yaml_anchor(yaml) != nil {
      throw error("an anchor (&name); write the value out instead")
    }
    if unsafe muster_yaml_tag(yaml) != nil {
      throw error("a tag (!name); write the plain value instead")
    }
    switch kind {
    case Int(MUSTER_YAML_SCALAR):
      return YamlNode(
        .scalar(scalar(), isPlain: unsafe muster_yaml_is_plain(yaml) != 0), at: start)
    case Int(MUSTER_YAML_SEQUENCE):
      return YamlNode(.sequence(try sequence(depth: depth)), at: start)
    case Int(MUSTER_YAML_MAPPING):
      return YamlNode(.mapping(try mapping(depth: depth)), at: start)
    case Int(MUSTER_YAML_ALIAS):
      throw error("an alias (*name); write the value out instead")
    default:
      preconditionFailure("libyaml gives a value where one begins")
    }
  }

  private func scalar() -> String {
    let bytes = unsafe UnsafeBufferPointer(
      start: muster_yaml_bytes(yaml), count: muster_yaml_size(yaml))
    return unsafe String(decoding: bytes, as: UTF8.self)
  }

  private mutating func sequence(depth: Int) throws(YamlError) -> [YamlNode] {
    var items: [YamlNode] = []
    while true {
      let kind = try next()
      if kind == Int(MUSTER_YAML_SEQUENCE_END) { return items }
      items.append(try node(kind: kind, depth: depth + 1))
    }
  }

  private mutating func mapping(depth: Int) throws(YamlError) -> [YamlEntry] {
    var entries: [YamlEntry] = []
    var places: [String: YamlPlace] = [:]
    while true {
      let kind = try next()
      if kind == Int(MUSTER_YAML_MAPPING_END) { return entries }
      let key = try node(kind: kind, depth: depth + 1)
      guard case .scalar(let name, _) = key.content, !key.isNull else {
        throw YamlError(place: key.place, problem: "\(key.summary) as key; only text can be one")
      }
      if let first = places.updateValue(key.place, forKey: name) {
        throw YamlError(
          place: key.place, problem: "the key '\(name)' a second time; the first is at \(first)")
      }
      let value = try node(kind: try next(), depth: depth + 1)
      entries.append(YamlEntry(key: name, place: key.place, value: value))
    }
  }
}
