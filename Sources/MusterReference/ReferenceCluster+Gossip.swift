import MusterProtocol

/// How updates travel: with probes and answers, in rounds of gossip, and in exchanges of all.
extension ReferenceCluster {
  /// A round is due only while there is something to say; rounds keep their beat.
  mutating func armGossip(_ index: Int) {
    let node = nodes[index]
    guard !node.isGossiping, !node.updates.isEmpty || !node.userEvents.isEmpty else { return }
    node.isGossiping = true
    let interval = settings.gossipInterval.nanoseconds
    let since = (now.nanoseconds - node.gossipPhase.nanoseconds) % interval
    let wait = interval - (since + interval) % interval
    after(TimeSpan(nanoseconds: wait), .gossip, index)
  }

  mutating func gossip(_ node: ReferenceNode) {
    node.isGossiping = false
    let now = now
    let patience = settings.gossipToTheDead
    let targets = draw(settings.gossipNodes, node) { other, opinion in
      switch opinion.state {
      case .alive, .suspect: true
      case .dead: now - (node.deadSince[UInt16(other)] ?? .zero) <= patience
      case .unknown: false
      }
    }
    for target in targets {
      let packet = withUpdates([], available: settings.packetBytes, node)
      if packet.isEmpty { break }
      send(packet, from: node.index, to: target)
    }
    armGossip(node.index)
  }

  /// Every datagram takes along as many updates as fit.
  mutating func sendWithUpdates(_ message: ReferenceMessage, from node: ReferenceNode, to: Int) {
    let packet = withUpdates(
      [message], available: settings.packetBytes - message.bytes - ReferenceMessage.partBytes, node)
    send(packet, from: node.index, to: to)
  }

  private func withUpdates(
    _ first: [ReferenceMessage], available: Int, _ node: ReferenceNode
  ) -> [ReferenceMessage] {
    if node.updates.isEmpty, node.userEvents.isEmpty { return first }
    var packet = first
    var available = available - ReferenceMessage.compoundBytes
    let limit = settings.transmissions(node.order.count)
    node.updates.take(into: &packet, available: &available, limit: limit)
    node.userEvents.take(into: &packet, available: &available, limit: limit)
    return packet
  }

  // MARK: - Whole states

  mutating func exchangeStates(_ node: ReferenceNode) {
    after(settings.pushPull(node.order.count), .pushPull, node.index)
    let partner = draw(1, node) { _, opinion in opinion.state == .alive }.first
    if let partner { offerState(from: node.index, to: partner) }
  }

  mutating func offerState(from: Int, to: Int) {
    stream(
      .state(nodes[from].opinions), bytes: stateBytes(nodes[from]), from: from, to: to)
  }

  private func stateBytes(_ node: ReferenceNode) -> Int {
    node.order.count * ReferenceMessage.stateBytes
  }

  mutating func take(_ exchange: Exchange, from: Int, at node: ReferenceNode) {
    switch exchange {
    case .ping(let sequence):
      stream(
        .pong(sequence), bytes: ReferenceMessage.ack(sequence: sequence).bytes, from: node.index,
        to: from, isAnswer: true)
    case .pong(let sequence):
      guard let probe = node.probe, probe.sequence == sequence, now <= probe.deadline else {
        return
      }
      node.probe?.wasReachedByStream = true
    case .state(let opinions):
      // The answer is what was known before: both sides write first.
      stream(
        .answer(node.opinions), bytes: stateBytes(node), from: node.index, to: from,
        isAnswer: true)
      merge(opinions, node)
    case .answer(let opinions):
      node.hasJoined = true
      merge(opinions, node)
    }
  }

  /// Another's word that a member is dead is no verdict here: it makes it a suspect.
  private mutating func merge(_ opinions: [Opinion], _ node: ReferenceNode) {
    for (subject, opinion) in opinions.enumerated() where opinion.state != .unknown {
      let own = node.opinions[subject]
      if own == opinion { continue }
      switch opinion.state {
      case .alive: alive(UInt16(subject), incarnation: opinion.incarnation, at: node)
      case .suspect, .dead:
        suspect(
          UInt16(subject), incarnation: opinion.incarnation, by: UInt16(node.index), at: node)
      case .unknown: break
      }
    }
  }
}
