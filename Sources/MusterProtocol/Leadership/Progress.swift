import MusterState

/// When a node says that it has come further with the register: progress at leisure, in "Register"
/// of `proto/README.md`.
extension Peer {
  /// A node that does not vote and shows nothing but progress of the register may wait, and so may
  /// a voter that has only learnt what is committed: the leader has counted it by then. Their news
  /// interest nobody at once, and in a large cluster they would be a storm.
  mutating func isWorthShowingNow(_ card: CoordinationCard) -> Bool {
    guard ownContents[.coordination] != nil, let shown = coordinationCards[id] else { return true }
    if shown == card {
      coordination.publishAt = nil
      return false
    }
    guard card.role != .leader, shown.founding == card.founding, shown.role == card.role,
      shown.isLeaving == card.isLeaving
    else { return true }
    if isVoter {
      var known = shown
      known.committed = card.committed
      guard known == card else { return true }
    }
    let (pause, spread) = leisure
    // What was put off for longer than now is right comes sooner.
    if let publishAt = coordination.publishAt, publishAt <= now + pause + spread {
      return now >= publishAt
    }
    coordination.publishAt = now + pause + generator.upTo(spread)
    return false
  }

  /// How long progress waits, and over what time all the nodes that show the same are spread: about
  /// the same moment for as many as fit a few datagrams, for what comes together is passed on
  /// together.
  private var leisure: (pause: TimeSpan, spread: TimeSpan) {
    let size = Int64(max(1, ring.count / 64))
    // The leader asks who has heard of a plan.
    if coordination.entry?.body.plan != nil {
      return (timing.leisure * size, timing.leisure * size)
    }
    // Who was away believes the voters that it knows. It asks for the roster's progress only when
    // all of them were replaced.
    let pause = voters == coordination.shownVoters ? timing.idleLeisure : timing.voterLeisure
    return (pause * size, timing.idlePause * size)
  }
}
