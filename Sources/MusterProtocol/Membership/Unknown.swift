import MusterState

/// What is said to a sender whose datagrams cannot be opened, because one side has restarted and
/// the other has not heard. See "First contact" in `proto/README.md`.
extension Peer {
  /// Tells a sender that its sealing means nothing here; rate-limited, and never longer than what
  /// was received.
  mutating func sayUnknown(_ hint: UInt64, to source: Address, questionBytes: Int) {
    if let last = contacting.unknownSaid[source], now - last < .milliseconds(100) { return }
    guard contacting.mayAnswer(at: now) else { return }
    if contacting.unknownSaid.count > 512 { contacting.unknownSaid = [:] }
    contacting.unknownSaid[source] = now
    let answer = seal(.unknown(hint: hint))
    guard answer.count <= questionBytes else { return }
    transmit(answer, to: source)
  }

  mutating func takeUnknown(_ hint: UInt64, from source: Address) {
    guard hint == Envelope.hint(of: id) else { return }
    guard let member = member(at: source) else { return }
    // Where hundreds start at once it will hear of this node before a greeting is through.
    guard !isGathering || now - member.since >= timing.introduction else { return }
    contact(source, via: .gossip, tries: 4)
  }

  private func member(at address: Address) -> Member? {
    members.values.first { $0.address == address }
  }
}
