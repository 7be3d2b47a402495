import MusterState

/// Probing those whom this node observes, and what comes of a probe that fails. See "Detection" in
/// `proto/README.md`.
extension Peer {
  /// Keeps the targets in step with the ring; a new one is probed at a random point of the first
  /// interval.
  private mutating func refreshTargets() {
    guard prober.isStale else { return }
    prober.isStale = false
    let wanted = Set(subjects).union(unfitSubjects).sorted()
    let kept = Set(wanted)
    for node in prober.targets.keys where !kept.contains(node) {
      prober.targets[node] = nil
    }
    // While hundreds find each other observers change with every newcomer, and take turns at once.
    let spread = timing.probeInterval * (isGathering ? Int64(Limits.observers) : 1)
    for node in wanted where prober.targets[node] == nil {
      let first = now + generator.upTo(spread)
      prober.targets[node] = Prober.Target(next: first, probe: nil)
    }
  }

  mutating func probeDue() {
    refreshTargets()
    draftsDue()
    if !prober.errands.isEmpty {
      let now = now
      prober.errands = prober.errands.filter { $0.value.expires > now }
    }
    guard let due = prober.deadline, now >= due else { return }
    for node in prober.targets.keys {
      guard let target = prober.targets[node] else { continue }
      if let probe = target.probe {
        if now >= probe.expires { advance(probe, of: node) }
      } else if now >= target.next {
        beginProbe(of: node)
      }
    }
  }

  private mutating func beginProbe(of node: NodeID) {
    let wait = probeTimeout(of: node)
    let sequence = prober.nextSequence()
    prober.targets[node]?.probe = Prober.Probe(
      sequence: sequence, asked: [now], expires: now + wait)
    prober.targets[node]?.path.ask(sequence, at: now)
    ping(node, sequence: sequence)
  }

  /// It was not answered in time: ask again, and ask others to ask, until enough rounds have failed
  /// for the loss there is.
  private mutating func advance(_ probe: Prober.Probe, of node: NodeID) {
    let isOut = !(members[node]?.isLive ?? false)
    guard probe.asked.count < (isOut ? 2 : prober.loss.rounds) else {
      fail(probe, of: node)
      return
    }
    let wait = probeTimeout(of: node)
    let now = now
    prober.targets[node]?.probe?.asked.append(now)
    prober.targets[node]?.probe?.expires = now + wait
    prober.targets[node]?.path.ask(probe.sequence, at: now)
    ping(node, sequence: probe.sequence + UInt32(probe.asked.count))
    guard probe.asked.count >= prober.loss.directRounds, !isOut, mayAccuse(node) else { return }
    for relay in drawRelays(to: node) {
      prober.targets[node]?.path.ask(probe.sequence, at: now)
      ask(relay, about: node, sequence: probe.sequence)
    }
  }

  /// One failed probe is a question to the other observers. Only when two of them have failed is
  /// it an accusation that everybody hears: where datagrams are lost, single probes fail every
  /// second in a large cluster, and each accusation costs all of it a flood, and its refutation
  /// another.
  private mutating func fail(_ probe: Prober.Probe, of node: NodeID) {
    counters.probesFailed += 1
    prober.targets[node]?.missed = probe
    prober.targets[node]?.path.fail()
    considerFitness(of: node)
    guard members[node]?.isLive ?? false, isIntroduced(node) else {
      finishProbe(of: node, next: now + timing.probeInterval)
      return
    }
    prober.targets[node]?.failedAt = now
    prober.targets[node]?.failures += 1
    let failures = prober.targets[node]?.failures ?? 1
    considerSolitude()
    let others = otherObservers(of: node)
    // The next probe begins at once, while the others look for themselves; who hears nobody has no
    // reason to hurry.
    let isHurried = !others.isEmpty && mayAccuse(node)
    finishProbe(of: node, next: isHurried ? now : now + timing.probeInterval)
    let isDoubted = prober.targets[node]?.doubtedAt.map { now - $0 < doubtSpan } ?? false
    if others.isEmpty || isDoubted || failures > Limits.probesAlone {
      accuse(node)
    } else if mayAccuse(node) {
      for other in others { ask(other, about: node, sequence: 0) }
    }
  }

  /// Whoever hears nobody else, or is left out by the others, is rather wrong than right.
  func mayAccuse(_ node: NodeID) -> Bool { hearsOthers(than: node) && !isLeftOut }

  /// Whoever hears nobody doubts itself first, but not for ever: whether all the others have failed
  /// at one moment or this node is cut off, from here they are gone, and an operator may go on
  /// without them. It accuses nobody, so whoever speaks again is alive at once. A node that stood
  /// still has not asked in vain for long, however long it is ago that it heard anybody.
  private mutating func considerSolitude() {
    let targets = prober.targets.filter { members[$0.key]?.isLive ?? false }
    guard targets.allSatisfy({ $0.value.failures >= Limits.probesInSolitude }),
      prober.lastHeard.map({ now - $0 >= timing.solitude }) ?? true
    else { return }
    for node in ring where node != id { believe(node, .dead) }
  }

  private func isIntroduced(_ node: NodeID) -> Bool {
    guard sessions[node]?.roundTrip == nil, let since = members[node]?.since else { return true }
    return now - since >= timing.introduction
  }

  /// How long another observer's failure stands beside one's own.
  private var doubtSpan: TimeSpan { timing.probeInterval * Int64(Limits.observers) }

  /// Another observer's probe has failed: it is looked into at once, and believed as soon as the
  /// own one fails, too.
  mutating func hearDoubt(of subject: NodeID) {
    guard let target = prober.targets[subject] else { return }
    let now = now
    prober.targets[subject]?.doubtedAt = now
    // Where probes take long the own failure counts; elsewhere a second one comes soon enough, and
    // by then most often three others have spoken.
    if prober.loss.isLossy, let failedAt = target.failedAt, now - failedAt < doubtSpan {
      accuse(subject)
    } else {
      prober.lookNow(at: subject, now: now)
    }
  }

  // MARK: - Whom to ask

  func otherObservers(of node: NodeID) -> [NodeID] {
    observers(of: node, wide: false).filter { $0 != id }
  }

  /// Some others that are to ask for this node: its other observers, who look for themselves then,
  /// and if they are too few, anybody by chance. In a large cluster a few positions of the ring are
  /// drawn; to shuffle it all would cost more than everything else about a probe.
  mutating func drawRelays(to node: NodeID) -> [NodeID] {
    let wanted = 3
    var relays = Array(otherObservers(of: node).filter { isRelay($0, to: node) }.prefix(wanted))
    guard relays.count < wanted else { return relays }
    guard ring.count > 16 else {
      var others = ring.filter { isRelay($0, to: node) && !relays.contains($0) }
      generator.shuffle(&others)
      return relays + others.prefix(wanted - relays.count)
    }
    for _ in 0..<10 * wanted where relays.count < wanted {
      let drawn = ring[Int(generator.below(UInt64(ring.count)))]
      if isRelay(drawn, to: node), !relays.contains(drawn) { relays.append(drawn) }
    }
    return relays
  }

  private func isRelay(_ candidate: NodeID, to node: NodeID) -> Bool {
    candidate != id && candidate != node && members[candidate]?.state == .alive
  }

  /// - Parameter sequence: 0: nothing is asked, the own probe has failed.
  private mutating func ask(_ relay: NodeID, about node: NodeID, sequence: UInt32) {
    var frame = Frame()
    frame.indirectPing = Frame.IndirectPing(sequence: sequence, subject: node)
    send(frame, to: relay)
  }

  private mutating func ping(_ node: NodeID, sequence: UInt32) {
    counters.probesSent += 1
    var frame = Frame()
    frame.ping = Frame.Ping(
      sequence: sequence, fingerprint: viewFingerprint, agreement: agreementToSend(isAsked: false))
    send(frame, to: node)
  }

  /// Three round trips, within bounds: short on a LAN, patient on a slow path. A member that was
  /// slow just now, and a node that was late itself, is given that much on top.
  private func probeTimeout(of node: NodeID) -> TimeSpan {
    let measured = (sessions[node]?.roundTrip).map { $0 * 3 } ?? timing.probeTimeoutMaximum
    // Where much is lost time is better spent on asking again.
    let least = prober.loss.isLossy ? timing.probeTimeoutLossy : timing.probeTimeoutMinimum
    let usual = max(least, min(measured, timing.probeTimeoutMaximum))
    let slowness = prober.targets[node]?.slowness.left(at: now) ?? .zero
    return usual + max(slowness, prober.stalls.left(at: now))
  }

  // MARK: - Answers

  mutating func answer(_ ping: Frame.Ping, from sender: NodeID) {
    let isProbe = ping.sequence != 0
    let isObserver = isProbe && observers(of: id, wide: false).contains(sender)
    let turn =
      isObserver
      ? prober.turn(of: sender, at: now, interval: timing.probeInterval)
      : timing.probeInterval * Int64(Limits.observers)
    compare(fingerprint: ping.fingerprint, agreement: ping.agreement, with: sender)
    var frame = Frame()
    frame.acknowledgement = Frame.Ack(
      sequence: ping.sequence, fingerprint: viewFingerprint,
      agreement: agreementToSend(isAsked: !ping.agreement.isEmpty),
      nextMilliseconds: UInt32(clamping: turn.milliseconds))
    send(frame, to: sender)
  }

  mutating func take(_ ack: Frame.Ack, from sender: NodeID) {
    if let errand = prober.errands.removeValue(forKey: ack.sequence), errand.subject == sender {
      var frame = Frame()
      frame.indirectAck = Frame.IndirectAck(sequence: errand.sequence, subject: sender)
      send(frame, to: errand.requester)
    }
    compare(fingerprint: ack.fingerprint, agreement: ack.agreement, with: sender)
    noteLate(ack, from: sender)
    prober.targets[sender]?.path.answer(ack.sequence, at: now)
    guard let probe = prober.targets[sender]?.probe, let asked = probe.asked(by: ack.sequence)
    else { return }
    measure(now - asked, to: sender)
    noteSlowness(of: sender, now - asked)
    prober.loss.note(answeredInRound: probe.asked.count)
    let most = timing.probeInterval * Int64(Limits.observers)
    let turn = TimeSpan.milliseconds(Int64(ack.nextMilliseconds))
    finishProbe(of: sender, next: now + max(timing.probeInterval / 2, min(turn, most)))
    prober.acquit(sender)
    considerFitness(of: sender)
    considerWithdrawal(from: sender)
  }

  mutating func take(_ ack: Frame.IndirectAck) {
    prober.targets[ack.subject]?.path.answer(ack.sequence, at: now)
    guard let probe = prober.targets[ack.subject]?.probe, probe.sequence == ack.sequence else {
      return
    }
    prober.loss.note(answeredInRound: probe.asked.count)
    finishProbe(of: ack.subject, next: now + timing.probeInterval)
    prober.acquit(ack.subject)
  }

  /// An answer that came when it was no longer waited for.
  private mutating func noteLate(_ ack: Frame.Ack, from sender: NodeID) {
    guard let missed = prober.targets[sender]?.missed, let asked = missed.asked(by: ack.sequence)
    else { return }
    prober.targets[sender]?.missed = nil
    noteSlowness(of: sender, now - asked)
    prober.acquit(sender)
  }

  /// What a path always takes is in the smoothed round trip; what counts here is beyond any path.
  private mutating func noteSlowness(of node: NodeID, _ span: TimeSpan) {
    guard span > timing.probeTimeoutMinimum else { return }
    prober.targets[node]?.slowness.note(span, at: now)
  }

  private mutating func finishProbe(of node: NodeID, next: Instant) {
    prober.targets[node]?.probe = nil
    prober.targets[node]?.next = next
  }

  mutating func run(_ request: Frame.IndirectPing, for requester: NodeID) {
    guard members[request.subject] != nil else { return }
    if observers(of: request.subject, wide: false).contains(requester) {
      if request.sequence == 0 {
        hearDoubt(of: request.subject)
      } else if !prober.loss.isHeavy {
        prober.lookNow(at: request.subject, now: now)
      }
    }
    guard request.sequence != 0, prober.errands.count < Limits.contacts else { return }
    let sequence = prober.nextSequence()
    prober.errands[sequence] = Prober.Errand(
      requester: requester, sequence: request.sequence, subject: request.subject,
      expires: now + timing.probeTimeoutMaximum * 2)
    ping(request.subject, sequence: sequence)
  }

  /// Smoothed as TCP does it (RFC 6298): an eighth of the new, seven eighths of the old.
  private mutating func measure(_ sample: TimeSpan, to node: NodeID) {
    let old = sessions[node]?.roundTrip ?? sample
    sessions[node]?.roundTrip = (old * 7 + sample) / 8
  }
}
