/// A JSON value. Objects keep the order in which their keys were put in, so that answers read the
/// same each time.
package enum Json: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// Finite, and not written without a fraction by whoever sent it.
  case number(Double)
  case string(String)
  case array([Json])
  case object([JsonMember])

  /// The value of a key of an object; `nil` when this is no object or has no such key.
  package subscript(_ key: String) -> Json? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  package var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  package var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The elements of an array; `nil` for anything else.
  package var array: [Json]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  package var isNull: Bool { self == .null }

  /// A string, or null for `nil` and for the empty string, which is how values say "not heard".
  package static func text(_ text: String?) -> Json {
    guard let text, !text.isEmpty else { return .null }
    return .string(text)
  }

  package static func count(_ count: some BinaryInteger) -> Json {
    .integer(Int64(clamping: count))
  }
}

/// One key and value of an object.
package struct JsonMember: Hashable, Sendable {
  package var key: String
  package var value: Json
  package init(_ key: String, _ value: Json) {
    self.key = key
    self.value = value
  }
}

extension Json: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
  ExpressibleByNilLiteral
{
  package init(stringLiteral text: String) { self = .string(text) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int64) { self = .integer(value) }
  package init(arrayLiteral elements: Json...) { self = .array(elements) }
  package init(nilLiteral: ()) { self = .null }
  package init(dictionaryLiteral members: (String, Json)...) {
    self = .object(members.map { JsonMember($0.0, $0.1) })
  }
}
