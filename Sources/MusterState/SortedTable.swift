/// A dictionary in the order of its keys, made of short sorted chunks.
///
/// Copies share their chunks, and a change copies one chunk and the list of chunks, not the
/// table: so ten thousand peers that begin with the same members hold one copy of them, and a
/// newcomer costs each of them some kilobytes. Order is part of the value, so it may be seen.
///
/// The other rooms get it specialised for their types: a type must be `@usableFromInline` for
/// that, or its `@inlinable` members are none outside this module.
@usableFromInline
package struct SortedTable<Key: Comparable & Sendable, Value: Sendable>: Sendable {
  /// A run of neighbouring entries. Keys and values lie apart, because a search reads keys only
  /// and a new value leaves the keys shared.
  @usableFromInline
  struct Chunk: Sendable {
    /// The first of `keys`, here so that the search for a chunk stays within the list of chunks.
    @usableFromInline var first: Key
    /// How many entries lie before this chunk.
    @usableFromInline var start: Int
    @usableFromInline var keys: [Key]
    @usableFromInline var values: [Value]

    @usableFromInline
    init(first: Key, start: Int, keys: [Key], values: [Value]) {
      self.first = first
      self.start = start
      self.keys = keys
      self.values = values
    }
  }

  /// Where a key is, or where it belongs.
  @usableFromInline
  struct Place {
    @usableFromInline var chunk: Int
    @usableFromInline var offset: Int
    @usableFromInline var isFound: Bool

    @usableFromInline
    init(chunk: Int, offset: Int, isFound: Bool) {
      self.chunk = chunk
      self.offset = offset
      self.isFound = isFound
    }
  }

  @usableFromInline var chunks: [Chunk] = []

  @inlinable
  package init() {}

  /// A table of entries that are sorted by key already, each key once.
  package init(sorted entries: [(key: Key, value: Value)]) {
    for begin in stride(from: 0, to: entries.count, by: ChunkSize.filled) {
      let part = entries[begin...].prefix(ChunkSize.filled)
      let keys = part.map { $0.key }
      chunks.append(
        Chunk(first: keys[0], start: begin, keys: keys, values: part.map { $0.value }))
    }
    precondition(
      zip(entries, entries.dropFirst()).allSatisfy { $0.key < $1.key },
      "a table is built from sorted entries")
  }

  @inlinable
  package var count: Int { chunks.last.map { $0.start + $0.keys.count } ?? 0 }

  @inlinable
  package var isEmpty: Bool { chunks.isEmpty }

  @inlinable
  package subscript(key: Key) -> Value? {
    get {
      let place = place(of: key)
      return place.isFound ? chunks[place.chunk].values[place.offset] : nil
    }
    set {
      let place = place(of: key)
      switch (newValue, place.isFound) {
      case (let value?, true): chunks[place.chunk].values[place.offset] = value
      case (let value?, false): insert(value, for: key, at: place)
      case (nil, true): remove(at: place)
      case (nil, false): break
      }
    }
  }

  @inlinable
  package subscript(key: Key, default other: @autoclosure () -> Value) -> Value {
    get { self[key] ?? other() }
    set { self[key] = newValue }
  }

  @discardableResult
  @inlinable
  package mutating func removeValue(forKey key: Key) -> Value? {
    let place = place(of: key)
    guard place.isFound else { return nil }
    let value = chunks[place.chunk].values[place.offset]
    remove(at: place)
    return value
  }

  // MARK: - Order

  /// How many keys are smaller than `key`: its position, or the one that it would have.
  @inlinable
  package func position(of key: Key) -> Int {
    let place = place(of: key)
    return chunks.isEmpty ? 0 : chunks[place.chunk].start + place.offset
  }

  /// The key at a position in the order.
  @inlinable
  package func key(at position: Int) -> Key {
    precondition(position >= 0 && position < count, "a position is one of the table's")
    var low = 0
    var high = chunks.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if chunks[middle].start <= position { low = middle } else { high = middle - 1 }
    }
    return chunks[low].keys[position - chunks[low].start]
  }

  /// The entries whose keys lie in a range, in order.
  @inlinable
  package func entries(in range: ClosedRange<Key>) -> [(key: Key, value: Value)] {
    var result: [(key: Key, value: Value)] = []
    var (chunk, offset) = (0, 0)
    if !chunks.isEmpty {
      let place = place(of: range.lowerBound)
      (chunk, offset) = (place.chunk, place.offset)
    }
    while chunk < chunks.count {
      while offset < chunks[chunk].keys.count {
        let key = chunks[chunk].keys[offset]
        guard key <= range.upperBound else { return result }
        result.append((key, chunks[chunk].values[offset]))
        offset += 1
      }
      chunk += 1
      offset = 0
    }
    return result
  }

  // MARK: - Chunks

  /// The last chunk that begins at or before `key` (the first one, when none does), and the place
  /// in it.
  @inlinable
  func place(of key: Key) -> Place {
    guard !chunks.isEmpty else { return Place(chunk: 0, offset: 0, isFound: false) }
    var low = 0
    var high = chunks.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if key < chunks[middle].first { high = middle - 1 } else { low = middle }
    }
    let chunk = low
    (low, high) = (0, chunks[chunk].keys.count)
    while low < high {
      let middle = (low + high) / 2
      if chunks[chunk].keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    let isFound = low < chunks[chunk].keys.count && chunks[chunk].keys[low] == key
    return Place(chunk: chunk, offset: low, isFound: isFound)
  }

  @inlinable
  mutating func insert(_ value: Value, for key: Key, at place: Place) {
    guard !chunks.isEmpty else {
      chunks = [Chunk(first: key, start: 0, keys: [key], values: [value])]
      return
    }
    chunks[place.chunk].keys.insert(key, at: place.offset)
    chunks[place.chunk].values.insert(value, at: place.offset)
    if place.offset == 0 { chunks[place.chunk].first = key }
    if chunks[place.chunk].keys.count > ChunkSize.most { split(place.chunk) }
    renumber(from: place.chunk)
  }

  @inlinable
  mutating func remove(at place: Place) {
    chunks[place.chunk].keys.remove(at: place.offset)
    chunks[place.chunk].values.remove(at: place.offset)
    guard let first = chunks[place.chunk].keys.first else {
      chunks.remove(at: place.chunk)
      renumber(from: place.chunk)
      return
    }
    chunks[place.chunk].first = first
    if chunks[place.chunk].keys.count < ChunkSize.least { join(place.chunk) }
    renumber(from: place.chunk == 0 ? 0 : place.chunk - 1)
  }

  @inlinable
  mutating func split(_ index: Int) {
    let half = chunks[index].keys.count / 2
    let keys = Array(chunks[index].keys[half...])
    let values = Array(chunks[index].values[half...])
    chunks[index].keys.removeSubrange(half...)
    chunks[index].values.removeSubrange(half...)
    chunks.insert(Chunk(first: keys[0], start: 0, keys: keys, values: values), at: index + 1)
  }

  /// A chunk that has become short goes into a neighbour with room, so that a table from which
  /// much was removed does not stay a list of crumbs.
  @inlinable
  mutating func join(_ index: Int) {
    let left = index > 0 ? index - 1 : index
    guard left + 1 < chunks.count,
      chunks[left].keys.count + chunks[left + 1].keys.count <= ChunkSize.filled
    else { return }
    let right = chunks.remove(at: left + 1)
    chunks[left].keys += right.keys
    chunks[left].values += right.values
  }

  @inlinable
  mutating func renumber(from index: Int) {
    var start = index > 0 ? chunks[index - 1].start + chunks[index - 1].keys.count : 0
    for index in index..<chunks.count {
      chunks[index].start = start
      start += chunks[index].keys.count
    }
  }
}

/// How long the chunks of a table are: short enough to be copied for one change, long enough that
/// the list of chunks of sixteen thousand entries stays shorter than a chunk's content.
@usableFromInline
enum ChunkSize {
  @inlinable static var most: Int { 64 }
  @inlinable static var filled: Int { 48 }
  @inlinable static var least: Int { 16 }
}

// MARK: - Sequences

extension SortedTable: Sequence {
  @usableFromInline
  package typealias Element = (key: Key, value: Value)

  /// Walks a table chunk by chunk.
  @usableFromInline
  package struct Iterator: IteratorProtocol {
    @usableFromInline let chunks: [Chunk]
    @usableFromInline var chunk = 0
    @usableFromInline var offset = 0

    @usableFromInline
    init(_ table: SortedTable) { chunks = table.chunks }

    @inlinable
    package mutating func next() -> (key: Key, value: Value)? {
      guard let (chunk, offset) = advance() else { return nil }
      return (chunks[chunk].keys[offset], chunks[chunk].values[offset])
    }

    /// Where the next entry is; it is passed then.
    @inlinable
    mutating func advance() -> (chunk: Int, offset: Int)? {
      guard chunk < chunks.count else { return nil }
      let place = (chunk, offset)
      offset += 1
      if offset == chunks[chunk].keys.count { (chunk, offset) = (chunk + 1, 0) }
      return place
    }
  }

  @inlinable
  package func makeIterator() -> Iterator { Iterator(self) }

  @inlinable
  package var underestimatedCount: Int { count }

  /// The keys of a table, in order.
  @usableFromInline
  package struct Keys: Sequence {
    @usableFromInline let table: SortedTable

    @usableFromInline
    init(_ table: SortedTable) { self.table = table }

    @inlinable
    package func makeIterator() -> KeyIterator { KeyIterator(table) }

    @inlinable
    package var underestimatedCount: Int { table.count }
  }

  /// Walks the keys alone: values are neither read nor retained.
  @usableFromInline
  package struct KeyIterator: IteratorProtocol {
    @usableFromInline var entries: Iterator

    @usableFromInline
    init(_ table: SortedTable) { entries = Iterator(table) }

    @inlinable
    package mutating func next() -> Key? {
      guard let (chunk, offset) = entries.advance() else { return nil }
      return entries.chunks[chunk].keys[offset]
    }
  }

  @inlinable
  package var keys: Keys { Keys(self) }

  @inlinable
  package var values: some Sequence<Value> { lazy.map(\.value) }
}

extension SortedTable: Equatable where Value: Equatable {
  @inlinable
  package static func == (left: SortedTable, right: SortedTable) -> Bool {
    left.count == right.count && left.elementsEqual(right) { $0 == $1 }
  }
}
