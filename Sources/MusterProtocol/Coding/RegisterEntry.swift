import MusterState

/// One version of the register as it is stored and passed on: the body, who proposed it, on what
/// it builds, and the proof that the proposer had won its term.
///
/// It is named by the digest of its tree (`ChunkTree`); two entries with one version and
/// different digests cannot both be certified.
struct RegisterEntry: Hashable, Sendable {
  var version: RegisterVersion
  /// The digest of the entry before; `nil` for the founding entry.
  var parent: Digest?
  var body: RegisterBody
  /// The votes that made `proposer` leader of `version.term`; `nil` for the founding entry.
  var certificate: Certificate?
  var proposer: NodeID
  /// The exact signed bytes and the proposer's signature.
  var payload: [UInt8]
  var signature: Signature

  /// The bytes that the tree is made of.
  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.array(1, payload)
    writer.array(2, signature.bytes)
    return writer.bytes
  }

  static func make(
    version: RegisterVersion, parent: Digest?, body: RegisterBody, certificate: Certificate?,
    proposer: NodeID, cluster: ClusterID, signer: any Signer
  ) -> RegisterEntry {
    var writer = WireWriter()
    writer.unsigned(1, version.term)
    writer.unsigned(2, version.count)
    if let parent { writer.array(3, parent.bytes.bytes) }
    writer.array(4, body.encoded)
    if let certificate { writer.message(5) { certificate.write(to: &$0) } }
    writer.array(6, proposer.bytes.bytes)
    return RegisterEntry(
      version: version, parent: parent, body: body, certificate: certificate,
      proposer: proposer, payload: writer.bytes,
      signature: signer.sign(signedMessage("register", cluster, writer.bytes)))
  }

  func isSigned(by key: PublicKey, cluster: ClusterID, verifier: any Verifier) -> Bool {
    verifier.isValid(signature, of: signedMessage("register", cluster, payload), by: key)
  }
}

extension RegisterEntry {
  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var payload: [UInt8] = []
    var signature: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: payload = try field.array(limit: Limits.treeBytes)
      case 2: signature = try field.signature()
      default: break
      }
    }
    guard let signature else { throw .field(2) }
    try self.init(payload: payload, signature: signature)
  }

  private init(payload: [UInt8], signature: Signature) throws(WireError) {
    var reader = WireReader(payload.span)
    var version = RegisterVersion.none
    var parent: Digest?
    var body: RegisterBody?
    var certificate: Certificate?
    var proposer: NodeID?
    while let field = try reader.next() {
      switch field.tag {
      case 1: version.term = try field.unsigned()
      case 2: version.count = try field.unsigned()
      case 3: parent = try field.digest()
      case 4: body = try RegisterBody(decoding: field.message)
      case 5: certificate = try Certificate(decoding: field.message)
      case 6: proposer = try field.node()
      default: break
      }
    }
    guard let body else { throw .field(4) }
    guard let proposer else { throw .field(6) }
    self.init(
      version: version, parent: parent, body: body, certificate: certificate,
      proposer: proposer, payload: payload, signature: signature)
  }
}
