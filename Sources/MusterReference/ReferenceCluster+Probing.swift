import MusterProtocol
import MusterSimulator

/// Failure detection: one probe an interval, through others when the direct answer stays away.
extension ReferenceCluster {
  mutating func tick(_ node: ReferenceNode) {
    after(settings.probeInterval, .probe, node.index)
    if node.probe == nil { beginProbe(node) } else { node.isTickWaiting = true }
  }

  private mutating func beginProbe(_ node: ReferenceNode) {
    node.isTickWaiting = false
    for _ in 0...node.order.count {
      if node.position >= node.order.count {
        node.position = 0
        bury(node)
        shuffle(node)
        // Once around and nobody to probe.
        if node.order.count < 2 { return }
      }
      let subject = Int(node.order[node.position])
      node.position += 1
      let state = node.opinions[subject].state
      guard subject != node.index, state == .alive || state == .suspect else { continue }
      return probe(subject, by: node)
    }
  }

  private mutating func probe(_ subject: Int, by node: ReferenceNode) {
    node.sequence &+= 1
    let scale = settings.parts.contains(.probe) ? Int64(node.awareness + 1) : 1
    node.probe = RunningProbe(
      subject: subject, sequence: node.sequence, deadline: now + settings.probeInterval * scale)
    if node.isBlocked {
      node.probe?.isUnsent = true
    } else {
      sendProbe(of: subject, by: node)
    }
  }

  /// The ping waited while its time ran: the answer is waited for as long as it ever is, or not at
  /// all where the time is over.
  mutating func sendBlockedProbe(_ node: ReferenceNode) {
    guard let probe = node.probe, probe.isUnsent else { return }
    node.probe?.isUnsent = false
    sendProbe(of: probe.subject, by: node)
    if now >= probe.deadline { askOthers(probe.sequence, node) }
  }

  private mutating func sendProbe(of subject: Int, by node: ReferenceNode) {
    let opinion = node.opinions[subject]
    if opinion.state == .suspect, settings.parts.contains(.buddy) {
      let notice = ReferenceMessage.suspect(
        UInt16(subject), incarnation: opinion.incarnation, by: UInt16(node.index))
      send([.ping(sequence: node.sequence), notice], from: node.index, to: subject)
    } else {
      sendWithUpdates(.ping(sequence: node.sequence), from: node, to: subject)
    }
    after(settings.probeTimeout, .probeTimeout(node.sequence), node.index)
  }

  /// The direct answer is late: others ask, and a stream is tried.
  mutating func askOthers(_ sequence: UInt32, _ node: ReferenceNode) {
    guard let probe = node.probe, probe.sequence == sequence, !probe.wasPassedOn else { return }
    node.probe?.wasPassedOn = true
    let wantsNack = settings.parts.contains(.probe)
    for relay in draw(
      settings.indirectChecks, node,
      where: { other, opinion in
        other != probe.subject && opinion.state == .alive
      })
    {
      if wantsNack { node.probe?.expectedNacks += 1 }
      sendWithUpdates(
        .indirectPing(sequence: sequence, subject: UInt16(probe.subject), wantsNack: wantsNack),
        from: node, to: relay)
    }
    if settings.pingsByStream {
      stream(
        .ping(sequence), bytes: ReferenceMessage.ping(sequence: sequence).bytes, from: node.index,
        to: probe.subject)
    }
    // A member that slept through it all finds this timer ready as well, before any answer.
    guard now < probe.deadline else { return endProbe(sequence, node) }
    after(probe.deadline - now, .probeDeadline(sequence), node.index)
  }

  /// No answer came in time.
  mutating func endProbe(_ sequence: UInt32, _ node: ReferenceNode) {
    guard let probe = node.probe, probe.sequence == sequence else { return }
    if probe.wasReachedByStream { return succeed(node) }
    node.probe = nil
    let missing = probe.expectedNacks > 0 ? max(0, probe.expectedNacks - probe.nacks) : 1
    adjustAwareness(missing, node)
    let opinion = node.opinions[probe.subject]
    suspect(
      UInt16(probe.subject), incarnation: opinion.incarnation, by: UInt16(node.index), at: node)
    if node.isTickWaiting { beginProbe(node) }
  }

  private mutating func succeed(_ node: ReferenceNode) {
    node.probe = nil
    adjustAwareness(-1, node)
    if node.isTickWaiting { beginProbe(node) }
  }

  func adjustAwareness(_ delta: Int, _ node: ReferenceNode) {
    node.awareness = max(0, min(settings.awarenessMaximum, node.awareness + delta))
  }

  mutating func take(_ message: ReferenceMessage, from: Int, at node: ReferenceNode) {
    switch message {
    case .ping(let sequence):
      sendWithUpdates(.ack(sequence: sequence), from: node, to: from)
    case .indirectPing(let sequence, let subject, let wantsNack):
      node.sequence &+= 1
      node.errands[node.sequence] = RunningErrand(
        requester: from, sequence: sequence, wantsNack: wantsNack)
      sendWithUpdates(.ping(sequence: node.sequence), from: node, to: Int(subject))
      after(settings.probeTimeout, .errand(node.sequence), node.index)
    case .ack(let sequence): takeAck(sequence, node)
    case .nack(let sequence):
      if node.probe?.sequence == sequence { node.probe?.nacks += 1 }
    case .alive(let subject, let incarnation):
      alive(subject, incarnation: incarnation, at: node)
    case .suspect(let subject, let incarnation, let accuser):
      suspect(subject, incarnation: incarnation, by: accuser, at: node)
    case .dead(let subject, let incarnation, _):
      dead(subject, incarnation: incarnation, at: node)
    case .user(let event):
      guard node.seenEvents.insert(event).inserted else { return }
      node.userEvents.put(message, about: event)
      sightings.append(Sighting(observer: node.index, subject: Int(event), state: .updated))
      armGossip(node.index)
    }
  }

  private mutating func takeAck(_ sequence: UInt32, _ node: ReferenceNode) {
    if node.probe?.sequence == sequence {
      succeed(node)
    } else if let errand = node.errands.removeValue(forKey: sequence) {
      sendWithUpdates(.ack(sequence: errand.sequence), from: node, to: errand.requester)
    }
  }

  mutating func giveUp(_ sequence: UInt32, _ node: ReferenceNode) {
    guard let errand = node.errands.removeValue(forKey: sequence), errand.wantsNack else { return }
    sendWithUpdates(.nack(sequence: errand.sequence), from: node, to: errand.requester)
  }

  // MARK: - Order

  mutating func shuffle(_ node: ReferenceNode) {
    let count = node.order.count
    guard count > 1 else { return }
    for place in 0..<(count - 1) {
      let other = place + Int(dice.below(UInt64(count - place)))
      if other != place { node.order.swapAt(place, other) }
    }
  }

  /// Members that have been dead for long are forgotten.
  private func bury(_ node: ReferenceNode) {
    guard !node.deadSince.isEmpty else { return }
    let now = now
    node.order.removeAll { subject in
      guard let since = node.deadSince[subject], now - since > settings.gossipToTheDead else {
        return false
      }
      node.deadSince[subject] = nil
      node.opinions[Int(subject)] = .unknown
      return true
    }
  }

  /// So many others by chance. Like the original it tries a bounded number of times.
  mutating func draw(
    _ count: Int, _ node: ReferenceNode, where isWanted: (Int, Opinion) -> Bool
  ) -> [Int] {
    var drawn: [Int] = []
    let known = node.order.count
    guard known > 1 else { return [] }
    for _ in 0..<(3 * known) where drawn.count < count {
      let other = Int(node.order[Int(dice.below(UInt64(known)))])
      guard other != node.index, !drawn.contains(other), isWanted(other, node.opinions[other])
      else { continue }
      drawn.append(other)
    }
    return drawn
  }
}
