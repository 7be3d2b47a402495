/// Elements in order, each once, in chunks that copies share: see `SortedTable`.
@usableFromInline
package struct SortedSet<Element: Comparable & Sendable>: Sendable {
  /// What a table of keys alone holds beside each key: nothing, in no bytes.
  @usableFromInline
  package struct Nothing: Sendable {
    @inlinable
    package init() {}
  }

  @usableFromInline var table = SortedTable<Element, Nothing>()

  package init() {}

  /// A set of elements that are sorted already, each once.
  package init(sorted elements: [Element]) {
    table = SortedTable(sorted: elements.map { (key: $0, value: Nothing()) })
  }

  @inlinable
  package var count: Int { table.count }

  @inlinable
  package var isEmpty: Bool { table.isEmpty }

  @inlinable
  package func contains(_ element: Element) -> Bool { table.place(of: element).isFound }

  @inlinable
  package mutating func insert(_ element: Element) {
    let place = table.place(of: element)
    if !place.isFound { table.insert(Nothing(), for: element, at: place) }
  }

  @inlinable
  package mutating func remove(_ element: Element) {
    let place = table.place(of: element)
    if place.isFound { table.remove(at: place) }
  }

  /// How many elements are smaller: the position of this one, or the one that it would have.
  @inlinable
  package func place(of element: Element) -> Int { table.position(of: element) }

  @inlinable
  package subscript(position: Int) -> Element { table.key(at: position) }
}

extension SortedSet: Sequence {
  @inlinable
  package func makeIterator() -> SortedTable<Element, Nothing>.KeyIterator {
    table.keys.makeIterator()
  }

  @inlinable
  package var underestimatedCount: Int { table.count }

  @inlinable
  package var first: Element? { table.isEmpty ? nil : table.key(at: 0) }
}

extension SortedSet: Equatable {
  @inlinable
  package static func == (left: SortedSet, right: SortedSet) -> Bool {
    left.count == right.count && left.elementsEqual(right)
  }
}
