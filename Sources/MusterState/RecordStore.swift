/// Everything that members have published, the newest of each name, with a fingerprint that tells
/// two stores apart at a glance.
///
/// Records are ordered by a keyed hash of author and name. The top six bits of that key choose
/// one of 64 buckets, so that a bucket is a range of keys, and two stores that differ little
/// compare little. Of one author only records of its newest incarnation are kept.
package struct RecordStore: Sendable {
  package struct Entry: Hashable, Sendable {
    package let key: UInt64
    package let stamp: RecordStamp
    /// The keyed hash of author, name and stamp that the fingerprints sum up.
    package let hash: UInt64
  }

  package enum Outcome: Hashable, Sendable {
    /// New: the record replaced `previous`, if any.
    case applied(previous: Record?)
    case duplicate
    case stale
    /// The same stamp and life, other content: proof against the author.
    case equivocation
    /// The same counter in two lives: a cloned disk.
    case cloned
    /// `Limits.recordsPerAuthor` is reached.
    case full
  }

  /// What is kept under a key; a bucket is a range of the table.
  private struct Slot: Sendable {
    let record: Record
    let hash: UInt64
  }

  private var slots = SortedTable<UInt64, Slot>()
  private var keysByAuthor = SortedTable<NodeID, [UInt64]>()
  /// The sum of hashes, by bucket and whole.
  package private(set) var fingerprints = [UInt64](repeating: 0, count: Limits.buckets)
  package private(set) var fingerprint: UInt64 = 0

  package init() {}

  /// The store that inserting each of these would lead to, made in one go.
  package init(_ entries: [(key: UInt64, record: Record, hash: UInt64)]) {
    let sorted = entries.sorted { $0.key < $1.key }
    slots = SortedTable(
      sorted: sorted.map { (key: $0.key, value: Slot(record: $0.record, hash: $0.hash)) })
    var authors: [(key: NodeID, value: [UInt64])] = []
    for entry in entries.sorted(by: { ($0.record.author, $0.key) < ($1.record.author, $1.key) }) {
      if authors.last?.key == entry.record.author {
        authors[authors.count - 1].value.append(entry.key)
      } else {
        authors.append((entry.record.author, [entry.key]))
      }
      add(entry.hash, to: Self.bucket(of: entry.key))
    }
    keysByAuthor = SortedTable(sorted: authors)
  }

  package var count: Int { slots.count }

  package subscript(key: UInt64) -> Record? { slots[key]?.record }

  /// What `apply` would do, at the cost of two look-ups: asked before a signature is checked.
  package func outcome(of record: Record, key: UInt64) -> Outcome {
    guard let old = self[key] else {
      let isFull = (keysByAuthor[record.author]?.count ?? 0) >= Limits.recordsPerAuthor
      return isFull ? .full : .applied(previous: nil)
    }
    if record.stamp > old.stamp { return .applied(previous: old) }
    if record.stamp < old.stamp { return .stale }
    if record.payload == old.payload { return .duplicate }
    return record.incarnation.boot == old.incarnation.boot ? .equivocation : .cloned
  }

  /// Keeps a record whose signature was checked and whose outcome was `applied`.
  package mutating func insert(_ record: Record, key: UInt64, hash: UInt64) {
    let bucket = Self.bucket(of: key)
    if let old = slots[key], old.record.author == record.author {
      add(0 &- old.hash, to: bucket)
    } else {
      remove(key: key)
      keysByAuthor[record.author, default: []].append(key)
    }
    slots[key] = Slot(record: record, hash: hash)
    add(hash, to: bucket)
  }

  /// Drops one record; the answer tells whether there was one.
  @discardableResult
  package mutating func remove(key: UInt64) -> Record? {
    guard let slot = slots.removeValue(forKey: key) else { return nil }
    let author = slot.record.author
    let rest = (keysByAuthor[author] ?? []).filter { $0 != key }
    keysByAuthor[author] = rest.isEmpty ? nil : rest
    add(0 &- slot.hash, to: Self.bucket(of: key))
    return slot.record
  }

  /// Drops what an author published in earlier lives; returns what was dropped.
  @discardableResult
  package mutating func removeOlder(of author: NodeID, than counter: UInt64) -> [Record] {
    let keys = (keysByAuthor[author] ?? []).filter {
      (self[$0]?.incarnation.counter ?? 0) < counter
    }
    return keys.compactMap { remove(key: $0) }
  }

  /// The entries of all keys in a range, sorted.
  package func entries(from first: UInt64, through last: UInt64) -> [Entry] {
    guard first <= last else { return [] }
    return slots.entries(in: first...last).map {
      Entry(key: $0.key, stamp: $0.value.record.stamp, hash: $0.value.hash)
    }
  }

  /// How many records of one author are held.
  package func count(of author: NodeID) -> Int { keysByAuthor[author]?.count ?? 0 }

  /// All records of one author, in the order of their keys.
  package func records(of author: NodeID) -> [Record] {
    (keysByAuthor[author] ?? []).sorted().compactMap { self[$0] }
  }

  package static func bucket(of key: UInt64) -> Int { Int(key >> 58) }

  /// The keys that a bucket holds.
  package static func range(of bucket: Int) -> ClosedRange<UInt64> {
    UInt64(bucket) << 58...UInt64(bucket) << 58 | (1 << 58 - 1)
  }

  private mutating func add(_ hash: UInt64, to bucket: Int) {
    fingerprints[bucket] &+= hash
    fingerprint &+= hash
  }
}
