import MusterProtocol
import MusterReleases
import MusterState
import MusterSystem

/// The release store as the executor sees it: every blocking call on a thread of its own, every
/// answer on the event loop's.
///
/// A mount that hangs blocks whoever touches it. Probes therefore have a thread to themselves:
/// one that does not come back in time is itself the news that the storage is lost.
package final class SharedReleases: ReleaseStoring {
  package var onStorageChange: (() -> Void)?
  package var onDamage: ((ReleaseReference) -> Void)?
  package private(set) var storageState = ""
  package private(set) var volume: StorageVolume?

  /// What this node publishes with: identity and the download program.
  package struct Publisher: Sendable {
    let cluster: ClusterID
    let node: NodeID
    let fetchProgram: String
    let sign: @Sendable ([UInt8]) -> Signature

    package init(
      cluster: ClusterID, node: NodeID, fetchProgram: String,
      sign: @escaping @Sendable ([UInt8]) -> Signature
    ) {
      self.cluster = cluster
      self.node = node
      self.fetchProgram = fetchProgram
      self.sign = sign
    }
  }

  private static let probeInterval: Int64 = 5_000_000_000
  private static let probePatience: Int64 = 20_000_000_000
  static let progressInterval: Int64 = 200_000_000
  /// Nothing younger is collected: a deposed leader may not know its successor's releases.
  private static let collectAge: Int64 = 3_600

  package let isLocal: Bool
  package private(set) var progress: FetchProgress?
  let store: ReleaseStore
  let publisher: Publisher
  let loop: EventLoop
  let log: Log
  let fetcher: WorkerThread
  private let verifier: WorkerThread
  private let prober: WorkerThread
  private var cancellation = Cancellation()
  private var collection = Cancellation()
  var sources: [ReleaseSource] = []
  var term: UInt64 = 0
  var bringing: LocalFetch?
  /// What others may have of this node; `nil` with a shared directory, or without an address.
  package private(set) var served: ServedReleases?
  /// Who has a copy of a release; `nil` until there is a view to look at.
  package var peers: ((ReleaseReference) -> PeerCopies?)?
  private var current: ReleaseReference?
  private var watch = StorageWatch()
  private var shownVolume: StorageVolume?
  private var probeBegan: Int64?

  /// Begins to probe at once.
  ///
  /// - Parameters:
  ///   - isLocal: `shared` is a directory of this node alone.
  ///   - port: where others reach its read-only HTTP face, at the node's own host.
  /// - Throws: when the kernel has no thread left.
  package init(
    shared: String, isLocal: Bool = false, port: UInt16? = nil, publisher: Publisher,
    loop: EventLoop, log: Log
  ) throws(SystemError) {
    self.isLocal = isLocal
    store = ReleaseStore(shared: shared)
    if isLocal, let port {
      served = try ServedReleases(store: store, port: port, loop: loop)
    }
    self.publisher = publisher
    self.loop = loop
    self.log = log
    fetcher = try WorkerThread(loop: loop)
    verifier = try WorkerThread(loop: loop)
    prober = try WorkerThread(loop: loop)
    storageState = StorageState.waiting(.answer).line(shared: shared)
    probe()
  }

  package func path(of reference: ReleaseReference) -> String { store.path(of: reference) }

  // MARK: - Fetching

  package func fetch(
    _ order: FetchOrder, progress: @escaping (FetchProgress) -> Void,
    completion: @escaping (Result<ReleaseReference, StoreFailure>) -> Void
  ) {
    // They share a thread, and what is ordered for all does not wait for one node's own copy.
    bringing?.cancel()
    let cancellation = Cancellation()
    self.cancellation = cancellation
    let latest = Latest<FetchProgress>()
    let reader = ProgressReader(loop: loop, interval: Self.progressInterval) {
      if let news = latest.take() { progress(news) }
    }
    fetcher.run { [store, publisher, home = watch.home] in
      Result { () throws(StoreError) in
        try store.fetch(
          order: order, cluster: publisher.cluster, node: publisher.node,
          fetchProgram: publisher.fetchProgram, home: home, sign: publisher.sign,
          progress: { latest.put($0) }, cancellation: cancellation)
      }
    } completion: { result in
      reader.end()
      completion(result.mapError(StoreFailure.init))
    }
  }

  package func cancelFetch() { cancellation.cancel() }

  // MARK: - Verifying and collecting

  package func verify(
    _ reference: ReleaseReference, completion: @escaping (Result<Void, StoreFailure>) -> Void
  ) {
    verifier.run { [store] in
      Result { () throws(StoreError) in try store.verify(reference) }
    } completion: { [weak self] result in
      guard case .failure(let error) = result, let self, isLocal, error.isAbsence,
        let source = sources.first(where: { $0.version == reference.version })
      else { return completion(result.mapError(StoreFailure.init)) }
      bring(reference, from: source, completion)
    }
  }

  package func collect(keeping: [ReleaseReference], term: UInt64) {
    verifier.run { [store, publisher] in
      Result { () throws(StoreError) -> [String] in
        let releases = try store.collect(
          keep: keeping, term: term, olderThan: Self.collectAge)
        return try releases
          + store.removeStages(
            cluster: publisher.cluster, belowTerm: term, olderThan: Self.collectAge)
      }
    } completion: { [log] result in
      switch result {
      case .success(let removed):
        if !removed.isEmpty { log.info("removed \(removed.joined(separator: ", "))") }
      case .failure(let error): log.warning("old releases stay for now: \(error)")
      }
    }
  }

  package func collect(_ order: CollectOrder, completion: @escaping (String) -> Void) {
    let cancellation = Cancellation()
    collection = cancellation
    verifier.run { [store] in
      Result { () throws(StoreError) -> [String] in
        try store.collect(
          keep: order.keep, term: order.term, version: order.version,
          olderThan: order.version.isEmpty ? Self.collectAge : 0, cancellation: cancellation)
      }
    } completion: { [log] result in
      switch result {
      case .success(let removed):
        let text =
          removed.isEmpty ? "nothing to remove" : "removed " + removed.joined(separator: ", ")
        log.info(text)
        completion(text)
      case .failure(let error):
        log.warning("releases cannot be removed: \(error)")
        completion("failed: \(error)")
      }
    }
  }

  package func free(
    allBut versions: [String], keeping: [ReleaseReference], term: UInt64,
    completion: @escaping (Bool) -> Void
  ) {
    verifier.run { [store] in
      Result { () throws(StoreError) -> [String] in
        try store.collect(keep: keeping, term: term, except: versions, olderThan: 0)
      }
    } completion: { [log] result in
      switch result {
      case .success(let removed):
        if !removed.isEmpty { log.info("removed \(removed.joined(separator: ", "))") }
        completion(true)
      // Where nothing was ever kept there is nothing to free.
      case .failure(.storage(.waiting, _)): completion(true)
      case .failure(let error):
        log.warning("releases that nobody needs stay for now: \(error)")
        completion(false)
      }
    }
  }

  package func tidy(term: UInt64) {
    verifier.run { [store, publisher] in
      Result { () throws(StoreError) in
        try store.removeStages(
          cluster: publisher.cluster, belowTerm: term, olderThan: Self.collectAge)
      }
    } completion: { [log] result in
      if case .success(let removed) = result, !removed.isEmpty {
        log.info("removed \(removed.joined(separator: ", "))")
      }
    }
  }

  package func cancelCollect() { collection.cancel() }

  /// Looks at every file of a published release, and names everything that is wrong.
  package func inspect(
    _ reference: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void
  ) {
    verifier.run { [store] in
      Result { () throws(StoreError) in try store.inspect(reference) }
    } completion: { [weak self] result in
      switch result {
      case .success(let found): if found.problemCount > 0 { self?.onDamage?(reference) }
      case .failure(.corrupt): self?.onDamage?(reference)
      case .failure: break
      }
      completion(result.mapError(StoreFailure.init))
    }
  }

  /// What the manifest of a published release says.
  package func manifest(
    of reference: ReleaseReference,
    completion: @escaping (Result<Manifest, StoreFailure>) -> Void
  ) {
    verifier.run { [store] in
      Result { () throws(StoreError) in try store.manifest(of: reference) }
    } completion: {
      completion($0.mapError(StoreFailure.init))
    }
  }

  // MARK: - Probing

  package func expect(_ current: ReleaseReference?) {
    guard self.current != current else { return }
    self.current = current
    watch.expect(current, at: loop.now)
    probe()
  }

  private func probe() {
    guard probeBegan == nil else { return }
    let began = loop.now
    probeBegan = began
    loop.schedule(after: Self.probePatience) { [weak self] in
      guard let self, probeBegan == began else { return }
      become("lost: the shared directory does not answer; check its server and its mount")
    }
    prober.run { [store, current, home = watch.home] in
      (current, store.survey(expecting: current, home: home))
    } completion: { [weak self] expected, survey in
      guard let self else { return }
      probeBegan = nil
      // What was found of a release that is not the current one any more says nothing.
      guard expected == current else { return probe() }
      volume = survey.volume.map(StorageVolume.init)
      var state = watch.judge(survey, at: loop.now)
      // Nobody else puts it here: it comes when this node has fetched it.
      if isLocal, case .notShared(let release) = state { state = .waiting(.release(release)) }
      become(state.line(shared: store.shared))
      if case .damaged = state, let expected { onDamage?(expected) }
      loop.schedule(after: Self.probeInterval) { [weak self] in self?.probe() }
    }
  }

  /// Progress of this node's own download.
  func show(_ progress: FetchProgress?) {
    guard progress != self.progress else { return }
    self.progress = progress
    onStorageChange?()
  }

  private func become(_ line: String) {
    guard line != storageState || volume != shownVolume else { return }
    storageState = line
    shownVolume = volume
    onStorageChange?()
  }
}

extension StorageVolume {
  init(_ volume: StoreVolume) {
    self.init(
      type: String(volume.type.prefix(32)), identifier: volume.identifier,
      totalBytes: volume.totalBytes, freeBytes: volume.freeBytes)
  }
}

extension StoreFailure {
  init(_ error: StoreError) {
    var isCorrupt = false
    if case .corrupt = error { isCorrupt = true }
    self.init(reason: error.description, mayPass: error.mayPass, isCorrupt: isCorrupt)
  }
}
