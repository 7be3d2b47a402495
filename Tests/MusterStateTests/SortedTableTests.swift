import Testing

@testable import MusterState

/// Chance for tests: the same on every run.
private struct Dice: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

extension SortedTable where Key == Int {
  /// What holds of every table, however it came to be.
  fileprivate var isWellFormed: Bool {
    var start = 0
    for chunk in chunks {
      guard chunk.start == start, chunk.keys.first == chunk.first, chunk.keys.count <= 64,
        chunk.keys.count == chunk.values.count
      else { return false }
      start += chunk.keys.count
    }
    return zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 }
  }
}

@Suite struct SortedTableTests {
  /// A table and a dictionary after the same random changes.
  private func pair(seed: UInt64, changes: Int, keys: Int) -> (SortedTable<Int, Int>, [Int: Int]) {
    var dice = Dice(state: seed)
    var table = SortedTable<Int, Int>()
    var dictionary: [Int: Int] = [:]
    for change in 0..<changes {
      let key = Int.random(in: 0..<keys, using: &dice)
      // Grows at first and shrinks later, so that chunks are split and joined.
      let isRemoval = Int.random(in: 0..<changes, using: &dice) < change
      if isRemoval {
        #expect(table.removeValue(forKey: key) == dictionary.removeValue(forKey: key))
      } else {
        table[key] = change
        dictionary[key] = change
      }
    }
    return (table, dictionary)
  }

  @Test(arguments: [1, 3, 60, 200, 2_000, 20_000])
  func `a table holds what a dictionary holds, in order`(keys: Int) {
    for seed in 1...6 {
      let (table, dictionary) = pair(seed: UInt64(seed), changes: 4 * keys, keys: keys)
      #expect(table.isWellFormed)
      #expect(table.count == dictionary.count)
      #expect(table.isEmpty == dictionary.isEmpty)
      #expect(Array(table.keys) == dictionary.keys.sorted())
      #expect(Array(table.values) == dictionary.keys.sorted().compactMap { dictionary[$0] })
      #expect((-1...keys).allSatisfy { table[$0] == dictionary[$0] })
    }
  }

  @Test(arguments: 1...5)
  func `a position counts the smaller keys, and a key is at its position`(seed: UInt64) {
    let (table, dictionary) = pair(seed: seed, changes: 900, keys: 400)
    let sorted = dictionary.keys.sorted()
    #expect(!sorted.isEmpty)
    for (position, key) in sorted.enumerated() {
      #expect(table.position(of: key) == position)
      #expect(table.key(at: position) == key)
    }
    for key in -1...401 {
      #expect(table.position(of: key) == sorted.count { $0 < key })
    }
  }

  @Test(arguments: 1...5)
  func `a range gives the entries within it`(seed: UInt64) {
    let (table, dictionary) = pair(seed: seed, changes: 900, keys: 400)
    for (low, high) in [(0, 399), (-5, 500), (17, 17), (100, 160), (398, 900), (-9, -3)] {
      let wanted = dictionary.keys.filter { low <= $0 && $0 <= high }.sorted()
      let found = table.entries(in: low...high)
      #expect(found.map(\.key) == wanted)
      #expect(found.allSatisfy { dictionary[$0.key] == $0.value })
    }
    #expect(SortedTable<Int, Int>().entries(in: 0...9).isEmpty)
  }

  @Test(arguments: 1...5)
  func `a copy does not see what is changed in the original`(seed: UInt64) {
    var (table, dictionary) = pair(seed: seed, changes: 600, keys: 500)
    let copy = table
    for key in stride(from: 0, to: 500, by: 3) { table[key] = nil }
    for key in stride(from: 1, to: 500, by: 3) { table[key] = -1 }
    #expect(Array(copy.keys) == dictionary.keys.sorted())
    #expect(copy.allSatisfy { dictionary[$0.key] == $0.value })
    for key in stride(from: 0, to: 500, by: 3) { dictionary[key] = nil }
    for key in stride(from: 1, to: 500, by: 3) { dictionary[key] = -1 }
    #expect(Array(table.keys) == dictionary.keys.sorted())
    #expect(table.isWellFormed)
  }

  @Test(arguments: [0, 1, 47, 48, 49, 500])
  func `a table made of sorted entries is the one made by hand`(count: Int) {
    var grown = SortedTable<Int, Int>()
    for key in (0..<count).reversed() { grown[key * 2, default: 0] += key }
    let made = SortedTable(sorted: (0..<count).map { (key: $0 * 2, value: $0) })
    #expect(made == grown)
    #expect(made.isWellFormed && grown.isWellFormed)
    var fuller = made
    fuller[1] = 7
    #expect(fuller != made)
    #expect(fuller.count == count + 1)
    #expect(fuller.isWellFormed)
  }

  @Test func `a table from which nearly all is removed keeps few chunks`() {
    var table = SortedTable(sorted: (0..<4_800).map { (key: $0, value: $0) })
    for key in 0..<4_800 where key % 48 != 0 { table[key] = nil }
    #expect(table.count == 100)
    #expect(table.isWellFormed)
    #expect(table.chunks.count <= 20, "\(table.chunks.count) chunks")
  }

  @Test(arguments: 1...5)
  func `a sorted set holds each once, in order`(seed: UInt64) {
    var dice = Dice(state: seed)
    var set = SortedSet<Int>()
    var model: Set<Int> = []
    for _ in 0..<2_000 {
      let element = Int.random(in: 0..<300, using: &dice)
      if Bool.random(using: &dice) {
        set.insert(element)
        model.insert(element)
      } else {
        set.remove(element)
        model.remove(element)
      }
      #expect(set.contains(element) == model.contains(element))
    }
    let sorted = model.sorted()
    #expect(Array(set) == sorted)
    #expect(set.first == sorted.first)
    #expect(set == SortedSet(sorted: sorted))
    for (position, element) in sorted.enumerated() {
      #expect(set.place(of: element) == position)
      #expect(set[position] == element)
    }
  }
}
