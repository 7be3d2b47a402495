import MusterState

extension Recovery {
  func write(to writer: inout WireWriter) {
    writer.array(1, from.bytes.bytes)
    writer.unsigned(2, version.term)
    writer.unsigned(3, version.count)
    writer.array(4, digest.bytes.bytes)
    writer.array(5, to.bytes.bytes)
    writer.array(6, voter.bytes.bytes)
    for founding in absorbed { writer.item(7, founding.bytes.bytes) }
    writer.array(8, signature.bytes)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var from: FoundingID?
    var version = RegisterVersion.none
    var digest: Digest?
    var to: FoundingID?
    var voter: NodeID?
    var absorbed: [FoundingID] = []
    var signature: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: from = FoundingID(try field.bytes16())
      case 2: version.term = try field.unsigned()
      case 3: version.count = try field.unsigned()
      case 4: digest = try field.digest()
      case 5: to = FoundingID(try field.bytes16())
      case 6: voter = try field.node()
      case 7:
        guard absorbed.count < Limits.absorbed else { throw .limit(7) }
        absorbed.append(FoundingID(try field.bytes16()))
      case 8: signature = try field.signature()
      default: break
      }
    }
    guard let from else { throw .field(1) }
    guard let digest else { throw .field(4) }
    guard let to else { throw .field(5) }
    guard let voter else { throw .field(6) }
    guard isSorted(absorbed) else { throw .field(7) }
    guard let signature else { throw .field(8) }
    self.init(
      from: from, version: version, digest: digest, to: to, voter: voter, absorbed: absorbed,
      signature: signature)
  }
}
