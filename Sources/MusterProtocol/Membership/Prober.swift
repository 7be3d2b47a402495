import MusterState

/// Whom this node watches, which probes are under way, and when its own observers come. See
/// `proto/README.md`, "Detection".
struct Prober: Sendable {
  /// One member that this node watches.
  struct Target: Sendable {
    var next: Instant
    var probe: Probe?
    /// The last probe that came to nothing: an answer that comes late tells how long one takes.
    var missed: Probe?
    /// How long its answers took.
    var slowness = Patience()
  }

  /// An unanswered probe.
  struct Probe: Sendable {
    enum Stage: Sendable {
      /// A direct ping is out.
      case direct
      /// A second ping and pings through others are out.
      case indirect
    }

    var sequence: UInt32
    var sentAt: Instant
    var stage: Stage
    var expires: Instant
  }

  /// A ping sent on behalf of another observer.
  struct Errand: Sendable {
    var requester: NodeID
    var sequence: UInt32
    var subject: NodeID
    var expires: Instant
  }

  var targets = SortedTable<NodeID, Target>()
  var sequence: UInt32 = 0
  var errands: [UInt32: Errand] = [:]
  /// The ring has changed since `targets` was derived from it.
  var isStale = false
  /// How late this node's own turns were.
  var stalls = Patience()
  /// When each observer of this node is expected next, so that they take turns.
  var planned: [(observer: NodeID, at: Instant)] = []
  /// The two members heard last, and when: enough to ask about "anyone but one".
  private var heard: [(node: NodeID, at: Instant)] = []

  var deadline: Instant? {
    var earliest: Instant?
    for (_, target) in targets {
      let instant = target.probe?.expires ?? target.next
      earliest = min(instant, earliest ?? instant)
    }
    return earliest
  }

  mutating func hear(_ node: NodeID, at now: Instant) {
    if let index = heard.firstIndex(where: { $0.node == node }) {
      heard[index].at = now
    } else {
      heard.append((node, now))
      if heard.count > 2, let oldest = heard.indices.min(by: { heard[$0].at < heard[$1].at }) {
        heard.remove(at: oldest)
      }
    }
  }

  func lastHeard(exceptFrom node: NodeID) -> Instant? {
    var latest: Instant?
    for entry in heard where entry.node != node { latest = max(entry.at, latest ?? entry.at) }
    return latest
  }

  mutating func lookNow(at subject: NodeID, now: Instant) {
    guard targets[subject]?.probe == nil, targets[subject] != nil else { return }
    targets[subject]?.next = now
  }

  /// Moves what runs by a stall, but nothing further than `limit` plus its own length.
  mutating func shift(by delay: TimeSpan, limit: Instant) {
    for (node, target) in targets {
      guard let probe = target.probe else { continue }
      targets[node]?.probe?.expires = probe.expires + delay
    }
  }

  /// When an observer that probes now should probe next: one interval behind the latest turn that
  /// is planned for the others, so that turns spread evenly without any common clock.
  mutating func turn(of observer: NodeID, at now: Instant, interval: TimeSpan) -> TimeSpan {
    planned.removeAll { $0.at <= now || $0.observer == observer }
    var latest = now
    for turn in planned { latest = max(latest, turn.at) }
    let next = latest + interval
    planned.append((observer, next))
    return next - now
  }
}

extension Peer {
  /// Keeps the targets in step with the ring; a new one is probed at a random point of the first
  /// interval.
  private mutating func refreshTargets() {
    guard prober.isStale else { return }
    prober.isStale = false
    let wanted = subjects
    let kept = Set(wanted)
    for node in prober.targets.keys where !kept.contains(node) {
      prober.targets[node] = nil
    }
    for node in wanted where prober.targets[node] == nil {
      let first = now + generator.upTo(timing.probeInterval)
      prober.targets[node] = Prober.Target(next: first, probe: nil)
    }
  }

  mutating func probeDue() {
    refreshTargets()
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
    prober.sequence &+= 1
    prober.targets[node]?.probe = Prober.Probe(
      sequence: prober.sequence, sentAt: now, stage: .direct, expires: now + wait)
    ping(node, sequence: prober.sequence)
  }

  /// The direct ping went unanswered: ask again, and ask others to ask. Then accuse.
  private mutating func advance(_ probe: Prober.Probe, of node: NodeID) {
    switch probe.stage {
    case .direct:
      let wait = probeTimeout(of: node)
      prober.targets[node]?.probe?.stage = .indirect
      prober.targets[node]?.probe?.expires = now + wait * 2
      ping(node, sequence: probe.sequence)
      for relay in drawRelays(to: node) {
        var frame = Frame()
        frame.indirectPing = Frame.IndirectPing(sequence: probe.sequence, subject: node)
        send(frame, to: relay)
      }
    case .indirect:
      counters.probesFailed += 1
      prober.targets[node]?.missed = probe
      finishProbe(of: node, next: now + timing.probeInterval)
      guard let member = members[node], member.isLive, hearsOthers(than: node) else { return }
      let suspicion = Suspicion(subject: node, stamp: member.stamp)
      publish(.suspicion(node), suspicion.encoded)
    }
  }

  /// Some others that are to ask for this node, by chance. In a large cluster a few positions of
  /// the ring are drawn; to shuffle it all would cost more than everything else about a probe.
  mutating func drawRelays(to node: NodeID) -> [NodeID] {
    let wanted = 3
    guard ring.count > 16 else {
      var relays = ring.filter { isRelay($0, to: node) }
      generator.shuffle(&relays)
      return Array(relays.prefix(wanted))
    }
    var relays: [NodeID] = []
    for _ in 0..<10 * wanted where relays.count < wanted {
      let drawn = ring[Int(generator.below(UInt64(ring.count)))]
      if isRelay(drawn, to: node), !relays.contains(drawn) { relays.append(drawn) }
    }
    return relays
  }

  private func isRelay(_ candidate: NodeID, to node: NodeID) -> Bool {
    candidate != id && candidate != node && members[candidate]?.state == .alive
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
    let usual = max(timing.probeTimeoutMinimum, min(measured, timing.probeTimeoutMaximum))
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
    guard let probe = prober.targets[sender]?.probe, probe.sequence == ack.sequence else { return }
    if case .direct = probe.stage { measure(now - probe.sentAt, to: sender) }
    noteSlowness(of: sender, now - probe.sentAt)
    let most = timing.probeInterval * Int64(Limits.observers)
    let turn = TimeSpan.milliseconds(Int64(ack.nextMilliseconds))
    finishProbe(of: sender, next: now + max(timing.probeInterval / 2, min(turn, most)))
  }

  mutating func take(_ ack: Frame.IndirectAck) {
    guard let probe = prober.targets[ack.subject]?.probe, probe.sequence == ack.sequence else {
      return
    }
    finishProbe(of: ack.subject, next: now + timing.probeInterval)
  }

  /// An answer that came when it was no longer waited for.
  private mutating func noteLate(_ ack: Frame.Ack, from sender: NodeID) {
    guard let missed = prober.targets[sender]?.missed, missed.sequence == ack.sequence else {
      return
    }
    prober.targets[sender]?.missed = nil
    noteSlowness(of: sender, now - missed.sentAt)
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
    guard members[request.subject] != nil, prober.errands.count < Limits.contacts else { return }
    prober.sequence &+= 1
    prober.errands[prober.sequence] = Prober.Errand(
      requester: requester, sequence: request.sequence, subject: request.subject,
      expires: now + timing.probeTimeoutMaximum * 2)
    ping(request.subject, sequence: prober.sequence)
  }

  /// Smoothed as TCP does it (RFC 6298): an eighth of the new, seven eighths of the old.
  private mutating func measure(_ sample: TimeSpan, to node: NodeID) {
    let old = sessions[node]?.roundTrip ?? sample
    sessions[node]?.roundTrip = (old * 7 + sample) / 8
  }
}
