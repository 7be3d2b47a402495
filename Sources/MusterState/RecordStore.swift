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

  private var records: [UInt64: Record] = [:]
  private var buckets: [[Entry]] = Array(repeating: [], count: Limits.buckets)
  private var keysByAuthor: [NodeID: [UInt64]] = [:]
  /// The sum of hashes, by bucket and whole.
  package private(set) var fingerprints = [UInt64](repeating: 0, count: Limits.buckets)
  package private(set) var fingerprint: UInt64 = 0

  package init() {}

  package var count: Int { records.count }

  package subscript(key: UInt64) -> Record? { records[key] }

  /// What `apply` would do, at the cost of two look-ups: asked before a signature is checked.
  package func outcome(of record: Record, key: UInt64) -> Outcome {
    guard let old = records[key] else {
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
    remove(key: key)
    records[key] = record
    let entry = Entry(key: key, stamp: record.stamp, hash: hash)
    let bucket = Self.bucket(of: key)
    buckets[bucket].insert(entry, at: position(of: key, in: bucket))
    keysByAuthor[record.author, default: []].append(key)
    add(hash, to: bucket)
  }

  /// Drops one record; the answer tells whether there was one.
  @discardableResult
  package mutating func remove(key: UInt64) -> Record? {
    guard let record = records.removeValue(forKey: key) else { return nil }
    let bucket = Self.bucket(of: key)
    let entry = buckets[bucket].remove(at: position(of: key, in: bucket))
    keysByAuthor[record.author]?.removeAll { $0 == key }
    add(0 &- entry.hash, to: bucket)
    return record
  }

  /// Drops what an author published in earlier lives; returns what was dropped.
  @discardableResult
  package mutating func removeOlder(of author: NodeID, than counter: UInt64) -> [Record] {
    let keys = (keysByAuthor[author] ?? []).filter {
      (records[$0]?.incarnation.counter ?? 0) < counter
    }
    return keys.compactMap { remove(key: $0) }
  }

  /// The entries of all keys in a range, sorted.
  package func entries(from first: UInt64, through last: UInt64) -> [Entry] {
    guard first <= last else { return [] }
    var result: [Entry] = []
    for bucket in Self.bucket(of: first)...Self.bucket(of: last) {
      result += buckets[bucket].filter { first <= $0.key && $0.key <= last }
    }
    return result
  }

  /// How many records of one author are held.
  package func count(of author: NodeID) -> Int { keysByAuthor[author]?.count ?? 0 }

  /// All records of one author, in the order of their keys.
  package func records(of author: NodeID) -> [Record] {
    (keysByAuthor[author] ?? []).sorted().compactMap { records[$0] }
  }

  package static func bucket(of key: UInt64) -> Int { Int(key >> 58) }

  /// The keys that a bucket holds.
  package static func range(of bucket: Int) -> ClosedRange<UInt64> {
    UInt64(bucket) << 58...UInt64(bucket) << 58 | (1 << 58 - 1)
  }

  private func position(of key: UInt64, in bucket: Int) -> Int {
    var low = 0
    var high = buckets[bucket].count
    while low < high {
      let middle = (low + high) / 2
      if buckets[bucket][middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func add(_ hash: UInt64, to bucket: Int) {
    fingerprints[bucket] &+= hash
    fingerprint &+= hash
  }
}
