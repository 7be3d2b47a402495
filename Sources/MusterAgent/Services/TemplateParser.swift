import MusterState
import MusterSystem

/// Reads the language that `Template` describes.
struct TemplateParser {
  /// Sections within sections, at most.
  private static let maximumDepth = 8

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func template() throws(TemplateError) -> [Template.Part] {
    guard bytes.count <= Template.maximumBytes else {
      throw error("\(bytes.count) bytes; at most \(Template.maximumBytes) are read", at: 0)
    }
    return try parts(of: nil, depth: 0)
  }

  /// What stands between `{{`, at `start`, and `}}`, without spaces around it.
  private struct Tag {
    let start: Int
    let content: Substring
  }

  private struct Section {
    let name: Substring
    let start: Int
    let isInMembers: Bool
  }

  /// Parts up to the end of `section`, or of the text.
  private mutating func parts(
    of section: Section?, depth: Int
  ) throws(TemplateError) -> [Template.Part] {
    var parts: [Template.Part] = []
    let isInMembers = section?.isInMembers ?? false
    while let (text, tag) = try next() {
      if !text.isEmpty { parts.append(.text(text)) }
      guard let tag else { continue }
      switch tag.content.first {
      case "!": continue
      case "\"": parts.append(.text(try literal(tag)))
      case "#", "^":
        guard depth < Self.maximumDepth else {
          throw error("sections nested more than \(Self.maximumDepth) deep", at: tag.start)
        }
        parts.append(try self.section(tag, isInMembers: isInMembers, depth: depth))
      case "/":
        let name = trimmed(tag.content.dropFirst())
        guard let section, section.name == name else {
          let wanted = section.map { "; {{/\($0.name)}} is expected" } ?? ""
          throw error("{{/\(name)}} closes no section\(wanted)", at: tag.start)
        }
        return parts
      default: parts.append(try value(tag, isInMembers: isInMembers))
      }
    }
    if let section {
      throw error("this section has no {{/\(section.name)}}", at: section.start)
    }
    return parts
  }

  /// The text before the next tag, and the tag; `nil` at the end.
  private mutating func next() throws(TemplateError) -> (String, Tag?)? {
    guard position < bytes.count else { return nil }
    let start = position
    guard let open = find("{{", from: start) else {
      position = bytes.count
      return (String(decoding: bytes[start...], as: UTF8.self), nil)
    }
    guard let close = end(ofTag: open + 2) else { throw error("this {{ has no }}", at: open) }
    let content = String(decoding: bytes[(open + 2)..<close], as: UTF8.self)
    let tag = Tag(start: open, content: trimmed(content[...]))
    guard let first = tag.content.first else {
      throw error("nothing between {{ and }}", at: open)
    }
    var textEnd = open
    position = close + 2
    if "#^/!".contains(first), let line = wholeLine(open, position) {
      textEnd = max(start, line.lowerBound)
      position = line.upperBound
    }
    return (String(decoding: bytes[start..<textEnd], as: UTF8.self), tag)
  }

  /// Where the `}}` of a tag is; one inside a quoted literal does not count.
  private func end(ofTag start: Int) -> Int? {
    if start < bytes.count, bytes[start] == UInt8(ascii: "\"") {
      return find("\"}}", from: start + 1).map { $0 + 1 }
    }
    return find("}}", from: start)
  }

  private func find(_ text: String, from start: Int) -> Int? {
    let wanted = Array(text.utf8)
    guard bytes.count - start >= wanted.count else { return nil }
    return (start...(bytes.count - wanted.count)).first {
      bytes[$0..<($0 + wanted.count)].elementsEqual(wanted)
    }
  }

  /// The line of the tag at `start..<end`, if the tag has it for itself.
  private func wholeLine(_ start: Int, _ end: Int) -> Range<Int>? {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d }
    var first = start
    while first > 0, isBlank(bytes[first - 1]) { first -= 1 }
    guard first == 0 || bytes[first - 1] == 0x0a else { return nil }
    var last = end
    while last < bytes.count, isBlank(bytes[last]) { last += 1 }
    guard last < bytes.count, bytes[last] == 0x0a else { return nil }
    return first..<(last + 1)
  }

  private func literal(_ tag: Tag) throws(TemplateError) -> String {
    guard tag.content.count >= 2, tag.content.last == "\"" else {
      throw error("a literal ends in a quote: {{\"text\"}}", at: tag.start)
    }
    return String(tag.content.dropFirst().dropLast())
  }

  private func value(_ tag: Tag, isInMembers: Bool) throws(TemplateError) -> Template.Part {
    let halves = tag.content.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
    let text = trimmed(halves[0])
    guard let name = TemplateName(text, isInMembers: isInMembers) else {
      let hint =
        TemplateName(text, isInMembers: true) == nil
        ? "allowed are \(TemplateName.allowed(isInMembers: isInMembers))"
        : "it stands only inside {{#members}}; this node's own is node.\(text)"
      throw error("'\(text)' is no name; \(hint)", at: tag.start)
    }
    return .value(name, fallback: halves.count == 2 ? String(trimmed(halves[1])) : "")
  }

  private mutating func section(
    _ tag: Tag, isInMembers: Bool, depth: Int
  ) throws(TemplateError) -> Template.Part {
    let isInverted = tag.content.first == "^"
    let words = tag.content.dropFirst().split { $0.isWhitespace }
    let name = words.first ?? ""
    let section = Section(
      name: name, start: tag.start, isInMembers: isInMembers || (name == "members" && !isInverted))
    switch name {
    case "members":
      if isInMembers { throw error("members inside members", at: tag.start) }
      let filter = try filter(words.dropFirst(), tag)
      return .members(filter, try parts(of: section, depth: depth + 1), isInverted: isInverted)
    case "leader", "last":
      guard words.count == 1 else { throw error("'\(name)' takes no filter", at: tag.start) }
      if name == "last", !isInMembers {
        throw error("'last' stands only inside {{#members}}", at: tag.start)
      }
      let inner = try parts(of: section, depth: depth + 1)
      return name == "last"
        ? .last(inner, isInverted: isInverted) : .leader(inner, isInverted: isInverted)
    default:
      throw error("'\(name)' is no section; allowed are members, leader, last", at: tag.start)
    }
  }

  private func filter(
    _ words: ArraySlice<Substring>, _ tag: Tag
  ) throws(TemplateError) -> MemberFilter {
    var filter = MemberFilter()
    for word in words {
      let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = halves.count == 2 ? String(halves[1]) : nil
      guard let field = TemplateName.MemberField(halves[0]), isFilter(field, value) else {
        throw error(
          "'\(word)' is no filter; allowed are name=X, role=X, state=alive|suspect|dead|left, "
            + "ready=true|false, data.KEY=X, data.KEY", at: tag.start)
      }
      filter.conditions.append(MemberFilter.Condition(field: field, value: value))
    }
    return filter
  }

  private func isFilter(_ field: TemplateName.MemberField, _ value: String?) -> Bool {
    switch field {
    case .data: true
    case .name, .role: value != nil
    case .state: MemberState.allCases.contains { $0.name == value }
    case .ready: value == "true" || value == "false"
    case .address, .host, .port, .version: false
    }
  }

  private func trimmed(_ text: Substring) -> Substring {
    var text = text.drop { $0.isWhitespace }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text
  }

  private func error(_ problem: String, at offset: Int) -> TemplateError {
    let before = bytes[..<min(offset, bytes.count)]
    let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let column = String(decoding: before[lineStart...], as: UTF8.self).unicodeScalars.count + 1
    let line = before.count { $0 == 0x0a } + 1
    return TemplateError(place: YamlPlace(line: line, column: column), problem: problem)
  }
}
