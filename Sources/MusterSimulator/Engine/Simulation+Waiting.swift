import MusterProtocol

/// How a daemon finds what waited for it: see `Inbox` in the agent.
extension Simulation {
  /// The longest datagram that goes first, and how many of the others make one turn.
  private static let shortBytes = 320
  private static let share = 16

  /// Puts datagrams together: all short ones in one turn, then the long ones by the share, each
  /// turn told whether others wait still. What came before the first of them stays before it; other
  /// things that came later are found once the sockets have been read.
  static func together(_ pending: [Occurrence], on index: Int) -> [Occurrence] {
    let earlier = pending.prefix { !$0.isDatagram }
    var urgent: [Datagram] = []
    var patient: [Datagram] = []
    var rest: [Occurrence] = []
    func sort(_ datagram: Datagram) {
      if datagram.bytes.count <= shortBytes {
        urgent.append(datagram)
      } else {
        patient.append(datagram)
      }
    }
    for event in pending[earlier.count...] {
      switch event {
      case .datagram(let bytes, let source, _): sort(Datagram(bytes, from: source))
      // It was held once more.
      case .waiting(let waiting, _, _): waiting.forEach(sort)
      default: rest.append(event)
      }
    }
    var turns = urgent.isEmpty ? [] : [urgent]
    for begin in stride(from: 0, to: patient.count, by: share) {
      turns.append(Array(patient[begin...].prefix(share)))
    }
    let reads = turns.enumerated().map { number, waiting in
      Occurrence.waiting(waiting, isMore: number + 1 < turns.count, to: index)
    }
    return earlier + reads + rest
  }

  /// What reaches a machine at the same instant as `event`, which waits for the next turns then.
  ///
  /// - Returns: `false` when it is alone.
  mutating func gather(_ event: Occurrence, for index: Int) -> Bool {
    guard nodes[index].readsTogether else { return false }
    var found = [event]
    while queue.next == now, let next = queue.first, next.isDatagram, next.node == index,
      found.count < SimulatedNode.pendingAtMost
    {
      _ = queue.popFirst()
      found.append(next)
    }
    guard found.count > 1 else { return false }
    for turn in Self.together(found, on: index) { queue.schedule(turn, at: now) }
    return true
  }
}
