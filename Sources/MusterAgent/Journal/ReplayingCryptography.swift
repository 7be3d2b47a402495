import MusterProtocol
import MusterState
import MusterSystem

/// Answers as the real one did when the journal was recorded. It has no key: what it seals is
/// zeros of the right length.
package final class ReplayingCryptography: AnsweringCryptography {
  private struct Turn {
    var answers: ArraySlice<CryptographyAnswer> = []
    var sealed = JournalDigest()
    var mismatch: String?

    mutating func next(_ question: String) -> CryptographyAnswer? {
      if let answer = answers.popFirst() { return answer }
      mismatch = mismatch ?? "\(question) was not asked when it was recorded"
      return nil
    }

    mutating func differs(_ question: String, _ answer: CryptographyAnswer?) {
      guard answer != nil else { return }
      mismatch = mismatch ?? "\(question) was another question when it was recorded"
    }
  }

  package let publicKey: PublicKey
  package let clusterKey = SealingKey(.zero)
  private let turn = Guarded(Turn())

  package init(publicKey: PublicKey) { self.publicKey = publicKey }

  package func begin(_ answers: [CryptographyAnswer]) {
    turn.withLock { $0 = Turn(answers: answers[...]) }
  }

  package func end() -> (sealed: JournalDigest, mismatch: String?) {
    turn.withLock { turn in
      if turn.mismatch == nil, !turn.answers.isEmpty {
        turn.mismatch = "\(turn.answers.count) questions more were asked when it was recorded"
      }
      return Ending(sealed: turn.sealed, mismatch: turn.mismatch)
    }.pair
  }

  private struct Ending: Sendable {
    var sealed: JournalDigest
    var mismatch: String?
    var pair: (sealed: JournalDigest, mismatch: String?) { (sealed, mismatch) }
  }

  package func sign(_ message: [UInt8]) -> Signature {
    turn.withLock { turn in
      let answer = turn.next("a signature")
      if case .signature(let signature) = answer { return signature }
      turn.differs("a signature", answer)
      return Signature(first: .zero, second: .zero)
    }
  }

  package func isValid(_ signature: Signature, of message: [UInt8], by key: PublicKey) -> Bool {
    flag("a check of a signature")
  }

  package func pairKey(with peer: PublicKey, context: [UInt8]) -> SealingKey? {
    flag("a pair key") ? SealingKey(.zero) : nil
  }

  private func flag(_ question: String) -> Bool {
    turn.withLock { turn in
      let answer = turn.next(question)
      if case .flag(let flag) = answer { return flag }
      turn.differs(question, answer)
      return false
    }
  }

  package func seal(
    _ plaintext: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8] {
    turn.withLock { $0.sealed.addSealed(plaintext, nonce: nonce, associated: associated) }
    return [UInt8](repeating: 0, count: plaintext.count + 16)
  }

  package func open(
    _ sealed: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]? {
    turn.withLock { turn in
      let answer = turn.next("an opening")
      if case .plaintext(let plaintext) = answer { return plaintext }
      turn.differs("an opening", answer)
      return nil
    }
  }

  package func digest(_ bytes: [UInt8]) -> Digest { anyDigest }
  package func digest(_ bytes: [UInt8], key: SealingKey) -> Digest { anyDigest }

  private var anyDigest: Digest {
    turn.withLock { turn in
      let answer = turn.next("a digest")
      if case .digest(let digest) = answer { return digest }
      turn.differs("a digest", answer)
      return Digest(.zero)
    }
  }
}
