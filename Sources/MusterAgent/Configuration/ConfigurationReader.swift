import MusterProtocol
import MusterState
import MusterSystem

/// Reads values out of the tree and collects every mistake, so that one check shows them all.
///
/// A function that returns `nil` has noted why; the caller goes on with what else there is.
struct ConfigurationReader {
  /// Mistakes listed at most.
  private static let maximumProblems = 100

  let path: String
  private(set) var problems: [ConfigurationProblem] = []

  init(path: String) { self.path = path }

  mutating func note(_ place: YamlPlace?, _ text: String, in file: String? = nil) {
    guard problems.count < Self.maximumProblems else { return }
    problems.append(ConfigurationProblem(path: file ?? path, place: place, text: text))
  }

  /// The fields of a mapping. Keys that are not `allowed` are noted and left out, and so are
  /// those without a value.
  mutating func fields(
    _ node: YamlNode, _ what: String, allowed: [String]
  ) -> [String: YamlNode] {
    var fields: [String: YamlNode] = [:]
    for entry in entries(node, what) {
      if !allowed.contains(entry.key) {
        note(
          entry.place,
          "unknown key '\(entry.key)' in \(what); allowed are \(allowed.joined(separator: ", "))")
      } else if entry.value.isNull {
        note(entry.place, "'\(entry.key)' has no value; give one or remove the key")
      } else {
        fields[entry.key] = entry.value
      }
    }
    return fields
  }

  mutating func entries(_ node: YamlNode, _ what: String) -> [YamlEntry] {
    guard case .mapping(let entries) = node.content else {
      note(node.place, "\(node.summary) where \(what) is expected: a mapping of keys to values")
      return []
    }
    return entries
  }

  mutating func items(_ node: YamlNode, _ what: String) -> [YamlNode] {
    guard case .sequence(let items) = node.content else {
      note(node.place, "\(node.summary) where \(what) is expected: a list, such as [a, b]")
      return []
    }
    return items
  }

  mutating func text(_ node: YamlNode, _ what: String, limit: Int = 4_096) -> String? {
    guard case .scalar(let text, _) = node.content, !text.isEmpty else {
      note(node.place, "\(node.summary) where \(what) is expected: a text")
      return nil
    }
    guard text.utf8.count <= limit else {
      note(node.place, "\(what) has \(text.utf8.count) bytes; at most \(limit) are allowed")
      return nil
    }
    guard !text.utf8.contains(0) else {
      note(node.place, "\(what) contains a NUL character")
      return nil
    }
    return text
  }

  mutating func choice(_ node: YamlNode, _ what: String, _ allowed: [String]) -> String? {
    guard let text = text(node, what) else { return nil }
    if allowed.contains(text) { return text }
    note(
      node.place, "'\(text)' is no \(what); allowed are \(allowed.joined(separator: ", "))")
    return nil
  }

  mutating func address(_ node: YamlNode, _ what: String) -> Address? {
    guard let text = text(node, what) else { return nil }
    if let address = Address(text) { return address }
    note(
      node.place,
      "'\(text)' is no \(what); write ADDRESS:PORT, such as 192.0.2.1:7946 or [2001:db8::1]:7946")
    return nil
  }

  mutating func duration(
    _ node: YamlNode, _ what: String, in range: ClosedRange<TimeSpan>
  ) -> TimeSpan? {
    guard let text = text(node, what) else { return nil }
    guard let span = TimeSpan(configuration: text) else {
      note(
        node.place,
        "'\(text)' is no \(what); write a whole number and ms, s, m or h, such as 200ms or 2s")
      return nil
    }
    guard range.contains(span) else {
      note(
        node.place,
        "'\(text)' is out of bounds for \(what); allowed is "
          + "\(range.lowerBound.configuration) to \(range.upperBound.configuration)")
      return nil
    }
    return span
  }

  mutating func number(_ node: YamlNode, _ what: String, in range: ClosedRange<Int>) -> Int? {
    guard let text = text(node, what) else { return nil }
    if let number = Int(text), range.contains(number) { return number }
    note(
      node.place,
      "'\(text)' is no \(what); allowed is \(range.lowerBound) to \(range.upperBound)")
    return nil
  }

  mutating func signal(_ node: YamlNode, _ what: String) -> Int32? {
    guard let text = text(node, what) else { return nil }
    if let number = SignalName.number(of: text) { return number }
    note(
      node.place,
      "'\(text)' is no \(what); allowed are \(SignalName.usable.joined(separator: ", "))")
    return nil
  }

  mutating func template(_ node: YamlNode, _ what: String, mayBeEmpty: Bool = false) -> Template? {
    let text: String?
    if mayBeEmpty, case .scalar("", _) = node.content {
      text = ""
    } else {
      text = self.text(node, what)
    }
    guard let text else { return nil }
    do throws(TemplateError) {
      return try Template(text)
    } catch {
      note(
        node.place,
        "in \(what), line \(error.place.line), character \(error.place.column): \(error.problem)")
      return nil
    }
  }

  /// A program and its arguments.
  mutating func command(_ node: YamlNode, _ what: String) -> [Template]? {
    let items = items(node, what)
    guard case .sequence = node.content else { return nil }
    guard !items.isEmpty, items.count <= 128 else {
      note(node.place, "\(what) has \(items.count) parts; allowed is 1 to 128")
      return nil
    }
    let parts = items.enumerated().compactMap {
      template($0.element, what, mayBeEmpty: $0.offset > 0)
    }
    return parts.count == items.count ? parts : nil
  }
}

extension TimeSpan {
  /// Reads `200ms`, `2s`, `1m` or `1h`.
  package init?(configuration text: String) {
    let digits = text.prefix { ("0"..."9").contains($0) }
    let factor: Int64
    switch text[digits.endIndex...] {
    case "ms": factor = 1_000_000
    case "s": factor = 1_000_000_000
    case "m": factor = 60_000_000_000
    case "h": factor = 3_600_000_000_000
    default: return nil
    }
    guard let count = Int64(digits) else { return nil }
    let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    self.init(nanoseconds: nanoseconds)
  }

  /// What `init(configuration:)` reads, in the largest unit that is exact.
  package var configuration: String {
    for (unit, factor): (String, Int64) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
    where milliseconds != 0 && milliseconds % factor == 0 {
      return "\(milliseconds / factor)\(unit)"
    }
    return "\(milliseconds)ms"
  }
}
