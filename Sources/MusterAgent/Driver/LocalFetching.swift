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

  package func offer(_ verified: [ReleaseReference]) -> ReleaseOffer? { served?.offer(verified) }

  /// On the thread that waits for the web in any case.
  package func read(
    _ index: IndexOrder, completion: @escaping (Result<ReleaseSource, StoreFailure>) -> Void
  ) {
    fetcher.run { [publisher] in
      Result { () throws(StoreError) in
        try ReleaseIndex.read(
          index.url, signer: index.signer, fetchProgram: publisher.fetchProgram)
      }
    } completion: {
      completion($0.mapError(StoreFailure.init))
    }
  }

  func bring(
    _ reference: ReleaseReference, from source: ReleaseSource,
    _ completion: @escaping (Result<Void, StoreFailure>) -> Void
  ) {
    bringing?.cancel()
    let order = FetchOrder(
      plan: PlanID(.zero), term: term, release: source, repair: reference.repair)
    let fetch = LocalFetch(
      of: reference, loop: loop, log: log, look: { [peers] in peers?(reference) },
      fetch: { [weak self] in self?.bring(reference, order, from: $0, $1, $2) })
    bringing = fetch
    fetch.begin { result in
      completion(result.mapError(StoreFailure.init))
    }
  }

  /// On the thread of the leader's own fetches, for a node works on one stage at a time.
  private func bring(
    _ reference: ReleaseReference, _ order: FetchOrder, from peers: CopySource?,
    _ cancellation: Cancellation, _ completion: @escaping (LocalFetch.Outcome) -> Void
  ) {
    let latest = Latest<FetchProgress>()
    let reader = ProgressReader(loop: loop, interval: Self.progressInterval) { [weak self] in
      if let news = latest.take() { self?.show(news) }
    }
    fetcher.run { [store, publisher] in
      var notices: [String] = []
      let result = Result { () throws(StoreError) in
        let brought = try store.fetch(
          order: order, cluster: publisher.cluster, node: publisher.node,
          fetchProgram: publisher.fetchProgram, peers: peers, sign: publisher.sign,
          progress: { latest.put($0) },
          notice: { if notices.count < Limits.peersAsked { notices.append($0) } },
          cancellation: cancellation)
        guard brought.isCopy(of: reference) else {
          throw .refused(
            "the archive of \(reference.version) unpacks to other files here than at the leader")
        }
      }
      return LocalFetch.Outcome(result: result, notices: notices)
    } completion: { [weak self] outcome in
      reader.end()
      self?.show(nil)
      completion(outcome)
    }
  }
}

/// Brings one copy: from peers that have it, and from the source when none can be had of them.
///
/// While nobody has it one node asks the source and the others wait a little for its copy, so that
/// a hundred nodes are no hundred downloads.
final class LocalFetch {
  struct Outcome: Sendable {
    var result: Result<Void, StoreError>
    var notices: [String]
  }

  typealias Fetch = (
    _ peers: CopySource?, _ cancellation: Cancellation,
    _ completion: @escaping (Outcome) -> Void
  ) -> Void

  private static let pause: Int64 = 200_000_000
  /// How long the first of those who lack it, and the others, wait for a peer that has it.
  private static let patienceOfFirst: Int64 = 1_500_000_000
  private static let patience: Int64 = 20_000_000_000
  /// How long peers are waited for that hand it on to others.
  private static let patienceWithBusy: Int64 = 60_000_000_000
  /// Peers that one run of the program may turn to.
  private static let peersAtOnce = 4

  private let reference: ReleaseReference
  private let loop: EventLoop
  private let log: Log
  private let look: () -> PeerCopies?
  private let fetch: Fetch
  private let cancellation = Cancellation()
  private var completion: ((Result<Void, StoreError>) -> Void)?
  private var began: Int64 = 0
  private var timer: EventLoop.TimerToken?
  private var refused: [Address] = []

  /// - Parameter look: who has it; `nil` where nobody can.
  init(
    of reference: ReleaseReference, loop: EventLoop, log: Log,
    look: @escaping () -> PeerCopies?, fetch: @escaping Fetch
  ) {
    self.reference = reference
    self.loop = loop
    self.log = log
    self.look = look
    self.fetch = fetch
  }

  /// `completion` is called once, also after `cancel`.
  func begin(_ completion: @escaping (Result<Void, StoreError>) -> Void) {
    self.completion = completion
    began = loop.now
    goOn()
  }

  func cancel() {
    cancellation.cancel()
    guard let timer else { return }
    loop.cancel(timer)
    self.timer = nil
    finish(.failure(.cancelled))
  }

  private func goOn() {
    timer = nil
    guard let copies = look(), refused.count < Limits.peersAsked else { return askSource() }
    let holders = copies.holders.filter { !refused.contains($0) }
    let waited = loop.now - began
    if !holders.isEmpty {
      guard waited < Self.patienceWithBusy else { return askSource() }
      // Any of them, so that they share the work.
      return ask(Array(holders.shuffled().prefix(Self.peersAtOnce)))
    }
    let patience = copies.goesFirst ? Self.patienceOfFirst : Self.patience
    guard copies.isAwaited, waited < patience else { return askSource() }
    wait()
  }

  private func wait() {
    // Not all at one moment.
    let pause = Self.pause + Int64.random(in: 0...Self.pause)
    timer = loop.schedule(after: pause) { [weak self] in self?.goOn() }
  }

  private func askSource() {
    log.info("fetching \(reference.directoryName) for this node")
    fetch(nil, cancellation) { self.finish($0.result) }
  }

  private func ask(_ peers: [Address]) {
    let names = peers.map(\.description).joined(separator: ", ")
    log.info("copying \(reference.directoryName) from \(names)")
    fetch(CopySource(reference, at: peers), cancellation) { self.heed($0, from: peers) }
  }

  private func heed(_ outcome: Outcome, from peers: [Address]) {
    for notice in outcome.notices {
      let words = notice.split(separator: " ", maxSplits: 2).map(String.init)
      guard words.count == 3, words[0] == "peer", let place = Int(words[1]),
        peers.indices.contains(place)
      else { continue }
      log.warning("\(peers[place]) is not asked again: \(words[2])")
      refused.append(peers[place])
    }
    switch outcome.result {
    case .failure(.fetch(.busy, _)):
      wait()
    case .failure(.fetch(let problem, let message))
    where [.network, .refused, .checksum, .archive].contains(problem):
      if outcome.notices.isEmpty { log.warning("no peer gives a copy: \(message)") }
      refused += peers.filter { !refused.contains($0) }
      goOn()
    case .success, .failure:
      finish(outcome.result)
    }
  }

  private func finish(_ result: Result<Void, StoreError>) {
    completion?(result)
    completion = nil
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
