import MusterState

/// What this node knows and believes of one member, itself included.
struct Member: Sendable {
  var card: MemberCard
  var stamp: RecordStamp
  var incarnation: Incarnation
  var state: MemberState
  /// Since when `state` is believed.
  var since: Instant
  /// When the first standing accusation was seen.
  var suspectedAt: Instant?
  /// How often the suspect was told of it directly.
  var reminders: Int64 = 0
  /// Whether the member has signed two values for one version; nothing of it is taken any more.
  var isQuarantined = false
  /// Forwarding allowance, in thousandths of a record (token bucket).
  var allowance: Int64 = Int64(Limits.forwardBurst) * 1_000
  var allowanceAt: Instant

  var isLive: Bool { state == .alive || state == .suspect }
}

/// The overlay on which new records are flooded: three rings in three orders that every node
/// derives from the members alone; neighbours are successor and predecessor in each. A union of
/// random rings is an expander, so a flood reaches all in about log N hops.
struct Overlay: Sendable {
  private struct Place: Comparable {
    var order: UInt64
    var node: NodeID
    static func < (left: Place, right: Place) -> Bool {
      left.order != right.order ? left.order < right.order : left.node < right.node
    }
  }

  private var rings: [[Place]] = Array(repeating: [], count: Limits.neighbours / 2)

  mutating func insert(_ node: NodeID) {
    for ring in rings.indices {
      let place = Place(order: order(of: node, in: ring), node: node)
      let index = position(of: place, in: ring)
      if index < rings[ring].count, rings[ring][index] == place { continue }
      rings[ring].insert(place, at: index)
    }
  }

  mutating func remove(_ node: NodeID) {
    for ring in rings.indices {
      let place = Place(order: order(of: node, in: ring), node: node)
      let index = position(of: place, in: ring)
      guard index < rings[ring].count, rings[ring][index] == place else { continue }
      rings[ring].remove(at: index)
    }
  }

  /// The nodes next to `node`, sorted, without repetition and without itself.
  func neighbours(of node: NodeID) -> [NodeID] {
    var found: Set<NodeID> = []
    for ring in rings.indices where rings[ring].count > 1 {
      let count = rings[ring].count
      let index = position(of: Place(order: order(of: node, in: ring), node: node), in: ring)
      found.insert(rings[ring][(index + 1) % count].node)
      found.insert(rings[ring][(index + count - 1) % count].node)
    }
    found.remove(node)
    return found.sorted()
  }

  private func order(of node: NodeID, in ring: Int) -> UInt64 {
    mixed(node.bytes.low ^ mixed(UInt64(ring) + 1))
  }

  private func position(of place: Place, in ring: Int) -> Int {
    var low = 0
    var high = rings[ring].count
    while low < high {
      let middle = (low + high) / 2
      if rings[ring][middle] < place { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension [NodeID] {
  /// Where `node` is or belongs in a sorted list.
  func place(of node: NodeID) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < node { low = middle + 1 } else { high = middle }
    }
    return low
  }

  mutating func insertSorted(_ node: NodeID) {
    let index = place(of: node)
    if index == count || self[index] != node { insert(node, at: index) }
  }

  mutating func removeSorted(_ node: NodeID) {
    let index = place(of: node)
    if index < count, self[index] == node { remove(at: index) }
  }

  func containsSorted(_ node: NodeID) -> Bool {
    let index = place(of: node)
    return index < count && self[index] == node
  }
}
