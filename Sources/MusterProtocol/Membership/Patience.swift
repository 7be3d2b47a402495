import MusterState

/// How slow something has lately been, at its worst; it falls to half again and again. A node that
/// was late, or whose answers were, is given that much more time before anything is held against
/// somebody. See "Detection" in `proto/README.md`.
struct Patience: Sendable {
  private let halfLife: TimeSpan
  /// What is given at most, however slow it was.
  private let most: TimeSpan

  init(halfLife: TimeSpan = .seconds(4), most: TimeSpan = .seconds(4)) {
    self.halfLife = halfLife
    self.most = most
  }

  private var worst = TimeSpan.zero
  private var at = Instant.zero

  mutating func note(_ delay: TimeSpan, at now: Instant) {
    guard delay >= left(at: now) else { return }
    worst = min(delay, most)
    at = now
  }

  func left(at now: Instant) -> TimeSpan {
    guard worst > .zero else { return .zero }
    let halvings = (now - at).nanoseconds / halfLife.nanoseconds
    return halvings < 12 ? TimeSpan(nanoseconds: worst.nanoseconds >> halvings) : .zero
  }

  /// When there will be less of it than now; `nil` when nothing is left.
  func nextHalving(after now: Instant) -> Instant? {
    guard left(at: now) > .zero else { return nil }
    return at + halfLife * ((now - at).nanoseconds / halfLife.nanoseconds + 1)
  }
}
