import MusterState
import Testing

/// Chance for tests: the same on every run.
private struct Dice: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

private let noSignature = Signature(first: .zero, second: .zero)

private func record(
  _ author: UInt64, _ name: String, counter: UInt64, version: UInt64, boot: UInt64 = 1,
  content: [UInt8] = []
) -> Record {
  Record(
    author: NodeID(Bytes16(high: author, low: 0)),
    incarnation: Incarnation(counter: counter, boot: boot), name: RecordName(name),
    version: version, content: content, payload: content + [UInt8(truncatingIfNeeded: version)],
    signature: noSignature)
}

private func key(_ record: Record) -> UInt64 {
  var hash = record.author.bytes.high &* 0x9e37_79b9_7f4a_7c15
  for byte in record.name.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return hash ^ hash << 32
}

private func mark(_ record: Record) -> UInt64 {
  (key(record) ^ record.stamp.counter << 40 ^ record.stamp.version) &* 0xbf58_476d_1ce4_e5b9
}

/// What a peer does with a record whose signature holds.
private func merge(_ record: Record, into store: inout RecordStore) {
  guard case .applied = store.outcome(of: record, key: key(record)) else { return }
  store.insert(record, key: key(record), hash: mark(record))
}

private func entries(_ store: RecordStore) -> [RecordStore.Entry] {
  store.entries(from: 0, through: .max)
}

@Suite struct RecordStoreTests {
  /// Many versions of many records, in some order.
  private func history(seed: UInt64) -> [Record] {
    var dice = Dice(state: seed)
    return (0..<300).map { _ in
      record(
        UInt64.random(in: 1...6, using: &dice), "name/\(Int.random(in: 0...9, using: &dice))",
        counter: UInt64.random(in: 1...3, using: &dice),
        version: UInt64.random(in: 1...5, using: &dice))
    }
  }

  @Test(arguments: 1...20)
  func `the order of arrival does not matter`(seed: UInt64) {
    var dice = Dice(state: seed &+ 1_000)
    let history = history(seed: seed)
    var (first, second) = (RecordStore(), RecordStore())
    for record in history { merge(record, into: &first) }
    for record in history.shuffled(using: &dice) { merge(record, into: &second) }
    #expect(entries(first) == entries(second))
    #expect(first.fingerprint == second.fingerprint)
    #expect(first.fingerprints == second.fingerprints)
  }

  @Test(arguments: 1...5)
  func `hearing everything twice changes nothing`(seed: UInt64) {
    var store = RecordStore()
    for record in history(seed: seed) { merge(record, into: &store) }
    let (before, fingerprint) = (entries(store), store.fingerprint)
    for record in history(seed: seed) { merge(record, into: &store) }
    #expect(entries(store) == before)
    #expect(store.fingerprint == fingerprint)
  }

  @Test(arguments: 1...5)
  func `each fingerprint is the sum over what is held`(seed: UInt64) {
    var store = RecordStore()
    for record in history(seed: seed) { merge(record, into: &store) }
    for victim in entries(store).prefix(7) { store.remove(key: victim.key) }
    store.removeOlder(of: NodeID(Bytes16(high: 2, low: 0)), than: 3)
    for bucket in 0..<Limits.buckets {
      let range = RecordStore.range(of: bucket)
      let held = store.entries(from: range.lowerBound, through: range.upperBound)
      #expect(store.fingerprints[bucket] == held.reduce(0) { $0 &+ $1.hash })
      #expect(held.map(\.key) == held.map(\.key).sorted())
      #expect(held.allSatisfy { RecordStore.bucket(of: $0.key) == bucket })
    }
    #expect(store.fingerprint == entries(store).reduce(0) { $0 &+ $1.hash })
    #expect(store.count == entries(store).count)
    for entry in entries(store) { store.remove(key: entry.key) }
    #expect(store.fingerprint == 0)
    #expect(store.fingerprints.allSatisfy { $0 == 0 })
  }

  @Test func `the newest life wins, then the newest version`() {
    var store = RecordStore()
    let old = record(1, "work", counter: 2, version: 9)
    merge(old, into: &store)
    func outcome(_ record: Record) -> RecordStore.Outcome {
      store.outcome(of: record, key: key(record))
    }
    #expect(outcome(old) == .duplicate)
    #expect(outcome(record(1, "work", counter: 2, version: 8)) == .stale)
    #expect(outcome(record(1, "work", counter: 1, version: 99)) == .stale)
    #expect(
      outcome(record(1, "work", counter: 2, version: 10)) == .applied(previous: old))
    #expect(outcome(record(1, "work", counter: 3, version: 1)) == .applied(previous: old))
    #expect(outcome(record(2, "work", counter: 1, version: 1)) == .applied(previous: nil))
  }

  @Test func `two values for one version are told from two lives of one counter`() {
    var store = RecordStore()
    merge(record(1, "work", counter: 2, version: 9), into: &store)
    let other = record(1, "work", counter: 2, version: 9, content: [1])
    let clone = record(1, "work", counter: 2, version: 9, boot: 7, content: [1])
    #expect(store.outcome(of: other, key: key(other)) == .equivocation)
    #expect(store.outcome(of: clone, key: key(clone)) == .cloned)
  }

  @Test func `an author has room for sixty-four names, and newer versions of them`() {
    var store = RecordStore()
    for index in 0..<Limits.recordsPerAuthor {
      merge(record(1, "x/\(index)", counter: 1, version: 1), into: &store)
    }
    let more = record(1, "more", counter: 1, version: 1)
    #expect(store.outcome(of: more, key: key(more)) == .full)
    merge(record(1, "x/0", counter: 1, version: 2), into: &store)
    #expect(store.count == Limits.recordsPerAuthor)
    merge(record(2, "more", counter: 1, version: 1), into: &store)
    #expect(store.count == Limits.recordsPerAuthor + 1)
    let dropped = store.remove(key: key(record(1, "x/0", counter: 1, version: 2)))
    #expect(dropped?.version == 2)
    #expect(store.outcome(of: more, key: key(more)) == .applied(previous: nil))
  }

  @Test func `buckets are ranges that cover all keys without a gap`() {
    var next: UInt64 = 0
    for bucket in 0..<Limits.buckets {
      let range = RecordStore.range(of: bucket)
      #expect(range.lowerBound == next)
      #expect(RecordStore.bucket(of: range.lowerBound) == bucket)
      #expect(RecordStore.bucket(of: range.upperBound) == bucket)
      next = range.upperBound &+ 1
    }
    #expect(next == 0)
  }

  @Test(arguments: [
    "member", "coordination", "work", "data", "request", "later/thing",
    "suspicion/0123456789abcdef0123456789abcdef", "suspicion/short",
    "suspicion/0123456789ABCDEF0123456789ABCDEF",
  ])
  func `a name means the same after it was passed on`(text: String) {
    #expect(RecordName(text).text == text)
  }
}
