import MusterState

/// The content of the record `work`: what a node does in answer to its duty.
struct WorkCard: Hashable, Sendable {
  var plan: PlanID?
  var acknowledgement: Acknowledgement?
  var running: ReleaseReference?
  var role: Role?
  var isReady = false
  /// What the process itself says.
  var reportedVersion = ""
  var failure = ""
  var storage = ""
  var progress: FetchProgress?
  var services: [ServiceStatus] = []
  var volume: StorageVolume?

  init() {}

  var encoded: [UInt8] {
    var writer = WireWriter()
    if let plan { writer.array(1, plan.bytes.bytes) }
    writer.unsigned(2, UInt64(acknowledgement?.rawValue ?? 0))
    if let running { writer.message(3) { running.write(to: &$0) } }
    writer.text(4, role?.name ?? "")
    writer.flag(5, isReady)
    writer.text(6, reportedVersion)
    writer.text(7, failure)
    writer.text(8, storage)
    if let progress { writer.message(9) { progress.write(to: &$0) } }
    for service in services { writer.message(10) { service.write(to: &$0) } }
    if let volume { writer.message(20) { volume.write(to: &$0) } }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    while let field = try reader.next() {
      switch field.tag {
      case 1: plan = PlanID(try field.bytes16())
      case 2: acknowledgement = Acknowledgement(rawValue: UInt8(clamping: try field.unsigned()))
      case 3: running = try ReleaseReference(decoding: field.message)
      case 4: role = Role(try field.text(limit: Limits.keyBytes))
      case 5: isReady = try field.flag()
      case 6: reportedVersion = try field.text(limit: 64)
      case 7: failure = try field.text(limit: Limits.valueBytes)
      case 8: storage = try field.text(limit: Limits.valueBytes)
      case 9: progress = try FetchProgress(decoding: field.message)
      case 10: services.append(try ServiceStatus(decoding: field.message))
      case 20: volume = try StorageVolume(decoding: field.message)
      default: break
      }
    }
  }
}

extension FetchProgress {
  func write(to writer: inout WireWriter) {
    writer.unsigned(1, received)
    writer.unsigned(2, total)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(received: 0, total: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: received = try field.unsigned()
      case 2: total = try field.unsigned()
      default: break
      }
    }
  }
}

extension StorageVolume {
  func write(to writer: inout WireWriter) {
    writer.text(1, type)
    writer.unsigned(2, identifier)
    writer.unsigned(3, totalBytes)
    writer.unsigned(4, freeBytes)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(type: "", identifier: 0, totalBytes: 0, freeBytes: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: type = try field.text(limit: Limits.keyBytes)
      case 2: identifier = try field.unsigned()
      case 3: totalBytes = try field.unsigned()
      case 4: freeBytes = try field.unsigned()
      default: break
      }
    }
  }
}

extension ServiceStatus {
  func write(to writer: inout WireWriter) {
    writer.text(1, name)
    writer.unsigned(2, UInt64(state.rawValue))
    writer.unsigned(3, UInt64(starts))
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(name: "", state: .stopped, starts: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: name = try field.text(limit: Limits.keyBytes)
      case 2:
        guard let state = State(rawValue: UInt8(clamping: try field.unsigned())) else {
          throw .field(2)
        }
        self.state = state
      case 3: starts = try field.unsigned32()
      default: break
      }
    }
  }
}

/// The content of the record `request`: what an operator asked of this node for the leader.
/// The answer stands in the register under the node and the nonce.
struct RequestCard: Hashable, Sendable {
  /// The incarnation's counter in the high half, a count in the low one: never used twice.
  var nonce: UInt64
  /// `nil` once the request is answered.
  var action: Action?

  enum Action: Hashable, Sendable {
    case set(Setting)
    case addRelease(ReleaseSource)
    case forget(NodeID, authority: Signature?)
    /// The leader of this term is to hand over, to this node or to anybody.
    case stepDown(term: UInt64, to: NodeID?)
  }

  init(nonce: UInt64, action: Action?) {
    self.nonce = nonce
    self.action = action
  }

  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.unsigned(1, nonce)
    switch action {
    case .set(let setting): writer.message(2) { setting.write(to: &$0) }
    case .addRelease(let release): writer.message(3) { release.write(to: &$0) }
    case .forget(let node, let authority):
      writer.array(4, node.bytes.bytes)
      if let authority { writer.array(5, authority.bytes) }
    case .stepDown(let term, let successor):
      writer.message(13) {
        $0.unsigned(1, term)
        if let successor { $0.array(2, successor.bytes.bytes) }
      }
    case nil: break
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var nonce: UInt64 = 0
    var action: Action?
    var forgotten: NodeID?
    var authority: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: nonce = try field.unsigned()
      case 2: action = .set(try Setting(decoding: field.message))
      case 3: action = .addRelease(try ReleaseSource(decoding: field.message))
      case 4: forgotten = try field.node()
      case 5: authority = try field.signature()
      case 13: action = try Self.stepDown(decoding: field.message)
      default: break
      }
    }
    if let forgotten { action = .forget(forgotten, authority: authority) }
    self.init(nonce: nonce, action: action)
  }

  private static func stepDown(decoding bytes: Span<UInt8>) throws(WireError) -> Action {
    var reader = WireReader(bytes)
    var term: UInt64 = 0
    var successor: NodeID?
    while let field = try reader.next() {
      switch field.tag {
      case 1: term = try field.unsigned()
      case 2: successor = try field.node()
      default: break
      }
    }
    return .stepDown(term: term, to: successor)
  }
}
