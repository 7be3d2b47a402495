import MusterState
import MusterSystem

/// Carries out one fetch order, trying again what may pass, and keeps its outcome.
final class FetchRun {
  /// Attempts at one order, the program's own retries of the download not counted.
  static let attempts = 5
  static let firstWait: Int64 = 1_000_000_000

  let order: FetchOrder
  private(set) var progress: FetchProgress?
  private(set) var outcome: FetchOutcome?
  /// Why the last attempt failed, while another is to come.
  private(set) var trouble = ""
  private let store: any ReleaseStoring
  private let loop: EventLoop
  private let changed: () -> Void
  private var attempt = 0
  private var timer: EventLoop.TimerToken?
  private var isCancelled = false

  /// - Parameter changed: called whenever one of the above has changed.
  init(
    _ order: FetchOrder, store: any ReleaseStoring, loop: EventLoop,
    changed: @escaping () -> Void
  ) {
    self.order = order
    self.store = store
    self.loop = loop
    self.changed = changed
  }

  func begin() {
    timer = nil
    attempt += 1
    store.fetch(order) { [weak self] progress in
      self?.advance(progress)
    } completion: { [weak self] result in
      self?.finish(result)
    }
  }

  /// Ends it without an outcome; `changed` is not called any more.
  func cancel() {
    isCancelled = true
    if let timer { loop.cancel(timer) }
    if outcome == nil, timer == nil { store.cancelFetch() }
  }

  private func advance(_ progress: FetchProgress) {
    guard !isCancelled, outcome == nil else { return }
    self.progress = progress
    changed()
  }

  private func finish(_ result: Result<ReleaseReference, StoreFailure>) {
    guard !isCancelled else { return }
    progress = nil
    switch result {
    case .success(let reference):
      trouble = ""
      outcome = FetchOutcome(plan: order.plan, reference: reference, failure: "")
    case .failure(let failure) where failure.mayPass && attempt < Self.attempts:
      trouble = failure.reason
      let wait = Self.firstWait << Int64(attempt - 1)
      timer = loop.schedule(after: wait) { [weak self] in self?.begin() }
    case .failure(let failure):
      trouble = ""
      outcome = FetchOutcome(plan: order.plan, reference: nil, failure: failure.reason)
    }
    changed()
  }
}
