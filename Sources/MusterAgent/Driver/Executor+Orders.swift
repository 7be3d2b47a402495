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
    var keeping = duty.keep
    for release in [duty.run, duty.verify, applied?.release, fetch?.outcome?.reference] {
      if let release, !keeping.contains(release) { keeping.append(release) }
    }
    store.collect(keeping: keeping, term: duty.term)
  }

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
