import MusterReleases
import MusterState
import MusterSystem

/// Nodes without a shared directory: each brings its own copy of what the leader has published,
/// and trusts it by the digest that the register names, as if it had been there already.
extension SharedReleases {
  package func learn(_ sources: [ReleaseSource], term: UInt64) {
    self.sources = sources
    self.term = term
  }

  /// On the thread of the leader's own fetches, for a node works on one stage at a time.
  func bring(
    _ reference: ReleaseReference, from source: ReleaseSource,
    _ completion: @escaping (Result<Void, StoreFailure>) -> Void
  ) {
    bringing.cancel()
    let cancellation = Cancellation()
    bringing = cancellation
    log.info("fetching \(reference.directoryName) for this node")
    let order = FetchOrder(
      plan: PlanID(.zero), term: term, release: source, repair: reference.repair)
    let latest = Latest<FetchProgress>()
    let reader = ProgressReader(loop: loop, interval: Self.progressInterval) { [weak self] in
      if let news = latest.take() { self?.show(news) }
    }
    fetcher.run { [store, publisher] in
      Result { () throws(StoreError) in
        let brought = try store.fetch(
          order: order, cluster: publisher.cluster, node: publisher.node,
          fetchProgram: publisher.fetchProgram, sign: publisher.sign,
          progress: { latest.put($0) }, cancellation: cancellation)
        guard brought.isCopy(of: reference) else {
          throw .refused(
            "the archive of \(reference.version) unpacks to other files here than at the leader")
        }
      }
    } completion: { [weak self] result in
      reader.end()
      self?.show(nil)
      completion(result.mapError(StoreFailure.init))
    }
  }
}

extension StoreError {
  /// Whether there is just no copy, and nothing wrong with the storage.
  var isAbsence: Bool {
    switch self {
    case .missing, .storage(.waiting, _): true
    case .refused, .storage, .fetch, .corrupt, .cancelled, .system: false
    }
  }
}
