import MusterState

/// The outermost bytes of a datagram, before anything is opened. See "Datagrams" in
/// `proto/README.md`.
///
/// A cluster-sealed one is kind, the cluster's tag, nonce, ciphertext; a pair-sealed one is kind,
/// the sender's hint, nonce, ciphertext. Tag and hint only choose a key and a counter: they are
/// authenticated as associated data and believed for nothing else.
enum Envelope {
  /// The version of the layout is the high half of the byte.
  static let clusterKind: UInt8 = 0x11
  static let pairKind: UInt8 = 0x12
  static let headerBytes = 1 + 8 + 24
  static let tagBytes = 16
  static let overhead = headerBytes + tagBytes

  /// How many bytes of plaintext fit into one datagram.
  static let capacity = Limits.datagramBytes - overhead

  struct Parsed {
    var kind: UInt8
    var hint: UInt64
    var nonce: Nonce
    var ciphertext: [UInt8]
  }

  static func parse(_ datagram: [UInt8]) -> Result<Parsed, Refused> {
    guard datagram.count <= Limits.datagramBytes else { return .failure(Refused(.oversized)) }
    guard datagram.count >= overhead else { return .failure(Refused(.truncated)) }
    let kind = datagram[0]
    guard kind == clusterKind || kind == pairKind else {
      return .failure(Refused(.unknownKind))
    }
    let span = datagram.span
    let random = Bytes16(high: word(span, at: 9), low: word(span, at: 17))
    return .success(
      Parsed(
        kind: kind, hint: word(span, at: 1),
        nonce: Nonce(random: random, counter: word(span, at: 25)),
        ciphertext: Array(datagram[headerBytes...])))
  }

  struct Refused: Error {
    let reason: DropReason
    init(_ reason: DropReason) { self.reason = reason }
  }

  static func assemble(
    kind: UInt8, hint: UInt64, nonce: Nonce, ciphertext: [UInt8]
  ) -> [UInt8] {
    var datagram: [UInt8] = []
    datagram.reserveCapacity(headerBytes + ciphertext.count)
    datagram.append(kind)
    appendBigEndian(hint, to: &datagram)
    nonce.random.append(to: &datagram)
    appendBigEndian(nonce.counter, to: &datagram)
    datagram.append(contentsOf: ciphertext)
    return datagram
  }

  /// What the seal also covers: the protocol, the cluster, the kind and the hint.
  static func associated(_ cluster: ClusterID, kind: UInt8, hint: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(34)
    bytes.append(contentsOf: "muster v1".utf8)
    cluster.bytes.append(to: &bytes)
    bytes.append(kind)
    appendBigEndian(hint, to: &bytes)
    return bytes
  }

  /// A sender's hint: the first half of its identity.
  static func hint(of node: NodeID) -> UInt64 { node.bytes.high }
}
