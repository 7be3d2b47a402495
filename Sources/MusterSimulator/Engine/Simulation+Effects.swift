import MusterProtocol
import MusterState

/// What a machine does with the effects of its peer.
extension Simulation {
  mutating func carryOut(_ effect: Effect, of index: Int) {
    switch effect {
    case .send(let bytes, let address):
      guard let target = byAddress[address] else { return }
      transmit(bytes, from: index, to: target)
    case .multicast(let bytes):
      for target in nodes.indices
      where target != index && network.carriesMulticast(from: index, to: target) {
        transmit(bytes, from: index, to: target)
      }
    case .persist(let bytes, let ticket):
      unwritten[index] = bytes
      let delay = TimeSpan(nanoseconds: Int64(dice.below(2_000_000)) + 500_000)
      queue.schedule(
        .persisted(bytes, ticket: ticket, node: index, life: nodes[index].life), at: now + delay)
    case .event(let event):
      turn.events.append(event)
      if keepsEvents { nodes[index].events.append((now, event)) }
    case .reply(let ticket, let reply): nodes[index].replies[ticket] = reply
    case .duty(let duty):
      nodes[index].duty = duty
      if runsAgents { playAgent(index, step: nil) }
    case .stop(let reason): end(index, reason)
    }
  }

  private mutating func end(_ index: Int, _ reason: StopReason) {
    nodes[index].stopped = reason
    crash(index)
    // A newcomer whose name is taken is started again by its service manager: the name becomes
    // free when the old holder is seen to be dead.
    if revives, case .nameTaken = reason {
      queue.schedule(.revival(node: index, life: nodes[index].life), at: now + .seconds(3))
    }
  }

  mutating func playAgent(_ index: Int, step: SimulatedAgent.Step?) {
    guard nodes[index].running != nil else { return }
    var ground = SimulatedAgent.Ground(
      node: index, now: now, share: share, dice: dice, planted: nodes[index].planted,
      habits: nodes[index].habits)
    let before = nodes[index].agent.status
    if let step {
      nodes[index].agent.take(step, on: &ground)
    } else {
      nodes[index].agent.take(nodes[index].duty, on: &ground)
    }
    share = ground.share
    dice = ground.dice
    turn.deeds += ground.deeds
    for later in ground.steps {
      queue.schedule(
        .agent(later.step, node: index, life: nodes[index].life), at: now + later.after)
    }
    let status = nodes[index].agent.status
    if status != before { tell(index, .status(status)) }
  }

  private func carriesMarker(_ bytes: [UInt8]) -> Bool {
    guard let first = marker.first, bytes.count >= marker.count else { return false }
    for start in 0...(bytes.count - marker.count) where bytes[start] == first {
      if bytes[start..<(start + marker.count)].elementsEqual(marker) { return true }
    }
    return false
  }

  mutating func transmit(_ bytes: [UInt8], from: Int, to: Int) {
    if nodes[from].isBlocked {
      nodes[from].unsent.append((bytes, to))
      return
    }
    datagrams += 1
    self.bytes += bytes.count
    largestDatagram = max(largestDatagram, bytes.count)
    nodes[from].sent.add(bytes.count)
    if !marker.isEmpty, carriesMarker(bytes) { markedDatagrams += 1 }
    let link = SimulatedNetwork.Link(from, to)
    guard
      let arrival = network.carry(
        bytes: bytes.count, over: link, at: now, sendsUntil: &nodes[from].sendsUntil, dice: &dice)
    else { return }
    let datagram = Occurrence.datagram(bytes, from: nodes[from].address, to: to)
    queue.schedule(datagram, at: arrival.at)
    if let again = arrival.again { queue.schedule(datagram, at: again) }
  }
}

extension Simulation: CustomStringConvertible {
  /// Short: a failed expectation in a test shows it.
  package var description: String {
    "\(nodes.count) machines at \(seconds(now)) s"
  }
}
