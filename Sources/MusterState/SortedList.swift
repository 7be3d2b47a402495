/// A short list of nodes that is kept sorted, such as a roster or the suspects of the moment. What
/// grows with the cluster and changes is a `SortedSet`.
extension [NodeID] {
  /// Where `node` is or belongs.
  package func place(of node: NodeID) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < node { low = middle + 1 } else { high = middle }
    }
    return low
  }

  package mutating func insertSorted(_ node: NodeID) {
    let index = place(of: node)
    if index == count || self[index] != node { insert(node, at: index) }
  }

  package mutating func removeSorted(_ node: NodeID) {
    let index = place(of: node)
    if index < count, self[index] == node { remove(at: index) }
  }

  package func containsSorted(_ node: NodeID) -> Bool {
    let index = place(of: node)
    return index < count && self[index] == node
  }
}
