import MusterState

extension InspectionOrder {
  func write(to writer: inout WireWriter) {
    writer.array(1, id.bytes.bytes)
    writer.message(2) { release.write(to: &$0) }
    writer.flag(3, isOver)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var id: PlanID?
    var release: ReleaseReference?
    var isOver = false
    while let field = try reader.next() {
      switch field.tag {
      case 1: id = PlanID(try field.bytes16())
      case 2: release = try ReleaseReference(decoding: field.message)
      case 3: isOver = try field.flag()
      default: break
      }
    }
    guard let id else { throw .field(1) }
    guard let release else { throw .field(2) }
    self.init(id: id, release: release, isOver: isOver)
  }
}

extension InspectionVerdict {
  func write(to writer: inout WireWriter) {
    writer.array(1, id.bytes.bytes)
    writer.flag(2, isGood)
    writer.text(3, text)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var id: PlanID?
    var isGood = false
    var text = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: id = PlanID(try field.bytes16())
      case 2: isGood = try field.flag()
      case 3: text = try field.text(limit: Limits.valueBytes)
      default: break
      }
    }
    guard let id else { throw .field(1) }
    self.init(id: id, isGood: isGood, text: text)
  }
}
