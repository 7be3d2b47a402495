import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// One message in both forms on disk: `proto/vectors/NAME.txtpb` and `NAME.bin`.
struct Vector: Sendable, CustomTestStringConvertible {
  let name: String
  /// The message of `proto/muster/v1` that the bytes encode.
  let message: String
  /// The canonical encoding.
  let bytes: [UInt8]
  /// Reads the bytes with the protocol's own reader, and writes the value again.
  let again: @Sendable ([UInt8]) throws(WireError) -> [UInt8]

  var testDescription: String { name }
}

extension Vector {
  static let all: [Vector] =
    recordContents + envelopes + coordinations + registers + frames + contacts

  private static var recordContents: [Vector] {
    [
      Vector(name: "member-card", message: "MemberCard", bytes: Samples.card(0).encoded) {
        bytes throws(WireError) in try MemberCard(decoding: bytes).encoded
      },
      Vector(
        name: "member-card-left", message: "MemberCard",
        bytes: Samples.card(1, hasLeft: true).encoded
      ) { bytes throws(WireError) in try MemberCard(decoding: bytes).encoded },
      Vector(name: "finding", message: "Finding", bytes: Samples.finding.encoded) {
        bytes throws(WireError) in try Finding(decoding: bytes).encoded
      },
      Vector(
        name: "member-card-unfounded", message: "MemberCard",
        bytes: Samples.card(2, expect: 5).encoded
      ) { bytes throws(WireError) in try MemberCard(decoding: bytes).encoded },
      Vector(name: "suspicion", message: "Suspicion", bytes: Samples.suspicion.encoded) {
        bytes throws(WireError) in try Suspicion(decoding: bytes).encoded
      },
      Vector(
        name: "relation-content", message: "RelationContent",
        bytes: RelationContent(settings: [
          Setting(key: "address", value: "192.0.2.7"), Setting(key: "port", value: "8081"),
        ]).encoded
      ) { bytes throws(WireError) in try RelationContent(decoding: bytes).encoded },
      Vector(name: "work-card", message: "WorkCard", bytes: Samples.work.encoded) {
        bytes throws(WireError) in try WorkCard(decoding: bytes).encoded
      },
      request("set", .set(Setting(key: "version", value: "2.1.0"))),
      request("add-release", .addRelease(Samples.source)),
      request(
        "forget",
        .forget(
          Samples.nodes[6],
          authority: Samples.keys[5].sign(
            forgetMessage(cluster: Samples.cluster, node: Samples.nodes[6])))),
      request("step-down", .stepDown(term: 4, to: Samples.nodes[1])),
      request("step-down-anybody", .stepDown(term: 4, to: nil)),
      request("add-mirrored-release", .addRelease(Samples.mirrored)),
      request("remove-release", .removeRelease("2.0.4")),
      request("repair-release", .repairRelease("2.0.4")),
      request("collect", .collect),
      request("inspect-release", .inspect("2.0.4")),
      request("follow-release", .follow(Samples.mirrored)),
      request("upgrade", .upgrade("2.1.0", UpgradeOptions(batch: .count(3), policy: .abort))),
      request("upgrade-at-once", .upgrade("2.1.0", UpgradeOptions())),
      request("steer", .steer(.abort, Samples.plan)),
      request("answered", nil),
    ]
  }

  private static func request(_ name: String, _ action: RequestCard.Action?) -> Vector {
    Vector(
      name: "request-card-\(name)", message: "RequestCard",
      bytes: RequestCard(nonce: 3 << 32 | 2, action: action).encoded
    ) { bytes throws(WireError) in try RequestCard(decoding: bytes).encoded }
  }

  private static var envelopes: [Vector] {
    [
      Vector(name: "record", message: "Record", bytes: Samples.memberRecord.encoded) {
        bytes throws(WireError) in try Record(decoding: bytes.span).encoded
      },
      Vector(
        name: "record-payload", message: "RecordPayload", bytes: Samples.memberRecord.payload
      ) { bytes throws(WireError) in
        let record = try Record(decoding: signed(bytes).span)
        return Record.make(
          author: record.author, incarnation: record.incarnation, name: record.name,
          version: record.version, content: record.content, cluster: Samples.cluster,
          signer: Samples.keys[0]
        ).payload
      },
    ]
  }

  private static var coordinations: [Vector] {
    [
      Vector(
        name: "coordination-card", message: "CoordinationCard",
        bytes: Samples.coordination.encoded
      ) { bytes throws(WireError) in try CoordinationCard(decoding: bytes).encoded },
      Vector(
        name: "coordination-card-unfounded", message: "CoordinationCard",
        bytes: unfounded.encoded
      ) { bytes throws(WireError) in try CoordinationCard(decoding: bytes).encoded },
      Vector(
        name: "certificate", message: "Certificate",
        bytes: written { Samples.certificate(term: 4, leader: 0, voters: [0, 1]).write(to: &$0) }
      ) { bytes throws(WireError) in
        let value = try Certificate(decoding: bytes.span)
        return written { value.write(to: &$0) }
      },
    ]
  }

  private static var unfounded: CoordinationCard {
    var card = CoordinationCard()
    card.expect = 4
    card.isFree = true
    card.priority = 0
    return card
  }

  private static var registers: [Vector] {
    let entry: @Sendable ([UInt8]) throws(WireError) -> [UInt8] = { bytes throws(WireError) in
      try RegisterEntry(decoding: bytes).encoded
    }
    let payload: @Sendable ([UInt8]) throws(WireError) -> [UInt8] = { bytes throws(WireError) in
      let entry = try RegisterEntry(decoding: signed(bytes))
      return RegisterEntry.make(
        version: entry.version, parent: entry.parent, body: entry.body,
        certificate: entry.certificate, proposer: entry.proposer, cluster: Samples.cluster,
        signer: Samples.keys[0]
      ).payload
    }
    return [
      Vector(
        name: "register-entry", message: "RegisterEntry", bytes: Samples.registerEntry.encoded,
        again: entry),
      Vector(
        name: "register-payload", message: "RegisterPayload",
        bytes: Samples.registerEntry.payload, again: payload),
      Vector(
        name: "register-payload-founding", message: "RegisterPayload",
        bytes: Samples.foundingEntry.payload, again: payload),
      Vector(name: "register-body", message: "RegisterBody", bytes: Samples.body().encoded) {
        bytes throws(WireError) in try RegisterBody(decoding: bytes.span).encoded
      },
      Vector(
        name: "plan", message: "Plan", bytes: written { Samples.planValue.write(to: &$0) }
      ) { bytes throws(WireError) in
        let value = try Plan(decoding: bytes.span)
        return written { value.write(to: &$0) }
      },
      Vector(
        name: "plan-waves", message: "Plan", bytes: written { Samples.wavingPlan.write(to: &$0) }
      ) { bytes throws(WireError) in
        let value = try Plan(decoding: bytes.span)
        return written { value.write(to: &$0) }
      },
      Vector(
        name: "recovery", message: "Recovery", bytes: written { Samples.recovery.write(to: &$0) }
      ) { bytes throws(WireError) in
        let value = try Recovery(decoding: bytes.span)
        return written { value.write(to: &$0) }
      },
      Vector(
        name: "release-source", message: "ReleaseSource",
        bytes: written { Samples.source.write(to: &$0) }
      ) { bytes throws(WireError) in
        let value = try ReleaseSource(decoding: bytes.span)
        return written { value.write(to: &$0) }
      },
      Vector(
        name: "release-reference", message: "ReleaseReference",
        bytes: written { Samples.new.write(to: &$0) }
      ) { bytes throws(WireError) in
        let value = try ReleaseReference(decoding: bytes.span)
        return written { value.write(to: &$0) }
      },
      Vector(name: "durable", message: "Durable", bytes: Samples.durable.encoded) {
        bytes throws(WireError) in try Durable(decoding: bytes).encoded
      },
    ]
  }

  private static var frames: [Vector] {
    let whole = Samples.frame
    func only(_ name: String, _ choose: (inout Frame) -> Void) -> Vector {
      var frame = Frame()
      choose(&frame)
      return Vector(name: "frame-\(name)", message: "Frame", bytes: frame.encoded) {
        bytes throws(WireError) in try Frame(decoding: bytes).encoded
      }
    }
    return [
      only("every-part") { $0 = whole },
      only("ping") { $0.ping = whole.ping },
      only("ack") { $0.acknowledgement = whole.acknowledgement },
      only("indirect-ping") { $0.indirectPing = whole.indirectPing },
      only("indirect-ack") { $0.indirectAck = whole.indirectAck },
      only("records") { $0.records = whole.records },
      only("buckets") { $0.buckets = whole.buckets },
      only("digest") { $0.digest = whole.digest },
      only("wanted") { $0.wanted = whole.wanted },
      only("wanted-chunks") { $0.wantedChunks = whole.wantedChunks },
      only("chunks") { $0.chunks = whole.chunks },
      only("heartbeat") { $0.heartbeat = whole.heartbeat },
      only("promise") { $0.promise = whole.promise },
      only("relayed-heartbeat") { $0.relayedHeartbeat = whole.relayedHeartbeat },
      only("relayed-promise") { $0.relayedPromise = whole.relayedPromise },
      only("nothing") { _ in },
    ]
  }

  private static var contacts: [Vector] {
    func contact(_ name: String, _ contact: Contact) -> Vector {
      Vector(name: "contact-\(name)", message: "Contact", bytes: contact.encoded) {
        bytes throws(WireError) in try Contact(decoding: bytes).encoded
      }
    }
    let later = Samples.record(
      0, .member, Samples.card(0).encoded, incarnation: Incarnation(counter: 4, boot: 9))
    return [
      contact("beacon", .beacon(Samples.beacon)),
      contact("hello", .hello(Samples.hello(cookie: nil))),
      contact("hello-cookie", .hello(Samples.hello(cookie: Samples.digest("cookie")))),
      contact("challenge", .challenge(nonce: Samples.nonce, cookie: Samples.digest("cookie"))),
      contact("welcome", .welcome(Samples.welcome(nil))),
      contact(
        "welcome-introduced",
        .welcome(
          Samples.welcome(
            nil, introductions: [later, Samples.record(2, .member, Samples.card(2).encoded)]))),
      contact(
        "welcome-name-taken", .welcome(Samples.welcome(.nameTaken, holder: Samples.nodes[2]))),
      contact(
        "welcome-superseded", .welcome(Samples.welcome(.superseded, evidence: later))),
      contact("unknown", .unknown(hint: 0x0123_4567_89ab_cdef)),
      payload("beacon", "Beacon", Samples.beacon.signedPayload, tag: 1),
      payload(
        "hello", "Hello", Samples.hello(cookie: Samples.digest("cookie")).signedPayload, tag: 2),
      payload(
        "welcome", "Welcome",
        Samples.welcome(.superseded, holder: Samples.nodes[2], evidence: later).signedPayload,
        tag: 4),
    ]
  }

  /// What a contact signs, by itself.
  private static func payload(
    _ name: String, _ message: String, _ bytes: [UInt8], tag: Int
  ) -> Vector {
    Vector(name: "\(name)-payload", message: message, bytes: bytes) { bytes throws(WireError) in
      let whole = written { $0.item(tag, signed(bytes)) }
      return switch try Contact(decoding: whole) {
      case .beacon(let beacon): beacon.signedPayload
      case .hello(let hello): hello.signedPayload
      case .welcome(let welcome): welcome.signedPayload
      case .challenge, .unknown: []
      }
    }
  }
}

func written(_ write: (inout WireWriter) -> Void) -> [UInt8] {
  var writer = WireWriter()
  write(&writer)
  return writer.bytes
}

/// A payload in an envelope whose signature nobody checks.
private func signed(_ payload: [UInt8]) -> [UInt8] {
  written {
    $0.array(1, payload)
    $0.array(2, Signature(first: .zero, second: .zero).bytes)
  }
}
