import MusterState

/// The sealed channel to one member: two directed keys, a counter, and what has been seen.
///
/// Keys are bound to both incarnations, so nothing recorded before a restart of either side
/// opens after it. They are made on first use.
struct Session: Sendable {
  let sealing: SealingKey
  let opening: SealingKey
  let peer: Incarnation
  var counter: UInt64 = 0
  var window = ReplayWindow()
  /// Smoothed; `nil` until measured.
  var roundTrip: TimeSpan?
}

extension Peer {
  /// The session with a known member, made now if there is none.
  mutating func session(with node: NodeID) -> Session? {
    if let session = sessions[node] { return session }
    guard let member = members[node], node != id else { return nil }
    let own = pairSide(id, configuration.incarnation)
    let other = pairSide(node, member.incarnation)
    let purpose = Array("muster pair v1".utf8) + configuration.cluster.bytes.bytes
    guard
      let sealing = cryptography.pairKey(with: member.card.key, context: purpose + own + other),
      let opening = cryptography.pairKey(with: member.card.key, context: purpose + other + own)
    else { return nil }
    let session = Session(sealing: sealing, opening: opening, peer: member.incarnation)
    sessions[node] = session
    return session
  }

  /// The key and the counter for the next datagram to a member. The session is changed where it
  /// lies: a copy of it would have the replay window copied with each datagram.
  private mutating func nextSealing(for node: NodeID) -> (SealingKey, UInt64)? {
    guard session(with: node) != nil else { return nil }
    guard let key = sessions[node]?.sealing, let last = sessions[node]?.counter else { return nil }
    sessions[node]?.counter = last + 1
    return (key, last + 1)
  }

  /// The key to open a datagram of a member with; `nil` when the counter cannot be new.
  private func opening(from sender: NodeID, counter: UInt64) -> SealingKey? {
    guard let session = sessions[sender], session.window.allows(counter) else { return nil }
    return session.opening
  }

  private func pairSide(_ node: NodeID, _ incarnation: Incarnation) -> [UInt8] {
    node.bytes.bytes + Bytes16(high: incarnation.counter, low: incarnation.boot).bytes
  }

  /// Seals a frame for a member and hands it to the driver. A frame larger than a datagram is a
  /// mistake of ours.
  mutating func send(_ frame: Frame, to node: NodeID) {
    guard let (key, counter) = nextSealing(for: node), let address = members[node]?.address else {
      return
    }
    counters.sent[frame.part.rawValue] += 1
    let plaintext = frame.encoded
    precondition(plaintext.count <= Envelope.capacity, "frames are packed to fit a datagram")
    let nonce = Nonce(random: generator.bytes16(), counter: counter)
    let hint = Envelope.hint(of: id)
    let ciphertext = cryptography.seal(
      plaintext, nonce: nonce,
      associated: Envelope.associated(
        configuration.cluster, kind: Envelope.pairKind, hint: hint), key: key)
    transmit(
      Envelope.assemble(
        kind: Envelope.pairKind, hint: hint, nonce: nonce, ciphertext: ciphertext), to: address)
  }

  /// Seals a contact under the cluster key.
  mutating func seal(_ contact: Contact) -> [UInt8] {
    let hint = configuration.cluster.bytes.high
    let nonce = Nonce(random: generator.bytes16(), counter: 0)
    let ciphertext = cryptography.seal(
      contact.encoded, nonce: nonce,
      associated: Envelope.associated(
        configuration.cluster, kind: Envelope.clusterKind, hint: hint),
      key: cryptography.clusterKey)
    return Envelope.assemble(
      kind: Envelope.clusterKind, hint: hint, nonce: nonce, ciphertext: ciphertext)
  }

  mutating func transmit(_ datagram: [UInt8], to address: Address) {
    counters.datagramsSent += 1
    counters.bytesSent += UInt64(datagram.count)
    effects.append(.send(datagram, to: address))
  }

  // MARK: - Receiving

  /// Opens a datagram. Nothing in it is looked at before it is authenticated, and nothing is
  /// changed before all of it is understood.
  mutating func receive(_ datagram: [UInt8], from source: Address) {
    counters.datagramsReceived += 1
    counters.bytesReceived += UInt64(datagram.count)
    switch Envelope.parse(datagram) {
    case .failure(let refused): counters.drop(refused.reason)
    case .success(let parsed):
      if parsed.kind == Envelope.clusterKind {
        receiveContact(parsed, from: source)
      } else {
        receiveFrame(parsed, from: source, size: datagram.count)
      }
    }
  }

  private mutating func receiveFrame(
    _ parsed: Envelope.Parsed, from source: Address, size: Int
  ) {
    guard let sender = senders[parsed.hint], sender != id, session(with: sender) != nil else {
      counters.drop(.unknownSender)
      sayUnknown(parsed.hint, to: source, questionBytes: size)
      return
    }
    guard let key = opening(from: sender, counter: parsed.nonce.counter) else {
      // A replay, or a sender that counts anew because it has restarted.
      counters.drop(.replayed)
      sayUnknown(parsed.hint, to: source, questionBytes: size)
      return
    }
    let associated = Envelope.associated(
      configuration.cluster, kind: Envelope.pairKind, hint: parsed.hint)
    guard
      let plaintext = cryptography.open(
        parsed.ciphertext, nonce: parsed.nonce, associated: associated, key: key)
    else {
      // Perhaps one of the two has restarted and the other has not heard.
      counters.drop(.unsealable)
      sayUnknown(parsed.hint, to: source, questionBytes: size)
      return
    }
    sessions[sender]?.window.record(parsed.nonce.counter)
    do throws(WireError) {
      let frame = try Frame(decoding: plaintext)
      prober.hear(sender, at: now)
      take(frame, from: sender)
    } catch {
      counters.drop(.malformed)
    }
  }

  private mutating func take(_ frame: Frame, from sender: NodeID) {
    noteLife(of: sender)
    if !contacting.strangers.isEmpty { contacting.strangers.remove(sender) }
    for record in frame.records { take(record, from: sender) }
    if !frame.records.isEmpty {
      repair.answered(by: sender, again: now + timing.repairRetry)
    }
    if let ping = frame.ping { answer(ping, from: sender) }
    if let ack = frame.acknowledgement { take(ack, from: sender) }
    if let request = frame.indirectPing { run(request, for: sender) }
    if let ack = frame.indirectAck { take(ack) }
    if !frame.buckets.isEmpty { answer(buckets: frame.buckets, from: sender) }
    if let digest = frame.digest { answer(digest, from: sender) }
    if !frame.wanted.isEmpty { deliver(keys: frame.wanted, to: sender) }
    if !frame.wantedChunks.isEmpty { deliver(chunks: frame.wantedChunks, to: sender) }
    for chunk in frame.chunks { take(chunk: chunk) }
    if let heartbeat = frame.heartbeat { take(heartbeat: heartbeat, from: sender, via: nil) }
    if let promise = frame.promise { take(promise: promise, from: sender, via: .direct) }
    if let beat = frame.relayedHeartbeat { take(relayedHeartbeat: beat, from: sender) }
    if let beat = frame.relayedPromise { take(relayedPromise: beat, from: sender) }
  }

  /// A member that is believed dead but speaks gets to see the accusations, so that it can refute
  /// them: this is how a split heals. When its accusers have all gone, nothing stands against it.
  mutating func noteLife(of sender: NodeID) {
    guard let member = members[sender], member.state == .dead || member.state == .suspect else {
      return
    }
    if isUnfit(sender) {
      if unfitness.mayTell(sender, at: now) { sendFindings(to: sender) }
    } else if accusations[sender]?.isEmpty ?? true {
      believe(sender, .alive)
    } else {
      if member.state == .dead { considerDeafness(of: sender) }
      if repair.mayRemind(sender, at: now) { sendAccusations(to: sender) }
    }
  }

  mutating func sendAccusations(to subject: NodeID) {
    let accusers = (accusations[subject] ?? [:]).keys.sorted().prefix(2)
    let records = accusers.compactMap { store[recordKey($0, .suspicion(subject))] }
    send(records: records, to: subject)
  }

  private mutating func sendFindings(to subject: NodeID) {
    let findings = unfitness.findings[subject] ?? [:]
    let witnesses = findings.keys.filter { findings[$0] ?? false }.sorted()
    send(records: witnesses.compactMap { store[recordKey($0, .unfit(subject))] }, to: subject)
  }
}
