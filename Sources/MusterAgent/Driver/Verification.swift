import MusterState
import MusterSystem

/// Verifies one release again and again until it is right or nobody wants it any more.
final class Verification {
  /// Waits between attempts double from the first to the second of these; a copy that will not
  /// become right by itself is looked at as rarely as that, in case somebody puts it right.
  static let firstWait: Int64 = 500_000_000
  static let longestWait: Int64 = 30_000_000_000

  let reference: ReleaseReference
  private let store: any ReleaseStoring
  private let loop: EventLoop
  private let verified: () -> Void
  private let failed: (StoreFailure, _ isLasting: Bool) -> Void
  /// When the first attempt began.
  private var began: Int64 = 0
  private let patience: Int64
  private var wait = Verification.firstWait
  private var timer: EventLoop.TimerToken?
  private var isOver = false

  /// - Parameters:
  ///   - patience: for how long what may pass by itself is no failure yet. What was published a
  ///     moment ago is seen late through some mounts, and handles go stale when a server restarts.
  ///   - verified: called once, when every byte is right; no attempt follows it.
  ///   - failed: called after each attempt that was not, and whether that counts.
  init(
    of reference: ReleaseReference, store: any ReleaseStoring, loop: EventLoop,
    patience: Int64, verified: @escaping () -> Void,
    failed: @escaping (StoreFailure, _ isLasting: Bool) -> Void
  ) {
    self.patience = patience
    self.reference = reference
    self.store = store
    self.loop = loop
    self.verified = verified
    self.failed = failed
  }

  func begin() {
    timer = nil
    if began == 0 { began = loop.now }
    store.verify(reference) { [weak self] result in self?.finish(result) }
  }

  func cancel() {
    isOver = true
    if let timer { loop.cancel(timer) }
  }

  private func finish(_ result: Result<Void, StoreFailure>) {
    guard !isOver else { return }
    switch result {
    case .success:
      isOver = true
      verified()
    case .failure(let failure):
      timer = loop.schedule(after: failure.mayPass ? wait : Self.longestWait) { [weak self] in
        self?.begin()
      }
      wait = min(wait * 2, Self.longestWait)
      failed(failure, !failure.mayPass || loop.now - began >= patience)
    }
  }
}
