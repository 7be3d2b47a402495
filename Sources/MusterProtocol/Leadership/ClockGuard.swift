import MusterState

extension Peer {
  /// A lease trusts the rate of the clock, and the clock has just been found to have stood: the
  /// lease may have been over for long. What others were promised is not shortened, for a promise
  /// that lasts too long harms nobody; and nothing is promised to what came before.
  mutating func clockStood(for span: TimeSpan) {
    counters.clockStops += 1
    emit(.clockStood(span))
    note(.clockStood(at: now))
    coordination.heartbeat = nil
    coordination.isDirty = true
    switch coordination.role {
    case .leader: resign(inFavourOf: nil)
    case .candidate: stepDown()
    case .follower: break
    }
  }
}
