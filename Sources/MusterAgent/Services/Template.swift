import MusterSystem

/// A text with places that the cluster fills in.
///
///     {{node.host}}                     a name; see `TemplateName`
///     {{cluster.setting.size | 3}}      a name, and what stands there when it is empty
///     {{#members role=worker state=alive data.port}}…{{/members}}
///                                       once for each member that passes every filter, sorted
///                                       by name: name=, role=, state=, ready=, data.KEY=, or
///                                       data.KEY for one that is not empty. Inside, the fields
///                                       of that member need no prefix
///     {{^members role=worker}}…{{/members}}     when there is none
///     {{#last}}…{{/last}}, {{^last}}…{{/last}}  inside members: for the last, for the others
///     {{#leader}}…{{/leader}}, {{^leader}}…{{/leader}}  when a leader is known, or not
///     {{! a comment }}, and {{"{{"}} for the braces themselves
///
/// A line that holds nothing but one section tag or comment leaves no line behind. Control
/// characters in what is filled in are left out, so that no member can add a line to a file.
package struct Template: Hashable, Sendable {
  /// The largest text that is read or written, in bytes.
  package static let maximumBytes = 262_144

  indirect enum Part: Hashable, Sendable {
    case text(String)
    case value(TemplateName, fallback: String)
    case members(MemberFilter, [Part], isInverted: Bool)
    case leader([Part], isInverted: Bool)
    case last([Part], isInverted: Bool)
  }

  let parts: [Part]

  /// - Throws: `TemplateError` with the line and column of the first mistake.
  package init(_ text: String) throws(TemplateError) {
    var parser = TemplateParser(Array(text.utf8))
    parts = try parser.template()
  }

  /// The text when nothing has to be filled in; `nil` otherwise.
  package var constant: String? {
    guard let part = parts.first else { return "" }
    guard parts.count == 1, case .text(let text) = part else { return nil }
    return text
  }

  /// Fills in the values.
  ///
  /// - Throws: when the result has more than `maximumBytes`.
  package func render(_ values: TemplateValues) throws(TemplateError) -> String {
    var output = ""
    try Rendering(values: values, member: nil, isLast: false).render(parts, into: &output)
    return output
  }
}

/// Where a rendering stands: in which member's section.
private struct Rendering {
  let values: TemplateValues
  let member: ServiceContext.Member?
  let isLast: Bool

  func render(_ parts: [Template.Part], into output: inout String) throws(TemplateError) {
    for part in parts {
      switch part {
      case .text(let text): output += text
      case .value(let name, let fallback):
        let text = printable(name.text(in: values, member: member))
        output += text.isEmpty ? fallback : text
      case .members(let filter, let inner, let isInverted):
        try renderMembers(filter, inner, isInverted: isInverted, into: &output)
      case .leader(let inner, let isInverted):
        if (values.context.leader == nil) == isInverted { try render(inner, into: &output) }
      case .last(let inner, let isInverted):
        if isLast != isInverted { try render(inner, into: &output) }
      }
      guard output.utf8.count <= Template.maximumBytes else {
        throw TemplateError(
          place: YamlPlace(line: 1, column: 1),
          problem: "the result has more than \(Template.maximumBytes) bytes")
      }
    }
  }

  private func renderMembers(
    _ filter: MemberFilter, _ inner: [Template.Part], isInverted: Bool,
    into output: inout String
  ) throws(TemplateError) {
    let chosen = values.context.members.filter { filter.passes($0) }
    if isInverted {
      if chosen.isEmpty { try render(inner, into: &output) }
      return
    }
    for (index, member) in chosen.enumerated() {
      let rendering = Rendering(
        values: values, member: member, isLast: index == chosen.count - 1)
      try rendering.render(inner, into: &output)
    }
  }

  private func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    result.append(contentsOf: text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f })
    return String(result)
  }
}

/// Which members a section is for: those that pass every condition.
struct MemberFilter: Hashable, Sendable {
  struct Condition: Hashable, Sendable {
    var field: TemplateName.MemberField
    /// `nil`: anything that is not empty.
    var value: String?
  }

  var conditions: [Condition] = []

  func passes(_ member: ServiceContext.Member) -> Bool {
    conditions.allSatisfy { condition in
      let text = condition.field.text(of: member)
      return condition.value.map { $0 == text } ?? !text.isEmpty
    }
  }
}

/// What is wrong with a template, and where in its text.
package struct TemplateError: Error, Hashable, Sendable, CustomStringConvertible {
  package let place: YamlPlace
  package let problem: String
  package var description: String { "\(place): \(problem)" }
}
