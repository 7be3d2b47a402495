/// A value behind one reference: cheap to copy, and one copy for all tables that hold it.
///
/// It cannot be changed in place; a change is a new one.
@usableFromInline
package struct Shared<Value: Sendable>: Sendable {
  @usableFromInline
  final class Box: Sendable {
    @usableFromInline let value: Value

    @usableFromInline
    init(_ value: Value) { self.value = value }
  }

  @usableFromInline let box: Box

  @inlinable
  package init(_ value: Value) { box = Box(value) }

  @inlinable
  package var value: Value { box.value }
}

/// A sorted table of large values, each behind one reference, so that a chunk is quick to copy.
@usableFromInline
package struct SharedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  @usableFromInline var table = SortedTable<Key, Shared<Value>>()

  package init() {}

  /// A table of entries that are sorted by key already, each key once.
  package init(sorted entries: [(key: Key, value: Value)]) {
    table = SortedTable(sorted: entries.map { (key: $0.key, value: Shared($0.value)) })
  }

  package var count: Int { table.count }

  @inlinable
  package subscript(key: Key) -> Value? {
    get { table[key]?.value }
    set { table[key] = newValue.map { Shared($0) } }
  }

  @inlinable
  package var keys: SortedTable<Key, Shared<Value>>.Keys { table.keys }
}
