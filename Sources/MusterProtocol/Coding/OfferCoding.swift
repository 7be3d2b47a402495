import MusterState

extension ReleaseOffer {
  func write(to writer: inout WireWriter) {
    writer.unsigned(1, UInt64(port))
    writer.array(
      2,
      manifests.flatMap { manifest in
        (0..<8).map { UInt8(truncatingIfNeeded: manifest >> (56 - 8 * UInt64($0))) }
      })
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var port: UInt16 = 0
    var beginnings: [UInt8] = []
    while let field = try reader.next() {
      switch field.tag {
      case 1:
        guard let value = UInt16(exactly: try field.unsigned()) else { throw .overflow }
        port = value
      case 2: beginnings = try field.array(limit: 8 * Limits.offers)
      default: break
      }
    }
    guard port != 0 else { throw .field(1) }
    guard beginnings.count % 8 == 0 else { throw .field(2) }
    self.init(
      port: port,
      manifests: stride(from: 0, to: beginnings.count, by: 8).map { start in
        beginnings[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
      })
  }
}
