import MusterState

/// The newest coordination card of each member, and who among them matters: the rules ask for
/// leaders and for other foundings at every step, and of thousands of cards nearly none is either.
struct CoordinationTable: Sendable {
  private var cards = SharedTable<NodeID, CoordinationCard>()
  /// Whose cards claim leadership; a claim, whether certified or not.
  private(set) var leaders = SortedSet<NodeID>()
  /// How many cards show each founding.
  private var foundings = SortedTable<FoundingID, Int>()

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

  private mutating func count(_ card: CoordinationCard, of node: NodeID, by change: Int) {
    if card.role == .leader {
      if change > 0 { leaders.insert(node) } else { leaders.remove(node) }
    }
    guard let founding = card.founding else { return }
    let total = foundings[founding, default: 0] + change
    foundings[founding] = total > 0 ? total : nil
  }
}
