import MusterState

/// An agent's reports as a journal keeps them.
extension LocalStatus {
  private static let textLimit = 65_536

  func write(to writer: inout WireWriter) {
    for reference in verified { writer.message(1) { reference.write(to: &$0) } }
    if let fetched {
      writer.message(2) {
        $0.array(1, fetched.plan.bytes.bytes)
        if let reference = fetched.reference { $0.message(2) { reference.write(to: &$0) } }
        $0.text(3, fetched.failure)
      }
    }
    if let progress { writer.message(3) { progress.write(to: &$0) } }
    if let running { writer.message(4) { running.write(to: &$0) } }
    writer.text(5, runningRole?.name ?? "")
    writer.flag(6, ready)
    writer.text(7, reportedVersion)
    writer.text(8, failure)
    writer.text(9, storage)
    for service in services { writer.message(10) { service.write(to: &$0) } }
    if let volume { writer.message(20) { volume.write(to: &$0) } }
    if let corrupt { writer.message(21) { corrupt.write(to: &$0) } }
    if let collected {
      writer.message(22) {
        $0.array(1, collected.id.bytes.bytes)
        $0.text(2, collected.text)
      }
    }
    writer.unsigned(23, UInt64(stopMilliseconds))
    if let offer { writer.message(24) { offer.write(to: &$0) } }
    writer.flag(25, keepsOwnCopies)
    if let inspected {
      var inspected = inspected
      // Whoever reads it takes no more.
      inspected.text = clipped(inspected.text, to: Limits.reasonBytes)
      writer.message(26) { inspected.write(to: &$0) }
    }
    writer.text(27, index)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init()
    while let field = try reader.next() {
      switch field.tag {
      case 1: verified.append(try ReleaseReference(decoding: field.message))
      case 2: fetched = try FetchOutcome(decoding: field.message)
      case 3: progress = try FetchProgress(decoding: field.message)
      case 4: running = try ReleaseReference(decoding: field.message)
      case 5: runningRole = Role(try field.text(limit: Limits.keyBytes))
      case 6: ready = try field.flag()
      case 7: reportedVersion = try field.text(limit: Self.textLimit)
      case 8: failure = try field.text(limit: Self.textLimit)
      case 9: storage = try field.text(limit: Self.textLimit)
      case 10: services.append(try ServiceStatus(decoding: field.message))
      case 20: volume = try StorageVolume(decoding: field.message)
      case 21: corrupt = try ReleaseReference(decoding: field.message)
      case 22: collected = try CollectOutcome(decoding: field.message)
      case 23: stopMilliseconds = try field.unsigned32()
      case 24: offer = try ReleaseOffer(decoding: field.message)
      case 25: keepsOwnCopies = try field.flag()
      case 26: inspected = try InspectionVerdict(decoding: field.message)
      case 27: index = try field.text(limit: Self.textLimit)
      default: break
      }
    }
  }
}

extension CollectOutcome {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var id: PlanID?
    var text = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: id = PlanID(try field.bytes16())
      case 2: text = try field.text(limit: 65_536)
      default: break
      }
    }
    guard let id else { throw .field(1) }
    self.init(id: id, text: text)
  }
}

extension FetchOutcome {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var plan: PlanID?
    var reference: ReleaseReference?
    var failure = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: plan = PlanID(try field.bytes16())
      case 2: reference = try ReleaseReference(decoding: field.message)
      case 3: failure = try field.text(limit: 65_536)
      default: break
      }
    }
    guard let plan else { throw .field(1) }
    self.init(plan: plan, reference: reference, failure: failure)
  }
}
