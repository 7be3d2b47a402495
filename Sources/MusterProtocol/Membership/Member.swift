import MusterState

/// What this node knows and believes of one member, itself included.
struct Member: Sendable {
  /// Behind a reference, because every peer of a simulation holds every member.
  private var shared: Shared<MemberCard>
  var stamp: RecordStamp
  var incarnation: Incarnation
  /// Since when `state` is believed.
  var since: Instant
  /// When the first standing accusation was seen.
  var suspectedAt: Instant?
  var state: MemberState
  /// How long it took lately to answer accusations.
  var tardiness = Patience(halfLife: .seconds(30), most: .seconds(8))
  /// When this life came back from the dead last.
  var returnedAt: Instant?
  /// How often the suspect was told of it directly.
  var reminders: UInt8 = 0
  /// Whether the member has signed two values for one version; nothing of it is taken any more.
  var isQuarantined = false

  init(
    card: MemberCard, stamp: RecordStamp, incarnation: Incarnation, state: MemberState,
    since: Instant
  ) {
    shared = Shared(card)
    self.stamp = stamp
    self.incarnation = incarnation
    self.state = state
    self.since = since
  }

  var card: MemberCard {
    get { shared.value }
    set { shared = Shared(newValue) }
  }
  var name: String { shared.value.name }
  var address: Address { shared.value.address }
  var key: PublicKey { shared.value.key }

  var isLive: Bool { state == .alive || state == .suspect }
}

/// The overlay on which new records are flooded: three rings in three orders that every node
/// derives from the members alone; neighbours are successor and predecessor in each. A union of
/// random rings is an expander, so a flood reaches all in about log N hops.
struct Overlay: Sendable {
  private struct Place: Comparable, Sendable {
    var order: UInt64
    var node: NodeID
    static func < (left: Place, right: Place) -> Bool {
      left.order != right.order ? left.order < right.order : left.node < right.node
    }
  }

  private var rings = [SortedSet<Place>](
    repeating: SortedSet(), count: Limits.neighbours / 2)

  init() {}

  /// The overlay of these nodes, made in one go.
  init(_ nodes: [NodeID]) {
    for ring in rings.indices {
      rings[ring] = SortedSet(sorted: nodes.map { place(of: $0, in: ring) }.sorted())
    }
  }

  mutating func insert(_ node: NodeID) {
    for ring in rings.indices { rings[ring].insert(place(of: node, in: ring)) }
  }

  mutating func remove(_ node: NodeID) {
    for ring in rings.indices { rings[ring].remove(place(of: node, in: ring)) }
  }

  /// The nodes next to `node`, sorted, without repetition and without itself.
  /// - Parameter rings: of how many rings, where not all of them.
  func neighbours(
    of node: NodeID, rings wanted: Int = Limits.neighbours / 2
  ) -> [NodeID] {
    var found: [NodeID] = []
    for ring in rings.indices.prefix(wanted) where rings[ring].count > 1 {
      let count = rings[ring].count
      let index = rings[ring].place(of: place(of: node, in: ring))
      found.insertSorted(rings[ring][(index + 1) % count].node)
      found.insertSorted(rings[ring][(index + count - 1) % count].node)
    }
    found.removeSorted(node)
    return found
  }

  /// The nodes behind `node` on the first so many rings: fewer than its neighbours, and still every
  /// node is reached from every other.
  func successors(of node: NodeID, rings wanted: Int) -> [NodeID] {
    var found: [NodeID] = []
    for ring in rings.indices.prefix(wanted) where rings[ring].count > 1 {
      let index = rings[ring].place(of: place(of: node, in: ring))
      found.insertSorted(rings[ring][(index + 1) % rings[ring].count].node)
    }
    found.removeSorted(node)
    return found
  }

  private func place(of node: NodeID, in ring: Int) -> Place {
    Place(order: mixed(node.bytes.low ^ mixed(UInt64(ring) + 1)), node: node)
  }
}
