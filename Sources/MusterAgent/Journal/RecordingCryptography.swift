import MusterProtocol
import MusterState
import MusterSystem

/// Passes every question on, and notes the answers for a journal. No key is noted.
package final class RecordingCryptography: Signer, Verifier, Sealer, Digester {
  private let real: any Cryptography
  private let notes = Guarded(CryptographyNotes())

  package init(_ real: any Cryptography) { self.real = real }

  /// What was answered since the last call.
  package func takeNotes() -> CryptographyNotes {
    notes.withLock { notes in
      let taken = notes
      notes = CryptographyNotes()
      return taken
    }
  }

  private func note(_ answer: CryptographyAnswer) { notes.withLock { $0.answers.append(answer) } }

  package var publicKey: PublicKey { real.publicKey }
  package var clusterKey: SealingKey { real.clusterKey }

  package func sign(_ message: [UInt8]) -> Signature {
    let signature = real.sign(message)
    note(.signature(signature))
    return signature
  }

  package func isValid(_ signature: Signature, of message: [UInt8], by key: PublicKey) -> Bool {
    let isValid = real.isValid(signature, of: message, by: key)
    note(.flag(isValid))
    return isValid
  }

  package func pairKey(with peer: PublicKey, context: [UInt8]) -> SealingKey? {
    let key = real.pairKey(with: peer, context: context)
    note(.flag(key != nil))
    return key
  }

  package func seal(
    _ plaintext: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8] {
    notes.withLock { $0.sealed.addSealed(plaintext, nonce: nonce, associated: associated) }
    return real.seal(plaintext, nonce: nonce, associated: associated, key: key)
  }

  package func open(
    _ sealed: [UInt8], nonce: Nonce, associated: [UInt8], key: SealingKey
  ) -> [UInt8]? {
    let plaintext = real.open(sealed, nonce: nonce, associated: associated, key: key)
    note(.plaintext(plaintext))
    return plaintext
  }

  package func digest(_ bytes: [UInt8]) -> Digest {
    let digest = real.digest(bytes)
    note(.digest(digest))
    return digest
  }

  package func digest(_ bytes: [UInt8], key: SealingKey) -> Digest {
    let digest = real.digest(bytes, key: key)
    note(.digest(digest))
    return digest
  }
}
