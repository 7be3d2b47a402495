import MusterState

extension ReleaseRepair {
  func write(to writer: inout WireWriter) {
    writer.array(1, id.bytes.bytes)
    writer.unsigned(2, term)
    writer.message(3) { corrupt.write(to: &$0) }
    writer.text(4, failure)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var id: PlanID?
    var term: UInt64 = 0
    var corrupt: ReleaseReference?
    var failure = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: id = PlanID(try field.bytes16())
      case 2: term = try field.unsigned()
      case 3: corrupt = try ReleaseReference(decoding: field.message)
      case 4: failure = try field.text(limit: Limits.valueBytes)
      default: break
      }
    }
    guard let id else { throw .field(1) }
    guard let corrupt else { throw .field(3) }
    self.init(id: id, term: term, corrupt: corrupt, failure: failure)
  }
}

extension ReleaseRemoval {
  func write(to writer: inout WireWriter) {
    writer.array(1, id.bytes.bytes)
    writer.unsigned(2, term)
    writer.text(3, version)
    for reference in keep { writer.message(4) { reference.write(to: &$0) } }
    writer.text(5, outcome)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var id: PlanID?
    var term: UInt64 = 0
    var version = ""
    var keep: [ReleaseReference] = []
    var outcome = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: id = PlanID(try field.bytes16())
      case 2: term = try field.unsigned()
      case 3: version = try field.text(limit: 64)
      case 4:
        guard keep.count < Limits.kept else { throw .limit(4) }
        keep.append(try ReleaseReference(decoding: field.message))
      case 5: outcome = try field.text(limit: Limits.valueBytes)
      default: break
      }
    }
    guard let id else { throw .field(1) }
    guard version.isEmpty || isVersion(version) else { throw .field(3) }
    guard isSorted(keep) else { throw .field(4) }
    self.init(id: id, term: term, version: version, keep: keep, outcome: outcome)
  }
}
