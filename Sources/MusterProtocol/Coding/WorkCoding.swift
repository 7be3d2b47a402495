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
  /// A published copy that the node has found corrupt.
  var corrupt: ReleaseReference?
  /// How long its services may take to stop; 0: it does not say.
  var stopMilliseconds: UInt32 = 0
  /// Whether this daemon knows waves, pauses and plans that stop first.
  var knowsWaves = false
  /// What it hands on to nodes that share no directory.
  var offer: ReleaseOffer?
  /// Whether its releases lie in a directory of its own.
  var keepsOwnCopies = false
  /// What it has found on the last order to look at a release.
  var inspected: InspectionVerdict?
  /// What came of its last look for new versions.
  var index = ""

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
    if let corrupt { writer.message(21) { corrupt.write(to: &$0) } }
    writer.unsigned(22, UInt64(stopMilliseconds))
    writer.flag(23, knowsWaves)
    if let offer { writer.message(24) { offer.write(to: &$0) } }
    writer.flag(25, keepsOwnCopies)
    if let inspected { writer.message(26) { inspected.write(to: &$0) } }
    writer.text(27, index)
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
      case 21: corrupt = try ReleaseReference(decoding: field.message)
      case 22: stopMilliseconds = try field.unsigned32()
      case 23: knowsWaves = try field.flag()
      case 24: offer = try ReleaseOffer(decoding: field.message)
      case 25: keepsOwnCopies = try field.flag()
      case 26: inspected = try InspectionVerdict(decoding: field.message)
      case 27: index = try field.text(limit: Limits.valueBytes)
      default: break
      }
    }
  }
}

extension FetchProgress {
  func write(to writer: inout WireWriter) {
    writer.unsigned(1, received)
    writer.unsigned(2, total)
    writer.unsigned(3, rate)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init(received: 0, total: 0)
    while let field = try reader.next() {
      switch field.tag {
      case 1: received = try field.unsigned()
      case 2: total = try field.unsigned()
      case 3: rate = try field.unsigned()
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
