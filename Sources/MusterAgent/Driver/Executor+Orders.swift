import MusterState
import MusterSystem

/// What the effective leader is ordered to do for all: fetch, and remove what nobody needs.
extension Executor {
  func followFetch() {
    guard let order = duty.fetch else {
      // The outcome stays to be seen; a download that nobody wants does not go on.
      if fetch?.outcome == nil {
        fetch?.cancel()
        fetch = nil
      }
      return
    }
    guard order != fetch?.order else { return }
    fetch?.cancel()
    log.info("fetching \(order.release.version) from its source, ordered in term \(order.term)")
    onStep?(.fetching(order.release))
    let run = FetchRun(order, store: store, loop: loop) { [weak self] in self?.fetchChanged() }
    fetch = run
    run.begin()
  }

  private func fetchChanged() {
    if let outcome = fetch?.outcome {
      if let reference = outcome.reference {
        log.info("published \(reference.directoryName)")
        onStep?(.published(reference))
      } else {
        log.error("the fetch failed: \(outcome.failure)")
        onStep?(.failed(version: fetch?.order.release.version ?? "", reason: outcome.failure))
      }
    }
    publish()
  }

  /// Whoever published a release tidies up once its plan is done, as long as it leads: in the
  /// same term, and with a list of what stays.
  func followKeep() {
    guard duty.fetch == nil, duty.plan == nil, !duty.keep.isEmpty, duty != collectedFor else {
      return
    }
    let hasPublished = fetch?.outcome?.reference != nil && fetch?.order.term == duty.term
    // Who shares with nobody tidies for itself, once it runs what it should.
    guard hasPublished || store.isLocal && applied != nil else { return }
    collectedFor = duty
    store.collect(keeping: needed.sorted(), term: duty.term)
    if store.isLocal { forgetAll(but: needed) }
  }

  /// What the register names, and what this node itself is not done with.
  private var needed: Set<ReleaseReference> {
    let own = [
      duty.run, duty.verify, applied?.release, services.report.running, fetch?.outcome?.reference,
    ]
    return Set(duty.keep + own.compactMap { $0 })
  }

  /// A node that keeps its own copies frees those that the register does not know any more: not
  /// on an order that it could miss, but because it has them and should not.
  func followTidy() {
    guard store.isLocal, let order = duty.tidy, duty.fetch == nil else { return }
    let keeping = needed
    if let tidied, tidied.order == order, tidied.keeping == keeping { return }
    tidied = (order, keeping)
    forgetAll { keeping.contains($0) || order.versions.contains($0.version) }
    store.free(allBut: order.versions, keeping: keeping.sorted(), term: duty.term) {
      [weak self] isDone in
      guard !isDone, let self, tidied?.order == order else { return }
      tidied = nil
      loop.schedule(after: Self.tidyPause) { [weak self] in self?.followTidy() }
    }
  }

  private static let tidyPause: Int64 = 60_000_000_000

  /// What may be gone is verified, and brought, before it counts again.
  private func forgetAll(but isHere: (ReleaseReference) -> Bool) {
    verified.removeAll { !isHere($0) }
  }

  private func forgetAll(but kept: Set<ReleaseReference>) { forgetAll { kept.contains($0) } }

  /// What crashes left on the share goes even when nothing is ever published again.
  package func tidy(term: UInt64) { store.tidy(term: term) }

  func followCollect() {
    guard duty.collect != collecting else { return }
    if collecting != nil { store.cancelCollect() }
    collecting = duty.collect
    guard let order = duty.collect, collected?.id != order.id else { return }
    store.collect(order) { [weak self] text in
      guard let self, collecting == order else { return }
      collected = CollectOutcome(id: order.id, text: text)
      onStep?(.collected(text))
      publish()
    }
  }
}
