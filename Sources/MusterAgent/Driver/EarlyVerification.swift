import MusterState
import MusterSystem

/// The verification that a start needs, begun when the old release is told to stop: while that
/// stops, says so and waits for the others, every byte of the new one is looked at, so that nobody
/// is out of service for it.
final class EarlyVerification {
  /// For how long its result is good. Whoever waits longer than that is verified anew.
  static let freshness: Int64 = 10_000_000_000

  let reference: ReleaseReference
  private let loop: EventLoop
  private var endedAt: Int64?
  private var hasFailed = false
  private var verified: (() -> Void)?
  private var failed: ((StoreFailure, Bool) -> Void)?
  private lazy var verification = Verification(
    of: reference, store: store, loop: loop, patience: patience,
    verified: { [weak self] in self?.succeed() },
    failed: { [weak self] in self?.fail($0, isLasting: $1) })
  private let store: any ReleaseStoring
  private let patience: Int64

  init(
    of reference: ReleaseReference, store: any ReleaseStoring, loop: EventLoop, patience: Int64
  ) {
    self.reference = reference
    self.store = store
    self.loop = loop
    self.patience = patience
  }

  func begin() { verification.begin() }
  func cancel() { verification.cancel() }

  /// What is left of it for a start of this release.
  enum Remainder {
    /// Every byte was right a moment ago.
    case nothing
    /// It is under way, and calls back from now on.
    case underway(Verification)
    /// It is of no use.
    case everything
  }

  func remainder(
    for release: ReleaseReference, verified: @escaping () -> Void,
    failed: @escaping (StoreFailure, _ isLasting: Bool) -> Void
  ) -> Remainder {
    guard release == reference, !hasFailed, self.verified == nil else { return .everything }
    if let endedAt { return loop.now - endedAt <= Self.freshness ? .nothing : .everything }
    self.verified = verified
    self.failed = failed
    return .underway(verification)
  }

  private func succeed() {
    endedAt = loop.now
    verified?()
  }

  private func fail(_ failure: StoreFailure, isLasting: Bool) {
    hasFailed = true
    failed?(failure, isLasting)
  }
}
