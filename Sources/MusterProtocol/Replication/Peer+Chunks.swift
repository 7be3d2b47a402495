import MusterState

/// Chunks of larger values: asked for by name, given to whoever asks.
extension Peer {
  mutating func deliver(chunks names: [Digest], to node: NodeID) {
    for name in names.prefix(64) {
      guard let bytes = chunks.chunks[name] else { continue }
      var frame = Frame()
      frame.chunks = [bytes]
      send(frame, to: node)
    }
  }

  /// Keeps a chunk that was asked for; others are not stored for a stranger's sake.
  mutating func take(chunk bytes: [UInt8]) {
    let name = cryptography.digest(bytes)
    guard coordination.wantedChunks.contains(name) else { return }
    coordination.wantedChunks.remove(name)
    chunks.insert(name, bytes)
    coordination.isDirty = true
  }

  mutating func keep(tree value: [UInt8]) -> Digest {
    let all = ChunkTree.chunks(of: value, digester: cryptography)
    for chunk in all { chunks.insert(chunk.name, chunk.bytes) }
    guard let root = all.last else { preconditionFailure("a tree has a root") }
    return root.name
  }

  mutating func ask(for names: [Digest], of node: NodeID) {
    for name in names { coordination.wantedChunks.insert(name) }
    var frame = Frame()
    frame.wantedChunks = Array(names.prefix(30))
    send(frame, to: node)
  }
}
