/// One value of a YAML document, with the place where it begins.
package struct YamlNode: Sendable {
  package enum Content: Sendable {
    /// A plain scalar has no quotes: only such a one can be null, a number or a truth value.
    case scalar(String, isPlain: Bool)
    case sequence([YamlNode])
    /// In the order of the file; keys are unique.
    case mapping([YamlEntry])
  }

  package let content: Content
  package let place: YamlPlace

  package init(_ content: Content, at place: YamlPlace) {
    self.content = content
    self.place = place
  }

  /// Whether nothing was written here: empty, `~` or `null`.
  package var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return text.isEmpty || text == "~" || text == "null"
  }

  /// What this is, for messages: the text of a scalar, or the word for what is no scalar.
  package var summary: String {
    switch content {
    case .scalar(let text, _): isNull ? "nothing" : "'\(text.prefix(80))'"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// One key of a mapping and its value.
package struct YamlEntry: Sendable {
  package let key: String
  /// Where the key begins.
  package let place: YamlPlace
  package let value: YamlNode
}

/// A line and a column, both counted from 1, the column in characters.
package struct YamlPlace: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let line: Int
  package let column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  package var description: String { "\(line):\(column)" }

  package static func < (left: YamlPlace, right: YamlPlace) -> Bool {
    left.line != right.line ? left.line < right.line : left.column < right.column
  }
}

/// What is wrong with a text that should be YAML, and where.
package struct YamlError: Error, Hashable, Sendable, CustomStringConvertible {
  package let place: YamlPlace
  package let problem: String
  package var description: String { "\(place): \(problem)" }
}
