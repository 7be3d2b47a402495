import MusterState

/// Values larger than a datagram as trees of chunks, each named by its digest: whoever has a name
/// can ask anyone for the chunk and needs to trust nobody.
///
/// A chunk's first byte is its kind: 0, a leaf of content; 1, a list of digests of thirty-two
/// bytes, in order.
enum ChunkTree {
  static let branching = (Limits.chunkBytes - 1) / 32

  /// More chunks than any tree within `Limits.treeBytes` has: a list may name one chunk many
  /// times, and a few lists of lists would otherwise be more work than the universe has time for.
  static let maximumChunks = 128

  /// Cuts a value into chunks; the last one is the root.
  static func chunks(of value: [UInt8], digester: any Digester) -> [(name: Digest, bytes: [UInt8])]
  {
    precondition(value.count <= Limits.treeBytes, "the proposer checks the size")
    var all: [(name: Digest, bytes: [UInt8])] = []
    func add(_ bytes: [UInt8]) -> Digest {
      let name = digester.digest(bytes)
      all.append((name, bytes))
      return name
    }
    let step = Limits.chunkBytes - 1
    var level = stride(from: 0, to: max(1, value.count), by: step).map { start in
      add([0] + value[start..<min(start + step, value.count)])
    }
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: branching).map { start in
        let children = level[start..<min(start + branching, level.count)]
        return add([1] + children.flatMap(\.bytes.bytes))
      }
    }
    return all
  }

  enum Assembly: Equatable {
    case complete([UInt8])
    /// These chunks are not at hand.
    case missing([Digest])
    /// A chunk is no chunk, or the value is too large: never ask again.
    case malformed
  }

  /// Puts a value together from the chunks at hand.
  static func assemble(_ root: Digest, from chunks: [Digest: [UInt8]]) -> Assembly {
    var value: [UInt8] = []
    var missing: [Digest] = []
    var pending = [root]
    var visits = 0
    // Depth first, so that leaves come in order.
    while let name = pending.popLast() {
      visits += 1
      guard visits <= maximumChunks else { return .malformed }
      guard let chunk = chunks[name] else {
        missing.append(name)
        continue
      }
      guard let kind = chunk.first, value.count + pending.count * 32 <= 2 * Limits.treeBytes else {
        return .malformed
      }
      let content = chunk.dropFirst()
      switch kind {
      case 0: value += content
      case 1:
        guard content.count.isMultiple(of: 32), !content.isEmpty else { return .malformed }
        var children: [Digest] = []
        for start in stride(from: content.startIndex, to: content.endIndex, by: 32) {
          guard let bytes = Bytes32(content[start..<start + 32]) else { return .malformed }
          children.append(Digest(bytes))
        }
        pending += children.reversed()
      default: return .malformed
      }
    }
    guard missing.isEmpty else { return .missing(missing) }
    return value.count <= Limits.treeBytes ? .complete(value) : .malformed
  }
}

/// Chunks at hand, bounded; the oldest go first.
struct ChunkStore: Sendable {
  private(set) var chunks: [Digest: [UInt8]] = [:]
  private var order: [Digest] = []

  var count: Int { chunks.count }

  mutating func insert(_ name: Digest, _ bytes: [UInt8]) {
    guard chunks.updateValue(bytes, forKey: name) == nil else { return }
    order.append(name)
    while order.count > Limits.chunks { chunks[order.removeFirst()] = nil }
  }
}
