import MusterSystem

/// One mistake in a configuration file, or in a template that it names.
package struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  package let path: String
  /// `nil` when the file could not be read at all.
  package let place: YamlPlace?
  package let text: String

  package init(path: String, place: YamlPlace?, text: String) {
    self.path = path
    self.place = place
    self.text = text
  }

  /// `muster.yaml:3:7: …`.
  package var description: String {
    place.map { "\(path):\($0): \(text)" } ?? "\(path): \(text)"
  }
}

/// Everything that is wrong with a configuration, in the order of the file. Nothing of it is
/// used.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
  package let problems: [ConfigurationProblem]

  package init(_ problems: [ConfigurationProblem]) {
    precondition(!problems.isEmpty, "an error has a reason")
    self.problems = problems
  }

  package var description: String {
    problems.map { $0.description }.joined(separator: "\n")
  }
}
