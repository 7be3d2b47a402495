import MusterState

extension Record {
  /// Signs a new record of this node.
  static func make(
    author: NodeID, incarnation: Incarnation, name: RecordName, version: UInt64,
    content: [UInt8], cluster: ClusterID, signer: any Signer
  ) -> Record {
    precondition(content.count <= Limits.recordContentBytes, "the publisher checks the size")
    var writer = WireWriter()
    writer.array(1, author.bytes.bytes)
    writer.unsigned(2, incarnation.counter)
    writer.fixed(3, incarnation.boot)
    writer.text(4, name.text)
    writer.unsigned(5, version)
    writer.array(6, content)
    let signature = signer.sign(signedMessage("record", cluster, writer.bytes))
    return Record(
      author: author, incarnation: incarnation, name: name, version: version, content: content,
      payload: writer.bytes, signature: signature)
  }

  /// The record as it travels: payload and signature.
  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.array(1, payload)
    writer.array(2, signature.bytes)
    return writer.bytes
  }

  /// How many bytes the record adds to a frame.
  var encodedSize: Int { payload.count + 64 + 10 }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var payload: [UInt8] = []
    var signature: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: payload = try field.array(limit: Limits.datagramBytes)
      case 2: signature = try field.signature()
      default: break
      }
    }
    guard let signature else { throw .field(2) }
    try self.init(payload: payload, signature: signature)
  }

  private init(payload: [UInt8], signature: Signature) throws(WireError) {
    var reader = WireReader(payload.span)
    var author: NodeID?
    var incarnation = Incarnation(counter: 0, boot: 0)
    var name = ""
    var version: UInt64 = 0
    var content: [UInt8] = []
    while let field = try reader.next() {
      switch field.tag {
      case 1: author = try field.node()
      case 2: incarnation.counter = try field.unsigned()
      case 3: incarnation.boot = try field.unsigned()
      case 4: name = try field.text(limit: Limits.recordNameBytes)
      case 5: version = try field.unsigned()
      case 6: content = try field.array(limit: Limits.recordContentBytes)
      default: break
      }
    }
    guard let author else { throw .field(1) }
    guard !name.isEmpty else { throw .field(4) }
    self.init(
      author: author, incarnation: incarnation, name: RecordName(name), version: version,
      content: content, payload: payload, signature: signature)
  }

  package func isSigned(by key: PublicKey, cluster: ClusterID, verifier: any Verifier) -> Bool {
    verifier.isValid(signature, of: signedMessage("record", cluster, payload), by: key)
  }
}

/// What a signature covers: the purpose, the cluster and the exact bytes. The purpose keeps a
/// signature for one thing from being shown for another.
func signedMessage(_ purpose: String, _ cluster: ClusterID, _ payload: [UInt8]) -> [UInt8] {
  var message: [UInt8] = []
  message.reserveCapacity(purpose.utf8.count + 27 + payload.count)
  message.append(contentsOf: "muster ".utf8)
  message.append(contentsOf: purpose.utf8)
  message.append(contentsOf: " v1".utf8)
  message.append(0)
  cluster.bytes.append(to: &message)
  message.append(contentsOf: payload)
  return message
}
