import MusterState

/// What cryptography answered to a peer, without any key: with these a replay needs none.
package enum CryptographyAnswer: Hashable, Sendable {
  /// Whether a signature is valid, or a pair key was made.
  case flag(Bool)
  /// What was opened; `nil` when it could not be.
  case plaintext([UInt8]?)
  case signature(Signature)
  case digest(Digest)

  var encoded: [UInt8] {
    switch self {
    case .flag(let flag): [flag ? 1 : 0]
    case .plaintext(nil): [2]
    case .plaintext(let bytes?): [3] + bytes
    case .signature(let signature): [4] + signature.bytes
    case .digest(let digest): [5] + digest.bytes.bytes
    }
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    let rest = Array(bytes.dropFirst())
    switch bytes.first {
    case 0: self = .flag(false)
    case 1: self = .flag(true)
    case 2: self = .plaintext(nil)
    case 3: self = .plaintext(rest)
    case 4:
      guard let signature = Signature(rest) else { throw .field(4) }
      self = .signature(signature)
    case 5:
      guard let digest = Bytes32(rest) else { throw .field(5) }
      self = .digest(Digest(digest))
    default: throw .truncated
    }
  }
}

/// What cryptography did in one turn.
package struct CryptographyNotes: Sendable {
  /// In the order of the questions.
  package var answers: [CryptographyAnswer] = []
  package var sealed = JournalDigest()
  package init() {}
}

/// Cryptography that answers from a journal.
package protocol AnsweringCryptography: Signer, Verifier, Sealer, Digester {
  /// A turn begins; these are its answers.
  func begin(_ answers: [CryptographyAnswer])
  /// The turn is over.
  ///
  /// - Returns: the digest of what was sealed, and the first question that does not fit the
  ///   answers.
  func end() -> (sealed: JournalDigest, mismatch: String?)
}
