import MusterState

/// Beacons: how nodes that know no address find each other, and how a cluster calls for members
/// that are missing. See "First contact" in `proto/README.md`.
extension Peer {
  mutating func sendBeacon() {
    if contacting.beacon.isEmpty {
      var beacon = Contact.Beacon(
        key: cryptography.publicKey, incarnation: configuration.incarnation,
        signature: Signature(first: .zero, second: .zero))
      beacon.signature = cryptography.sign(
        signedMessage("beacon", configuration.cluster, beacon.signedPayload))
      // The same bytes every time: a receiver knows them by their tag.
      contacting.beacon = seal(.beacon(beacon))
    }
    counters.multicastsSent += 1
    counters.bytesSent += UInt64(contacting.beacon.count)
    effects.append(.multicast(contacting.beacon))
    contacting.beaconsSent += 1
    contacting.nextBeacon = now + beaconPause
  }

  /// Fast at the start, slow while members are missing, nearly silent when the cluster is whole.
  private var beaconPause: TimeSpan {
    if contacting.beaconsSent < timing.beaconFastCount { return timing.beaconFast }
    return isMissingMembers ? timing.beaconMissing : timing.beaconQuiet
  }

  private var isMissingMembers: Bool {
    ring.count < Int(clamping: configuration.expect)
      || (coordination.entry?.body.roster ?? []).contains { !ring.contains($0) }
  }

  /// A member has gone or the view has shrunk: do not sit out a quiet pause.
  mutating func hurryBeacon() {
    contacting.isStale = false
    guard let next = contacting.nextBeacon, isMissingMembers else { return }
    contacting.nextBeacon = min(next, now + timing.beaconMissing)
  }

  /// A repeated beacon of somebody who is still no member: the first contact has failed.
  mutating func greetAgain(_ tag: UInt64, _ source: Address) {
    guard let author = contacting.author(ofBeacon: tag, at: now), !ring.contains(author),
      !isForgotten(author)
    else { return }
    contacting.remember(beacon: tag, of: author, until: now + timing.contactRetryMaximum)
    contact(source, via: .multicast, tries: 4)
  }

  mutating func take(_ beacon: Contact.Beacon, _ tag: UInt64, from source: Address) {
    let author = cryptography.nodeID(of: beacon.key)
    guard author != id else { return }
    // Another life of a live member is greeted too: a restored disk has to hear of its later one.
    if let member = members[author], member.isLive, member.incarnation == beacon.incarnation {
      return
    }
    guard !isForgotten(author) else {
      counters.drop(.forgotten)
      return
    }
    contacting.remember(beacon: tag, of: author, until: now + timing.contactRetryMaximum)
    contact(source, via: .multicast, tries: Limits.beaconTries, beacon: beacon)
  }

  /// Everybody who hears a beacon could greet its author, and where hundreds start at once they
  /// would all be greeted by all. Who is alone greets the first three at once; whoever comes later
  /// waits for a turn, and meanwhile becomes known by gossip. Turns are the longer apart the more
  /// there are to take one: so a lone newcomer is greeted by somebody at once, and by few.
  mutating func greetingTime() -> Instant {
    let waiting = contacting.attempts.count
    guard ring.count > 1 || waiting >= Limits.greetingsAlone else { return now }
    let pause = timing.greetingSpread * Int64(max(ring.count, waiting))
    contacting.lastGreeting = max(now, contacting.lastGreeting) + generator.upTo(pause)
    return contacting.lastGreeting
  }

  /// A beacon is looked at when its author's turn has come: most have become members by then, and
  /// cost no signature.
  mutating func isWorthGreeting(_ beacon: Contact.Beacon, _ attempt: Contacting.Attempt) -> Bool {
    let author = cryptography.nodeID(of: beacon.key)
    if let member = members[author], member.isLive, member.incarnation == beacon.incarnation {
      return false
    }
    guard !isForgotten(author) else { return false }
    guard attempt.tries == 0 else { return true }
    counters.signaturesVerified += 1
    let message = signedMessage("beacon", configuration.cluster, beacon.signedPayload)
    guard cryptography.isValid(beacon.signature, of: message, by: beacon.key) else {
      counters.drop(.badSignature)
      return false
    }
    return true
  }
}
