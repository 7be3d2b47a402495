import MusterState

/// What travels under the cluster key, between nodes that do not know each other yet. See
/// `proto/README.md`, "First contact".
enum Contact: Hashable, Sendable {
  /// On multicast: I am here. The same bytes are sent until something changes, so that a receiver
  /// can drop a repeated beacon by its tag.
  case beacon(Beacon)
  /// To one address: let me in. Without a cookie it is answered by a challenge and forgotten.
  case hello(Hello)
  /// Proves that the sender of a hello receives at its source address.
  case challenge(nonce: Bytes16, cookie: Digest)
  case welcome(Welcome)
  /// I hold no key for the datagrams you seal for me: say hello.
  case unknown(hint: UInt64)

  struct Beacon: Hashable, Sendable {
    var key: PublicKey
    var incarnation: Incarnation
    var signature: Signature
  }

  struct Hello: Hashable, Sendable {
    /// The sender's record `member`.
    var card: Record
    var nonce: Bytes16
    var cookie: Digest?
    /// How the sender found the receiver, for the receiver's timeline.
    var discovery: Event.Discovery
    var signature: Signature
  }

  struct Welcome: Hashable, Sendable {
    var card: Record
    /// The nonce of the hello, so that an old welcome is worth nothing.
    var nonce: Bytes16
    /// Why the newcomer is not let in; empty when it is.
    var refusal: Refusal?
    /// With a refusal for a taken name: who has it.
    var holder: NodeID?
    /// With a refusal of a superseded life: the newcomer's own later card.
    var evidence: Record?
    /// Where many come at once: the cards of those who will be the newcomer's neighbours.
    var introductions: [Record] = []
    var signature: Signature
  }

  enum Refusal: UInt8, Hashable, Sendable {
    case nameTaken = 1
    case forgotten = 2
    case full = 3
    /// The newcomer's disk is older than what it has published: restored or cloned.
    case superseded = 4
  }
}

extension Contact {
  var encoded: [UInt8] {
    var writer = WireWriter()
    switch self {
    case .beacon(let beacon):
      writer.message(1) {
        $0.array(1, beacon.signedPayload)
        $0.array(2, beacon.signature.bytes)
      }
    case .hello(let hello):
      writer.message(2) {
        $0.array(1, hello.signedPayload)
        $0.array(2, hello.signature.bytes)
      }
    case .challenge(let nonce, let cookie):
      writer.message(3) {
        $0.array(1, nonce.bytes)
        $0.array(2, cookie.bytes.bytes)
      }
    case .welcome(let welcome):
      writer.message(4) {
        $0.array(1, welcome.signedPayload)
        $0.array(2, welcome.signature.bytes)
      }
    case .unknown(let hint):
      writer.message(5) { $0.fixed(1, hint) }
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    while let field = try reader.next() {
      switch field.tag {
      case 1:
        self = .beacon(try Beacon(decoding: try Signed(decoding: field.message)))
        return
      case 2:
        self = .hello(try Hello(decoding: try Signed(decoding: field.message)))
        return
      case 3:
        self = try Self.challenge(decoding: field.message)
        return
      case 4:
        self = .welcome(try Welcome(decoding: try Signed(decoding: field.message)))
        return
      case 5:
        self = try Self.unknown(decoding: field.message)
        return
      default: break
      }
    }
    throw .field(0)
  }

  private static func challenge(decoding bytes: Span<UInt8>) throws(WireError) -> Contact {
    var reader = WireReader(bytes)
    var nonce: Bytes16?
    var cookie: Digest?
    while let field = try reader.next() {
      switch field.tag {
      case 1: nonce = try field.bytes16()
      case 2: cookie = try field.digest()
      default: break
      }
    }
    guard let nonce else { throw .field(1) }
    guard let cookie else { throw .field(2) }
    return .challenge(nonce: nonce, cookie: cookie)
  }

  private static func unknown(decoding bytes: Span<UInt8>) throws(WireError) -> Contact {
    var reader = WireReader(bytes)
    var hint: UInt64 = 0
    while let field = try reader.next() {
      if field.tag == 1 { hint = try field.unsigned() }
    }
    return .unknown(hint: hint)
  }
}

/// A payload and its signature, before the payload is read.
private struct Signed {
  var payload: [UInt8] = []
  var signature: Signature

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var signature: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: payload = try field.array(limit: Limits.datagramBytes)
      case 2: signature = try field.signature()
      default: break
      }
    }
    guard let signature else { throw .field(2) }
    self.signature = signature
  }
}

extension Contact.Beacon {
  var signedPayload: [UInt8] {
    var writer = WireWriter()
    writer.array(1, key.bytes.bytes)
    writer.unsigned(2, incarnation.counter)
    writer.fixed(3, incarnation.boot)
    return writer.bytes
  }

  fileprivate init(decoding signed: Signed) throws(WireError) {
    var reader = WireReader(signed.payload.span)
    var key: PublicKey?
    var incarnation = Incarnation(counter: 0, boot: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: key = PublicKey(try field.bytes32())
      case 2: incarnation.counter = try field.unsigned()
      case 3: incarnation.boot = try field.unsigned()
      default: break
      }
    }
    guard let key else { throw .field(1) }
    self.init(key: key, incarnation: incarnation, signature: signed.signature)
  }
}

extension Contact.Hello {
  var signedPayload: [UInt8] {
    var writer = WireWriter()
    writer.item(1, card.encoded)
    writer.array(2, nonce.bytes)
    if let cookie { writer.array(3, cookie.bytes.bytes) }
    writer.unsigned(4, discovery.wireNumber)
    return writer.bytes
  }

  fileprivate init(decoding signed: Signed) throws(WireError) {
    var reader = WireReader(signed.payload.span)
    var card: Record?
    var nonce: Bytes16?
    var cookie: Digest?
    var discovery = Event.Discovery.gossip
    while let field = try reader.next() {
      switch field.tag {
      case 1: card = try Record(decoding: field.message)
      case 2: nonce = try field.bytes16()
      case 3: cookie = try field.digest()
      case 4: discovery = Event.Discovery(wireNumber: try field.unsigned())
      default: break
      }
    }
    guard let card else { throw .field(1) }
    guard let nonce else { throw .field(2) }
    self.init(
      card: card, nonce: nonce, cookie: cookie, discovery: discovery,
      signature: signed.signature)
  }
}

extension Event.Discovery {
  fileprivate var wireNumber: UInt64 {
    switch self {
    case .gossip: 0
    case .multicast: 1
    case .join: 2
    }
  }

  /// What a later version may add is taken for gossip.
  fileprivate init(wireNumber: UInt64) {
    self = wireNumber == 1 ? .multicast : wireNumber == 2 ? .join : .gossip
  }
}

extension Contact.Welcome {
  var signedPayload: [UInt8] {
    var writer = WireWriter()
    writer.item(1, card.encoded)
    writer.array(2, nonce.bytes)
    writer.unsigned(3, UInt64(refusal?.rawValue ?? 0))
    if let holder { writer.array(4, holder.bytes.bytes) }
    if let evidence { writer.item(5, evidence.encoded) }
    for card in introductions { writer.item(6, card.encoded) }
    return writer.bytes
  }

  fileprivate init(decoding signed: Signed) throws(WireError) {
    var reader = WireReader(signed.payload.span)
    var card: Record?
    var nonce: Bytes16?
    var refusal: Contact.Refusal?
    var holder: NodeID?
    var evidence: Record?
    var introductions: [Record] = []
    while let field = try reader.next() {
      switch field.tag {
      case 1: card = try Record(decoding: field.message)
      case 2: nonce = try field.bytes16()
      case 3:
        // A reason of a later version is no invitation.
        let reason = UInt8(clamping: try field.unsigned())
        refusal = Contact.Refusal(rawValue: reason)
        guard reason == 0 || refusal != nil else { throw .field(3) }
      case 4: holder = try field.node()
      case 5: evidence = try Record(decoding: field.message)
      case 6: introductions.append(try Record(decoding: field.message))
      default: break
      }
    }
    guard let card else { throw .field(1) }
    guard let nonce else { throw .field(2) }
    self.init(
      card: card, nonce: nonce, refusal: refusal, holder: holder, evidence: evidence,
      introductions: introductions, signature: signed.signature)
  }
}
