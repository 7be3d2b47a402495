import MusterState

/// What share of pings is lost, they or their answers, between this node and members that do live:
/// a probe that was answered in its third round tells of two that were. At first it is the mean of
/// all pings; from the sixteenth on each moves it by a sixteenth.
struct LossEstimate: Sendable {
  private static let memory = 16

  /// In 1,024ths.
  private(set) var share = 0
  /// Pings that it rests on. A node begins with the belief that nothing is lost.
  private var pings = 3

  mutating func note(answeredInRound round: Int) {
    for _ in 1..<max(1, round) { move(to: 1_024) }
    move(to: 0)
  }

  /// An accusation was refuted: somebody's probes have failed though their subject lives.
  mutating func noteRefutation() { move(to: 1_024) }

  /// Whether what is lost is no accident any more.
  var isLossy: Bool { share >= 128 }

  private mutating func move(to sample: Int) {
    pings = min(pings + 1, Self.memory)
    share += (sample - share) / pings
  }

  /// How often a member is asked before a probe counts as failed. Each round after the first goes
  /// four ways; with the shares that belong to 10, 30 and 50 % of datagrams lost, one probe in a
  /// thousand fails by chance.
  var rounds: Int {
    switch share {
    case ..<128: 3
    case ..<320: 4
    case ..<512: 6
    case ..<704: 9
    default: 14
    }
  }

  /// How many of them are direct, before others are asked: the first, or half of them.
  var directRounds: Int { isLossy ? rounds / 2 : 1 }

  /// Whether single failures are so common that other observers look only when a probe has failed.
  var isHeavy: Bool { share >= 320 }

  /// How much longer a verdict waits for an answer that may have been lost, too, in refutation
  /// windows.
  var windows: Int64 {
    switch share {
    case ..<400: 0
    case ..<640: 1
    default: 2
    }
  }
}
