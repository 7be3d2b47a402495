import MusterState

/// First contacts: beacons on multicast, hellos to addresses, and the cookies that let a stranger
/// prove its address before anything is kept about it. See `proto/README.md`, "First contact".
struct Contacting: Sendable {
  /// An address that this node says hello to until it is welcomed.
  struct Attempt: Sendable {
    var nonce: Bytes16
    var cookie: Digest?
    var next: Instant
    var wait: TimeSpan
    var via: Event.Discovery
    /// A seed is tried for ever; others only a few times.
    var triesLeft: Int
    var tries = 0
    /// The beacon that brought the address here: whose it is, and proven only when it is greeted.
    var beacon: Contact.Beacon?
  }

  let secret: SealingKey
  var attempts: [Address: Attempt] = [:]
  var beaconsSent = 0
  var nextBeacon: Instant?
  var beacon: [UInt8] = []
  var nextRecontact: Instant?
  /// Who was last seen at the addresses to join.
  var seeds: [Address: NodeID] = [:]
  /// Membership has changed: the pace of beacons is to be thought over.
  var isStale = false
  /// Tags of datagrams under the cluster key that were seen: repeated beacons and replays stop
  /// here, before any signature is checked.
  private var tags: Set<UInt64> = []
  private var tagOrder: [UInt64] = []
  /// Whose beacon a tag is, and when it may be greeted again: a first contact can fail, and the
  /// same bytes come again.
  private var beacons: [UInt64: (author: NodeID, again: Instant)] = [:]
  private var answers = 0
  private var answersSince = Instant.zero
  var unknownSaid: [Address: Instant] = [:]
  /// When the greeting that was put off last is due: the next one comes after it.
  var lastGreeting = Instant.zero
  /// Neighbours that this node was told of, and that may not have heard of it yet.
  var strangers: Set<NodeID> = []
  /// Voters that have refused this node as forgotten.
  var forgottenBy: Set<NodeID> = []

  init(secret: SealingKey) { self.secret = secret }

  var deadline: Instant? {
    var earliest = nextBeacon
    for attempt in attempts.values { earliest = min(attempt.next, earliest ?? attempt.next) }
    if let nextRecontact { earliest = min(nextRecontact, earliest ?? nextRecontact) }
    return earliest
  }

  func hasSeen(_ tag: UInt64) -> Bool { tags.contains(tag) }

  /// Remembers the tag of an authentic datagram; a forged one must not be able to mask it.
  mutating func remember(_ tag: UInt64) {
    guard tags.insert(tag).inserted else { return }
    tagOrder.append(tag)
    if tagOrder.count > Limits.tags {
      let oldest = tagOrder.removeFirst()
      tags.remove(oldest)
      beacons[oldest] = nil
    }
  }

  mutating func remember(beacon tag: UInt64, of author: NodeID, until again: Instant) {
    beacons[tag] = (author, again)
  }

  /// Whose beacon a known tag is, if it is to be greeted again.
  func author(ofBeacon tag: UInt64, at now: Instant) -> NodeID? {
    beacons[tag].flatMap { now >= $0.again ? $0.author : nil }
  }

  /// Whether more newcomers come than this node can serve alone.
  var isCrowded: Bool { answers > Limits.welcomesAlone }

  /// Whether one more stranger may be answered in this second.
  mutating func mayAnswer(at now: Instant) -> Bool {
    if now - answersSince >= .seconds(1) {
      answersSince = now
      answers = 0
    }
    answers += 1
    return answers <= Limits.strangerAnswersPerSecond
  }
}

extension Peer {
  mutating func startContacting() {
    for address in configuration.join where address != configuration.address {
      contact(address, via: .join, tries: .max)
    }
    if configuration.usesMulticast { contacting.nextBeacon = now }
    contacting.nextRecontact = now + timing.recontactInterval
  }

  /// - Parameter beacon: what was heard from there; it is greeted at its turn, see `greetingTime`.
  mutating func contact(
    _ address: Address, via: Event.Discovery, tries: Int, beacon: Contact.Beacon? = nil
  ) {
    guard contacting.attempts[address] == nil else { return }
    guard contacting.attempts.count < Limits.contacts || tries == .max else { return }
    contacting.attempts[address] = Contacting.Attempt(
      nonce: generator.bytes16(), cookie: nil, next: beacon == nil ? now : greetingTime(),
      wait: timing.contactRetry, via: via, triesLeft: tries, beacon: beacon)
  }

  mutating func contactDue() {
    if let next = contacting.nextBeacon, now >= next { sendBeacon() }
    if contacting.isStale { hurryBeacon() }
    let now = now
    if contacting.attempts.values.contains(where: { now >= $0.next }) {
      for address in contacting.attempts.keys.sorted() {
        guard let attempt = contacting.attempts[address], now >= attempt.next else { continue }
        sayHello(to: address, attempt)
      }
    }
    if let next = contacting.nextRecontact, now >= next { recontact() }
  }

  // MARK: - Hello

  private mutating func sayHello(to address: Address, _ attempt: Contacting.Attempt) {
    var attempt = attempt
    if attempt.triesLeft == 0 || attempt.beacon.map({ !isWorthGreeting($0, attempt) }) ?? false {
      contacting.attempts[address] = nil
      return
    }
    if attempt.triesLeft != .max { attempt.triesLeft -= 1 }
    attempt.tries += 1
    attempt.next = now + attempt.wait
    // Four datagrams have to come through: where a third is lost, most tries fail. Whoever was
    // given an address is in a hurry at first.
    if attempt.triesLeft != .max || attempt.tries >= Limits.contactTriesAtOnce {
      attempt.wait = min(attempt.wait * 2, timing.contactRetryMaximum)
    }
    contacting.attempts[address] = attempt
    transmitHello(to: address, attempt)
  }

  private mutating func transmitHello(to address: Address, _ attempt: Contacting.Attempt) {
    guard let card = store[recordKey(id, .member)] else { return }
    var hello = Contact.Hello(
      card: card, nonce: attempt.nonce, cookie: attempt.cookie, discovery: attempt.via,
      signature: Signature(first: .zero, second: .zero))
    hello.signature = cryptography.sign(
      signedMessage("hello", configuration.cluster, hello.signedPayload))
    transmit(seal(.hello(hello)), to: address)
  }

  /// Members that are gone, and seeds that are not members, are greeted for ever, one at a time:
  /// this is what heals a split of any length without multicast.
  private mutating func recontact() {
    contacting.nextRecontact = now + timing.recontactInterval
    if !dead.isEmpty {
      let chosen = dead[Int(generator.below(UInt64(dead.count)))]
      if let address = members[chosen]?.address { contact(address, via: .gossip, tries: 2) }
    }
    for address in configuration.join where address != configuration.address {
      if liveMember(at: address) == nil { contact(address, via: .join, tries: .max) }
    }
  }

  /// Who lives at an address that this node was told to join. Found once, it is asked first from
  /// then on: in a large cluster a search each time would be the most that an idle node does.
  private mutating func liveMember(at address: Address) -> NodeID? {
    if let known = contacting.seeds[address], ring.contains(known),
      members[known]?.address == address
    {
      return known
    }
    let found = searchRing(for: address)
    contacting.seeds[address] = found
    return found
  }

  private func searchRing(for address: Address) -> NodeID? {
    ring.first { members[$0]?.address == address }
  }

  // MARK: - Receiving

  mutating func receiveContact(_ parsed: Envelope.Parsed, from source: Address) {
    guard parsed.hint == configuration.cluster.bytes.high else {
      counters.drop(.foreignCluster)
      return
    }
    let tag = word(parsed.ciphertext.span, at: parsed.ciphertext.count - 8)
    guard !contacting.hasSeen(tag) else {
      counters.drop(.replayed)
      greetAgain(tag, source)
      return
    }
    let associated = Envelope.associated(
      configuration.cluster, kind: Envelope.clusterKind, hint: parsed.hint)
    guard
      let plaintext = cryptography.open(
        parsed.ciphertext, nonce: parsed.nonce, associated: associated,
        key: cryptography.clusterKey)
    else {
      counters.drop(.unsealable)
      return
    }
    contacting.remember(tag)
    do throws(WireError) {
      switch try Contact(decoding: plaintext) {
      case .beacon(let beacon): take(beacon, tag, from: source)
      case .hello(let hello): take(hello, from: source)
      case .challenge(let nonce, let cookie): take(cookie: cookie, for: nonce, from: source)
      case .welcome(let welcome): take(welcome, from: source)
      case .unknown(let hint): takeUnknown(hint, from: source)
      }
    } catch {
      counters.drop(.malformed)
    }
  }

  private mutating func take(_ hello: Contact.Hello, from source: Address) {
    guard hello.card.author != id else { return }
    guard contacting.mayAnswer(at: now) else {
      counters.drop(.rateLimited)
      return
    }
    let fresh = cookie(for: hello, source, back: 0)
    guard isProven(hello, source, fresh) else {
      // Of an earlier stretch, or of a life before this one: who sends it again and again, because
      // nothing was answered meanwhile, would never be heard.
      if hello.cookie != nil { counters.drop(.badCookie) }
      transmit(seal(.challenge(nonce: hello.nonce, cookie: fresh)), to: source)
      return
    }
    guard let card = verifiedCard(hello.card),
      cryptography.isValid(
        hello.signature, of: signedMessage("hello", configuration.cluster, hello.signedPayload),
        by: card.key)
    else {
      counters.drop(.badSignature)
      return
    }
    let refusal = refusal(of: hello.card, card)
    if refusal == nil { take(hello.card, from: nil, via: hello.discovery) }
    welcome(hello, refusal, card, at: source)
    if refusal == nil {
      noteLife(of: hello.card.author)
      settleName(with: hello.card.author)
    }
  }

  private func refusal(of record: Record, _ card: MemberCard) -> Contact.Refusal? {
    let author = record.author
    if isForgotten(author) { return .forgotten }
    if let known = members[author]?.incarnation,
      known.counter > record.incarnation.counter
        || known.counter == record.incarnation.counter && known != record.incarnation
    {
      return .superseded
    }
    if card.name == configuration.name {
      // Of two that begin together the smaller identity has the name: the other lets it in, and
      // stops.
      let isNew = now - bornAt < .seconds(5) && durable.founding == nil
      return isNew && author < id ? nil : .nameTaken
    }
    // Of two newcomers nobody else can tell who was first; they settle it when they meet. And who
    // has just started has all it knows from others, of the dead, too, and refuses nobody for it.
    if let holder = holder(of: card.name, except: author), isEstablished(holder),
      now - bornAt >= .seconds(5) || sessions[holder]?.roundTrip != nil
    {
      return .nameTaken
    }
    if members[author] == nil, members.count >= Limits.members { return .full }
    return nil
  }

  private func isEstablished(_ node: NodeID) -> Bool {
    coordinationCards[node]?.founding != nil
      || members[node].map { now - $0.since >= .seconds(5) } ?? false
  }

  private mutating func welcome(
    _ hello: Contact.Hello, _ refusal: Contact.Refusal?, _ card: MemberCard, at source: Address
  ) {
    guard let own = store[recordKey(id, .member)] else { return }
    var welcome = Contact.Welcome(
      card: own, nonce: hello.nonce, refusal: refusal, holder: nil, evidence: nil,
      introductions: refusal == nil ? introductions(for: hello.card, beside: own) : [],
      signature: Signature(first: .zero, second: .zero))
    if refusal == .superseded {
      counters.drop(.staleIncarnation)
      welcome.evidence = store[recordKey(hello.card.author, .member)]
    }
    if refusal == .nameTaken {
      counters.drop(.nameTaken)
      let holder =
        card.name == configuration.name
        ? id : self.holder(of: card.name, except: hello.card.author)
      welcome.holder = holder
      emit(.nameConflict(name: card.name, holder: holder ?? id, claimant: hello.card.author))
    }
    welcome.signature = cryptography.sign(
      signedMessage("welcome", configuration.cluster, welcome.signedPayload))
    transmit(seal(.welcome(welcome)), to: source)
  }

  /// The card in a hello or welcome, if its signature and its key are its author's.
  private mutating func verifiedCard(_ record: Record) -> MemberCard? {
    guard record.name == .member, let card = try? MemberCard(decoding: record.content),
      cryptography.nodeID(of: card.key) == record.author
    else { return nil }
    counters.signaturesVerified += 2
    return record.isSigned(by: card.key, cluster: configuration.cluster, verifier: cryptography)
      ? card : nil
  }

  /// Bound to the address, the asker and a stretch of ten seconds; nothing is kept.
  private func cookie(for hello: Contact.Hello, _ source: Address, back: Int64) -> Digest {
    let stretch = UInt64(bitPattern: now.nanoseconds / 10_000_000_000 - back)
    return cryptography.digest(
      source.wireBytes + hello.card.author.bytes.bytes + Bytes16(high: 0, low: stretch).bytes,
      key: contacting.secret)
  }

  private func isProven(_ hello: Contact.Hello, _ source: Address, _ fresh: Digest) -> Bool {
    guard let cookie = hello.cookie else { return false }
    return cookie == fresh || cookie == self.cookie(for: hello, source, back: 1)
  }

  private mutating func take(cookie: Digest, for nonce: Bytes16, from source: Address) {
    guard let address = attemptAddress(nonce: nonce, source: source),
      var attempt = contacting.attempts[address]
    else {
      counters.drop(.badCookie)
      return
    }
    attempt.cookie = cookie
    contacting.attempts[address] = attempt
    transmitHello(to: address, attempt)
  }

  private func attemptAddress(nonce: Bytes16, source: Address) -> Address? {
    contacting.attempts[source]?.nonce == nonce ? source : nil
  }

  private mutating func take(_ welcome: Contact.Welcome, from source: Address) {
    guard let address = attemptAddress(nonce: welcome.nonce, source: source),
      let attempt = contacting.attempts[address]
    else {
      counters.drop(.badCookie)
      return
    }
    guard let card = verifiedCard(welcome.card),
      cryptography.isValid(
        welcome.signature,
        of: signedMessage("welcome", configuration.cluster, welcome.signedPayload), by: card.key)
    else {
      counters.drop(.badSignature)
      return
    }
    contacting.attempts[address] = nil
    switch welcome.refusal {
    case .nameTaken:
      // Only a newcomer stops: later, a liar could end any member in this way.
      guard now - bornAt < .seconds(5) else { return }
      let holder = welcome.holder ?? welcome.card.author
      // Whoever claims the name of a member for itself is the newcomer, and hears so from us.
      guard durable.founding == nil || holder != welcome.card.author else { return }
      stop(.nameTaken(name: configuration.name, holder: holder))
    case .forgotten: hearForgotten(by: welcome.card.author)
    case .full: return
    case .superseded:
      if let evidence = welcome.evidence, evidence.author == id { take(evidence, from: nil) }
    case nil:
      // A newcomer learns what the network loses from its first contact on.
      if now - bornAt < timing.contactRetryMaximum {
        prober.loss.note(answeredInRound: attempt.tries)
      }
      take(welcome.card, from: nil, via: attempt.via)
      noteLife(of: welcome.card.author)
      if welcome.introductions.isEmpty {
        askToCompare(welcome.card.author)
      } else {
        take(introductions: welcome.introductions)
      }
      settleName(with: welcome.card.author)
    }
  }
}
