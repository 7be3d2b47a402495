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
    guard let random = Bytes16(datagram[9..<25]) else { return .failure(Refused(.truncated)) }
    return .success(
      Parsed(
        kind: kind, hint: word(datagram[1..<9]),
        nonce: Nonce(random: random, counter: word(datagram[25..<33])),
        ciphertext: Array(datagram[headerBytes...])))
  }

  struct Refused: Error {
    let reason: DropReason
    init(_ reason: DropReason) { self.reason = reason }
  }

  static func assemble(
    kind: UInt8, hint: UInt64, nonce: Nonce, ciphertext: [UInt8]
  ) -> [UInt8] {
    [kind] + bytes(hint) + nonce.bytes + ciphertext
  }

  /// What the seal also covers: the protocol, the cluster, the kind and the hint.
  static func associated(_ cluster: ClusterID, kind: UInt8, hint: UInt64) -> [UInt8] {
    Array("muster v1".utf8) + cluster.bytes.bytes + [kind] + bytes(hint)
  }

  /// A sender's hint: the first half of its identity.
  static func hint(of node: NodeID) -> UInt64 { node.bytes.high }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func bytes(_ word: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
  }
}
