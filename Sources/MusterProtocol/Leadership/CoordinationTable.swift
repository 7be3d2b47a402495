import MusterState

/// The newest coordination card of each member, and who among them matters: the rules ask for
/// leaders and for other foundings at every step, and of thousands of cards nearly none is either.
struct CoordinationTable: Sendable {
  private var cards = SharedTable<NodeID, CoordinationCard>()
  /// Whose cards claim leadership; a claim, whether certified or not.
  private(set) var leaders = SortedSet<NodeID>()
  /// How many cards show each founding.
  private var foundings = SortedTable<FoundingID, Int>()
  /// How many cards show each version of a register, of any founding.
  private var versions = SortedTable<RegisterVersion, Int>()

  init() {}

  /// A table of entries that are sorted by node already, each node once.
  init(sorted entries: [(key: NodeID, value: CoordinationCard)]) {
    cards = SharedTable(sorted: entries)
    for (node, card) in entries { count(card, of: node, by: 1) }
  }

  subscript(node: NodeID) -> CoordinationCard? {
    get { cards[node] }
    set {
      if let old = cards[node] { count(old, of: node, by: -1) }
      cards[node] = newValue
      if let newValue { count(newValue, of: node, by: 1) }
    }
  }

  /// Whether any card shows a founding.
  var showsFounding: Bool { !foundings.isEmpty }

  /// Whether no card shows any founding but this one.
  func showsOnly(_ founding: FoundingID) -> Bool {
    foundings.isEmpty || foundings.count == 1 && foundings[founding] != nil
  }

  /// Whether any card shows a newer register than this, of any founding.
  func showsNewer(than version: RegisterVersion) -> Bool {
    versions.keys.contains { $0 > version }
  }

  private mutating func count(_ card: CoordinationCard, of node: NodeID, by change: Int) {
    if card.role == .leader {
      if change > 0 { leaders.insert(node) } else { leaders.remove(node) }
    }
    if let founding = card.founding { Self.add(change, to: &foundings, founding) }
    if let version = card.register?.version { Self.add(change, to: &versions, version) }
  }

  private static func add<Key>(
    _ change: Int, to counts: inout SortedTable<Key, Int>, _ key: Key
  ) {
    let total = counts[key, default: 0] + change
    counts[key] = total > 0 ? total : nil
  }
}
