import MusterState

/// Certificates that were checked already. A leader's card is looked at in every step, and four
/// signatures are worth a million comparisons.
struct Verdicts: Sendable {
  /// Everything that the verdict depends on.
  struct Question: Hashable, Sendable {
    var certificate: Certificate
    var voters: [NodeID]
    var founding: FoundingID
  }

  private var known: [Question: Bool] = [:]
  /// Oldest first: a member that shows ever new certificates drives out its own.
  private var order: [Question] = []

  subscript(_ question: Question) -> Bool? { known[question] }

  mutating func note(_ isValid: Bool, of question: Question) {
    guard known.updateValue(isValid, forKey: question) == nil else { return }
    order.append(question)
    if order.count > Limits.verdicts { known[order.removeFirst()] = nil }
  }
}

extension Peer {
  /// Checks what the leaders in view show and is not known yet. Queries look it up afterwards.
  mutating func checkCertificates() {
    for question in openQuestions {
      guard let isValid = examine(question) else { continue }
      coordination.verdicts.note(isValid, of: question)
    }
  }

  private var openQuestions: [Verdicts.Question] {
    guard let body = coordination.entry?.body else { return [] }
    return coordinationCards.leaders.compactMap { node in
      guard node != id, ring.contains(node), let card = card(of: node),
        card.term >= leastLeaderTerm, let certificate = card.certificate
      else { return nil }
      let question = Verdicts.Question(
        certificate: certificate, voters: body.voters, founding: body.founding)
      return coordination.verdicts[question] == nil ? question : nil
    }
  }

  /// `nil` while a voter's key is not known: that is no verdict.
  private mutating func examine(_ question: Verdicts.Question) -> Bool? {
    counters.signaturesVerified += UInt64(question.certificate.votes.count)
    if isValid(
      question.certificate, voters: question.voters, founding: question.founding)
    {
      return true
    }
    return isEveryKeyKnown(question.certificate) ? false : nil
  }

  private func isEveryKeyKnown(_ certificate: Certificate) -> Bool {
    certificate.votes.allSatisfy { $0.voter == id || members[$0.voter] != nil }
  }
}
