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

  private mutating func transmit(_ bytes: [UInt8], from: Int, to: Int) {
    datagrams += 1
    self.bytes += bytes.count
    largestDatagram = max(largestDatagram, bytes.count)
    let loss = network.loss(from: from, to: to)
    guard network.isOpen(from: from, to: to), loss == 0 || dice.below(1_000) >= loss else {
      return
    }
    var arrival = now + network.delay
    arrival = arrival + TimeSpan(nanoseconds: below(network.jitter))
    if network.latePerMille > 0, dice.below(1_000) < network.latePerMille {
      arrival = arrival + TimeSpan(nanoseconds: below(network.lateness))
    }
    if network.bytesPerSecond > 0 {
      let begins = max(now, nodes[from].sendsUntil)
      guard begins - now <= network.queueing else { return }
      let takes = Int64(bytes.count) * 1_000_000_000 / Int64(network.bytesPerSecond)
      nodes[from].sendsUntil = begins + TimeSpan(nanoseconds: takes)
      arrival = arrival + (begins - now)
    }
    if !network.clogged.isEmpty,
      let until = network.clogged[SimulatedNetwork.Link(from, to)]
    {
      arrival = max(arrival, until)
    }
    let datagram = Occurrence.datagram(bytes, from: nodes[from].address, to: to)
    queue.schedule(datagram, at: arrival)
    if network.duplicatedPerMille > 0, dice.below(1_000) < network.duplicatedPerMille {
      queue.schedule(datagram, at: arrival + TimeSpan(nanoseconds: below(.milliseconds(50))))
    }
  }

  private mutating func below(_ span: TimeSpan) -> Int64 {
    Int64(dice.below(UInt64(max(1, span.nanoseconds))))
  }
}

extension Simulation: CustomStringConvertible {
  /// Short: a failed expectation in a test shows it.
  package var description: String {
    "\(nodes.count) machines at \(seconds(now)) s"
  }
}
