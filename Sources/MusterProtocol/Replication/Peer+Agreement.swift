import MusterState

/// Who is known to share this node's state, for one fingerprint.
struct AgreementState: Sendable {
  var fingerprint: UInt64 = 0
  var set = Agreement()
  var since: Instant?
  /// The neighbours that have shown the fingerprint.
  var confirmed: Set<NodeID> = []
  /// Whether this node has told the one above it that all below agree, and those below that all do.
  var hasReported = false
  var hasAnnounced = false
  /// The change of the store that was looked at last, and what follows from it.
  var change: Instant?
  var questions = 0
  var nextQuestion: Instant?

  /// When to look next: a moment after a change, then for those who have not been heard of.
  func deadline(after change: Instant, settling: TimeSpan) -> Instant? {
    self.change == change ? nextQuestion : change + settling
  }
}

/// Agreement: how every node learns within a few hops that all live members share its state. See
/// "Agreement" in `proto/README.md`.
///
/// The live members in their order are a tree: whoever has heard that all below it agree tells the
/// one above, and whoever knows that everybody does tells those below. That is two datagrams for
/// each member and change. Only where some are missing after a while is a neighbour asked.
extension Peer {
  private static let branches = 4

  /// The store and the ring in one number: what two nodes compare.
  var viewFingerprint: UInt64 { store.fingerprint &+ ringFingerprint }

  private var countedLive: Int { min(ring.count, Agreement.members) }

  private mutating func refreshAgreement() {
    let fingerprint = viewFingerprint
    guard fingerprint != agreement.fingerprint else { return }
    agreement.fingerprint = fingerprint
    agreement.set = Agreement()
    agreement.set.insert(ring.place(of: id))
    agreement.since = nil
    agreement.confirmed = []
    agreement.hasReported = false
    agreement.hasAnnounced = false
    noteCompleteness()
  }

  private mutating func noteCompleteness() {
    let live = countedLive
    if agreement.since == nil, agreement.set.count(limit: live) == live { agreement.since = now }
  }

  mutating func note(agreement bits: [UInt8], of node: NodeID) {
    refreshAgreement()
    agreement.confirmed.insert(node)
    repair.answered(by: node, again: nil)
    // A set that is complete has nothing to learn, and most of the time it is.
    guard agreement.since == nil else { return }
    let isUnion = agreement.set.formUnion(bits)
    let isNew = agreement.set.insert(ring.place(of: node))
    if isUnion || isNew { noteCompleteness() }
  }

  /// Passes on what is known as soon as it is worth it, once a change has settled.
  mutating func exchangeAgreement() {
    if agreement.change != repair.changedAt {
      guard now >= repair.changedAt + agreementSettling else { return }
      agreement.change = repair.changedAt
      agreement.questions = 0
      agreement.nextQuestion = now + questionPause
    }
    guard agreement.nextQuestion != nil || !agreement.hasAnnounced else { return }
    refreshAgreement()
    report()
    if let next = agreement.nextQuestion, now >= next { askNeighbour() }
  }

  /// Nobody needs to know of an agreement that the next newcomer ends.
  var agreementSettling: TimeSpan { isGathering ? timing.settle : timing.settling }

  private var isLossy: Bool { prober.loss.isLossy }

  private var questionPause: TimeSpan {
    isLossy
      ? timing.agreementIntervalLossy
      : timing.agreementInterval * (1 << Int64(min(agreement.questions, 4)))
  }

  // MARK: - The tree

  private mutating func report() {
    let place = ring.place(of: id)
    let above = place == 0 ? nil : ring[(place - 1) / Self.branches]
    let first = Self.branches * place + 1
    let below = (first..<first + Self.branches).filter { $0 < countedLive }.map { ring[$0] }
    if agreement.since != nil, !agreement.hasAnnounced {
      agreement.hasAnnounced = true
      for node in below { state(to: node) }
    } else if agreement.since == nil, !agreement.hasReported, let above, isSubtreeComplete {
      agreement.hasReported = true
      state(to: above)
    }
  }

  /// Whether all that are below this node in the tree are in the set: level by level they stand
  /// side by side.
  private var isSubtreeComplete: Bool {
    var level = ring.place(of: id)..<ring.place(of: id) + 1
    while level.lowerBound < countedLive {
      guard agreement.set.holds(level.clamped(to: 0..<countedLive)) else { return false }
      level =
        Self.branches * level.lowerBound + 1..<Self.branches * level.upperBound + 1
    }
    return true
  }

  /// An answer to no question: whoever shares the fingerprint has nothing to reply.
  mutating func state(to node: NodeID) {
    refreshAgreement()
    var frame = Frame()
    frame.acknowledgement = Frame.Ack(
      sequence: 0, fingerprint: agreement.fingerprint, agreement: agreement.set.bits,
      nextMilliseconds: 0)
    send(frame, to: node)
  }

  // MARK: - Questions

  /// Where nothing is lost, some are asked when the tree has not come through. Where datagrams are
  /// lost, a record that was missed has to be missed by all neighbours to stay unknown, so each of
  /// them is asked until some have shown the same state.
  private mutating func askNeighbour() {
    let open = overlay.neighbours(of: id).filter {
      members[$0]?.state == .alive && !agreement.confirmed.contains($0)
    }
    let most = isLossy ? Limits.agreementQuestionsLossy : Limits.agreementQuestions
    let isWanted =
      isLossy
      ? !open.isEmpty && agreement.confirmed.count < Limits.confirmations
      : agreement.since == nil
    guard isWanted, agreement.questions < most else {
      agreement.nextQuestion = nil
      return
    }
    agreement.questions += 1
    agreement.nextQuestion = now + questionPause
    let asked = open.isEmpty ? overlay.neighbours(of: id) : open
    guard !asked.isEmpty else { return }
    var frame = Frame()
    frame.ping = Frame.Ping(
      sequence: 0, fingerprint: viewFingerprint, agreement: agreement.set.bits)
    send(frame, to: asked[Int(generator.below(UInt64(asked.count)))])
  }

  /// The set travels while it is incomplete here, or when the other side asks by sending its own.
  mutating func agreementToSend(isAsked: Bool) -> [UInt8] {
    refreshAgreement()
    return isAsked || agreement.since == nil ? agreement.set.bits : []
  }
}
