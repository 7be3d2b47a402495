import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct ChunkTreeTests {
  private let digester = Samples.keys[0]

  private func value(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
  }

  private func store(_ value: [UInt8]) -> (root: Digest, chunks: [Digest: [UInt8]]) {
    let all = ChunkTree.chunks(of: value, digester: digester)
    var chunks: [Digest: [UInt8]] = [:]
    for chunk in all { chunks[chunk.name] = chunk.bytes }
    return (all.last?.name ?? Samples.digest(""), chunks)
  }

  @Test(arguments: [0, 1, 998, 999, 1_000, 1_998, 30_969, 30_970, 31_968, 65_535, 65_536])
  func `a value of any size comes back whole`(count: Int) {
    let (root, chunks) = store(value(count))
    #expect(ChunkTree.assemble(root, from: chunks) == .complete(value(count)))
    #expect(chunks.values.allSatisfy { $0.count <= Limits.chunkBytes })
    #expect(chunks.count <= ChunkTree.maximumChunks)
  }

  @Test func `what is missing is asked for by name, from the root down`() {
    let (root, chunks) = store(value(40_000))
    #expect(ChunkTree.assemble(root, from: [:]) == .missing([root]))
    var held: [Digest: [UInt8]] = [:]
    var rounds = 0
    while case .missing(let names) = ChunkTree.assemble(root, from: held) {
      for name in names { held[name] = chunks[name] }
      rounds += 1
    }
    #expect(rounds == 3)
    #expect(ChunkTree.assemble(root, from: held) == .complete(value(40_000)))
  }

  @Test(arguments: [[], [2], [1], [1, 7]] as [[UInt8]])
  func `a chunk that is none is refused`(chunk: [UInt8]) {
    let root = digester.digest(chunk)
    #expect(ChunkTree.assemble(root, from: [root: chunk]) == .malformed)
  }

  @Test func `a value above the limit is refused`() {
    var chunks: [Digest: [UInt8]] = [:]
    let leaf: [UInt8] = [0] + value(999)
    chunks[digester.digest(leaf)] = leaf
    let list: [UInt8] =
      [1] + Array(repeating: digester.digest(leaf).bytes.bytes, count: 31).joined()
    chunks[digester.digest(list)] = list
    let root: [UInt8] = [1] + Array(repeating: digester.digest(list).bytes.bytes, count: 3).joined()
    chunks[digester.digest(root)] = root
    #expect(ChunkTree.assemble(digester.digest(root), from: chunks) == .malformed)
  }

  @Test func `a small tree that would take for ever is refused at once`() {
    var chunks: [Digest: [UInt8]] = [:]
    var below: [UInt8] = [0]
    for _ in 0..<20 {
      let name = digester.digest(below)
      chunks[name] = below
      below = [1] + Array(repeating: name.bytes.bytes, count: 31).joined()
    }
    let root = digester.digest(below)
    chunks[root] = below
    #expect(ChunkTree.assemble(root, from: chunks) == .malformed)
  }

  @Test func `at the limit the oldest chunks go`() {
    var store = ChunkStore()
    let names = (0...Limits.chunks).map {
      Digest(
        Bytes32(
          first: Bytes16(high: 0, low: UInt64($0)), second: .zero))
    }
    for name in names { store.insert(name, [0]) }
    #expect(store.chunks.count == Limits.chunks)
    #expect(store.chunks[names[0]] == nil)
    #expect(names.dropFirst().allSatisfy { store.chunks[$0] != nil })
  }
}
