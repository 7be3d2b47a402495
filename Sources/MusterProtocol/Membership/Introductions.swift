import MusterState

/// Where many come at once, the one whose address they were given does not tell each of them all
/// it knows: it says who their neighbours are, and these do. See "First contact" in
/// `proto/README.md`.
extension Peer {
  /// The cards of a newcomer's neighbours, as many as fit beside one's own.
  func introductions(for newcomer: Record, beside own: Record) -> [Record] {
    guard contacting.isCrowded else { return [] }
    var room = Envelope.capacity - own.encodedSize - 160
    return overlay.neighbours(of: newcomer.author, rings: Limits.gatheringRings).compactMap {
      node in
      guard node != id, node != newcomer.author, members[node]?.state == .alive,
        let card = store[recordKey(node, .member)], card.encodedSize <= room
      else { return nil }
      room -= card.encodedSize
      return card
    }
  }

  /// They hear of this node by the flood that the welcome has begun; until then they could not
  /// open what it says.
  mutating func take(introductions cards: [Record]) {
    let isAlone = ring.count <= 2
    var neighbours: [NodeID] = []
    for card in cards.prefix(Limits.neighbours) where card.author != id {
      guard members[card.author] == nil else { continue }
      take(card, from: nil)
      if members[card.author]?.state == .alive { neighbours.append(card.author) }
    }
    // Who knew nobody has nothing to tell.
    if isAlone { _ = outbox.take() }
    guard !neighbours.isEmpty else { return }
    contacting.strangers = Set(neighbours)
    let partner = neighbours[Int(generator.below(UInt64(neighbours.count)))]
    repair.begin(with: partner, again: now + timing.introductionPause)
  }

  /// Whether hundreds find each other for the first time: whatever is known has come from several
  /// sides soon, so it is passed on less often, in larger pieces and to fewer.
  var isGathering: Bool {
    durable.founding == nil && Int(clamping: configuration.expect) > Limits.smallCluster
  }

  /// How long nothing has to change before states are compared: a flood under way is given a
  /// moment.
  var settling: TimeSpan { isGathering ? forwardPause : timing.settling }

  /// How long records wait for each other that come thick and fast.
  var forwardPause: TimeSpan {
    guard isGathering else { return timing.forwardPause }
    let size = Int64(max(ring.count, Int(clamping: configuration.expect)))
    return min(timing.gatheringPause * size, timing.gatheringPauseMaximum)
  }

  /// To whom news is passed on.
  var audience: [NodeID] {
    guard isGathering else { return overlay.neighbours(of: id) }
    return overlay.successors(of: id, rings: Limits.gatheringRings).filter {
      !contacting.strangers.contains($0)
    }
  }
}
