/// Why bytes are no message. Nothing was kept of a refused message.
package enum WireError: Error, Hashable, Sendable {
  /// The bytes end inside a field.
  case truncated
  /// A number needs more than 64 bits, or more bits than its field has.
  case overflow
  /// A wire type that the schema does not use there, or a group.
  case wireType
  /// A required field is missing or has a wrong length.
  case field(Int)
  /// A list or a value is longer than its limit.
  case limit(Int)
}
