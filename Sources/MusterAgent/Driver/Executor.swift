import MusterState
import MusterSystem

/// Compares what this node should do with what it does, and drives the release store and the
/// service supervisor from the one to the other.
///
/// Nothing is started that was not verified for this very start, and what a lower term orders is
/// refused. All calls and callbacks are on the event loop's thread.
package final class Executor {
  struct Target: Hashable {
    let release: ReleaseReference
    let role: Role

    func isCopy(of other: Target) -> Bool {
      role == other.role && release.isCopy(of: other.release)
    }
  }

  /// Told each step, after it was logged.
  package var onStep: ((ReleaseStep) -> Void)?

  /// Has the leader take what an index names; told why it does not.
  package var onAnnounced: ((ReleaseSource, @escaping (String) -> Void) -> Void)? {
    didSet { follower?.take = onAnnounced }
  }

  let loop: EventLoop
  let store: any ReleaseStoring
  let services: any ServiceRunning
  private let link: String
  let log: Log
  private let patience: Int64
  private let reporter: StatusReporter

  var duty = Duty()
  private var context: ServiceContext
  /// What should run, and the verification that comes before it.
  private var wanted: Target?
  private var starting: Verification?
  private var startFailure = ""
  /// Begun for a start that is to come.
  private var early: EarlyVerification?
  private var reviving: Verification?
  /// Services that ended by themselves and wait for a verification before they start again.
  private var restarts: [() -> Void] = []
  /// What the supervisor was told to run.
  var applied: Target?
  /// A release to have ready before it is needed.
  private var ahead: Verification?
  private var aheadFailure = ""
  var verified: [ReleaseReference] = []
  var fetch: FetchRun?
  var collectedFor: Duty?
  var collecting: CollectOrder?
  var collected: CollectOutcome?
  var follower: IndexFollower?
  var inspecting: InspectionOrder?
  var inspected: InspectionVerdict?
  /// What was last freed by, and what stayed.
  var tidied: (order: TidyOrder, keeping: Set<ReleaseReference>)?
  /// A published copy that was found corrupt, and has not been right since.
  private var corrupt: ReleaseReference?
  private var shownStorage = ""
  private var ended: (() -> Void)?
  private var isEnding = false

  /// How long a release may be invisible, or its storage away, before that is a failure of this
  /// node and counts against a plan.
  package static let patience: Int64 = 10_000_000_000

  /// - Parameters:
  ///   - link: where this node's `current` link is, on its own disk.
  ///   - report: told what this node does, whole, whenever that changes.
  package init(
    loop: EventLoop, store: any ReleaseStoring, services: any ServiceRunning, link: String,
    context: ServiceContext, log: Log, patience: Int64 = Executor.patience,
    report: @escaping (LocalStatus) -> Void
  ) {
    self.patience = patience
    self.loop = loop
    self.store = store
    self.services = services
    self.link = link
    self.context = context
    self.log = log
    reporter = StatusReporter(loop: loop, report: report)
    services.onChange = { [weak self] in self?.servicesChanged() }
    services.beforeRestart = { [weak self] in self?.clearRestart($0) }
    store.onDamage = { [weak self] in self?.noteCorrupt($0) }
    store.onStorageChange = { [weak self] in self?.storageChanged() }
    follower = IndexFollower(
      loop: loop, look: { [store] in store.read($0, completion: $1) },
      changed: { [weak self] in self?.indexChanged() })
  }

  /// Works towards `duty` from now on. One of a lower term than the last is refused.
  package func obey(_ duty: Duty) {
    guard !isEnding else { return }
    guard duty.term >= self.duty.term else {
      log.warning("refused an order of term \(duty.term): \(self.duty.term) was obeyed already")
      return
    }
    self.duty = duty
    // What a plan has published must be visible here before anybody stops for it.
    store.expect(duty.verify ?? duty.run)
    store.learn(duty.sources, term: duty.term)
    followRun()
    followVerify()
    followFetch()
    followKeep()
    followTidy()
    followCollect()
    followInspect()
    follower?.follow(duty.index, isPaused: duty.plan != nil)
    publish()
  }

  /// Has templates rendered with what the cluster looks like now.
  package func update(_ context: ServiceContext) {
    guard context != self.context else { return }
    self.context = context
    if let applied { services.apply(goal(applied)) }
  }

  /// Stops everything in good order, then calls `completion`, once. No duty is obeyed any more.
  package func end(_ completion: @escaping () -> Void) {
    isEnding = true
    wanted = nil
    starting?.cancel()
    early?.cancel()
    reviving?.cancel()
    ahead?.cancel()
    fetch?.cancel()
    ended = completion
    stopServices()
    if services.report.running == nil { finishEnd() }
  }

  // MARK: Running

  private func followRun() {
    var target: Target?
    if let release = duty.run, let role = duty.role {
      target = Target(release: release, role: role)
    }
    guard target != wanted else { return }
    // A further copy of what runs is for the next start.
    let runsOn = applied.map { target?.isCopy(of: $0) ?? false } ?? false
    wanted = target
    if runsOn {
      if let begun = starting, let applied, !begun.reference.isCopy(of: applied.release) {
        begun.cancel()
        starting = nil
        startFailure = ""
      }
      // Who waits to be started waits for this copy from now on: the one before may be corrupt.
      if !restarts.isEmpty || starting != nil { verifyAndStart() }
      return
    }
    starting?.cancel()
    starting = nil
    startFailure = ""
    // Who catches up with the others may have to fetch first: what runs, runs on meanwhile.
    let isAtHand = target.map { verified.contains($0.release) } ?? true
    if applied != nil, isAtHand { stopServices() }
    if target == nil { foreseeStart() } else { verifyAndStart() }
  }

  /// Who stops for a plan starts again with what it names.
  private func foreseeStart() {
    restarts = []
    early?.cancel()
    early = nil
    guard duty.plan != nil, let next = duty.verify else { return }
    let verification = EarlyVerification(
      of: next, store: store, loop: loop, patience: patience)
    early = verification
    verification.begin()
  }

  private func verifyAndStart() {
    restarts = []
    starting?.cancel()
    starting = nil
    guard let target = wanted else { return }
    let verified: () -> Void = { [weak self] in self?.start(target) }
    let failed: (StoreFailure, Bool) -> Void = { [weak self] in
      self?.refuseStart(target, $0, isLasting: $1)
    }
    let begun = early.take()
    switch begun?.remainder(for: target.release, verified: verified, failed: failed) {
    case .nothing: start(target)
    case .underway(let verification):
      starting = verification
      early = begun
    case .everything, nil:
      begun?.cancel()
      let verification = Verification(
        of: target.release, store: store, loop: loop, patience: patience, verified: verified,
        failed: failed)
      starting = verification
      verification.begin()
    }
  }

  private func start(_ target: Target) {
    starting = nil
    early = nil
    startFailure = ""
    remember(target.release)
    onStep?(.verified(target.release))
    do throws(SystemError) {
      try Files.replaceLink(at: link, to: store.path(of: target.release))
    } catch {
      // The link is for people and scripts; services are given the directory itself.
      log.warning("cannot point \(link) at \(target.release.directoryName): \(error)")
    }
    applied = target
    log.info("starting \(target.release.directoryName) as \(target.role)")
    services.apply(goal(target))
    publish()
  }

  private func refuseStart(_ target: Target, _ failure: StoreFailure, isLasting: Bool) {
    forget(target.release)
    if failure.isCorrupt { noteCorrupt(target.release) }
    guard isLasting else {
      log.info("\(target.release.directoryName) cannot be started yet: \(failure.reason)")
      return publish()
    }
    if startFailure != failure.reason {
      log.error("cannot start \(target.release.directoryName): \(failure.reason)")
      onStep?(.failed(version: target.release.version, reason: failure.reason))
    }
    startFailure = failure.reason
    publish()
  }

  /// A service that ended by itself starts again when every byte of its release is right, and
  /// from the newest copy of it. Without an answer it stays down.
  private func clearRestart(_ clear: @escaping () -> Void) {
    guard !isEnding, let applied, let wanted else { return }
    guard wanted.isCopy(of: applied) else { return revive(applied, clear) }
    guard applied == wanted else {
      // What has to be applied anew starts everything again.
      if starting?.reference != wanted.release { verifyAndStart() }
      return
    }
    restarts.append(clear)
    guard starting == nil else { return }
    let verification = Verification(
      of: applied.release, store: store, loop: loop, patience: patience,
      verified: { [weak self] in self?.restart(applied) },
      failed: { [weak self] in self?.refuseStart(applied, $0, isLasting: $1) })
    starting = verification
    verification.begin()
  }

  /// What runs on until something else is there is started again meanwhile.
  private func revive(_ target: Target, _ clear: @escaping () -> Void) {
    reviving?.cancel()
    let verification = Verification(
      of: target.release, store: store, loop: loop, patience: patience,
      verified: { [weak self] in if self?.applied == target { clear() } },
      failed: { [weak self] failure, _ in
        if failure.isCorrupt { self?.noteCorrupt(target.release) }
      })
    reviving = verification
    verification.begin()
  }

  private func restart(_ target: Target) {
    starting = nil
    startFailure = ""
    remember(target.release)
    let waiting = restarts
    restarts = []
    for clear in waiting { clear() }
    publish()
  }

  private func stopServices() {
    if let applied { log.info("stopping \(applied.release.directoryName)") }
    applied = nil
    services.apply(nil)
  }

  private func goal(_ target: Target) -> ServiceGoal {
    ServiceGoal(
      release: target.release, directory: store.path(of: target.release), role: target.role,
      context: context)
  }

  private func servicesChanged() {
    followTidy()
    publish()
    if isEnding, services.report.running == nil { finishEnd() }
  }

  private func finishEnd() {
    let completion = ended
    ended = nil
    completion?()
  }

  // MARK: Verifying ahead

  private func followVerify() {
    let release = duty.verify
    if let ahead, ahead.reference == release { return }
    ahead?.cancel()
    ahead = nil
    aheadFailure = ""
    guard let release, !verified.contains(release), starting?.reference != release else { return }
    let verification = Verification(
      of: release, store: store, loop: loop, patience: patience,
      verified: { [weak self] in self?.finishAhead(release) },
      failed: { [weak self] in self?.reportAhead(release, $0, isLasting: $1) })
    ahead = verification
    verification.begin()
  }

  private func finishAhead(_ release: ReleaseReference) {
    ahead = nil
    aheadFailure = ""
    remember(release)
    log.info("verified \(release.directoryName)")
    onStep?(.verified(release))
    publish()
  }

  private func reportAhead(
    _ release: ReleaseReference, _ failure: StoreFailure, isLasting: Bool
  ) {
    if failure.isCorrupt { noteCorrupt(release) }
    guard isLasting else {
      log.info("\(release.directoryName) cannot be verified yet: \(failure.reason)")
      return
    }
    if aheadFailure != failure.reason {
      log.warning("cannot verify \(release.directoryName): \(failure.reason)")
      onStep?(.failed(version: release.version, reason: failure.reason))
    }
    aheadFailure = failure.reason
    publish()
  }

  /// Only what this process itself has verified, and only as many as the register can name.
  private func remember(_ release: ReleaseReference) {
    verified.removeAll { $0 == release }
    verified.append(release)
    if corrupt == release { corrupt = nil }
    if verified.count > Limits.releases { verified.removeFirst() }
  }

  private func forget(_ release: ReleaseReference) { verified.removeAll { $0 == release } }

  /// The leader reads it in this node's record, and orders another copy.
  private func noteCorrupt(_ release: ReleaseReference) {
    guard corrupt != release else { return }
    corrupt = release
    log.error("\(release.directoryName) is corrupt: another copy is asked for")
    publish()
  }

  // MARK: Reporting

  private func storageChanged() {
    defer { publish() }
    guard store.storageState != shownStorage else { return }
    shownStorage = store.storageState
    let isReady = store.storageState == "ready"
    log.add(isReady ? .info : .warning, "the shared directory is \(store.storageState)")
    onStep?(.storage(store.storageState))
  }

  func publish() {
    let report = services.report
    let failures = [startFailure, fetch?.trouble ?? "", report.failure, aheadFailure]
    reporter.offer(
      LocalStatus(
        verified: verified, fetched: fetch?.outcome, collected: collected, corrupt: corrupt,
        progress: fetch?.progress ?? store.progress,
        running: report.running, runningRole: report.role, ready: report.ready,
        reportedVersion: report.version, failure: failures.first { !$0.isEmpty } ?? "",
        storage: store.storageState, volume: store.volume, services: report.services,
        stopMilliseconds: report.stopMilliseconds,
        offer: store.offer(verified.filter { $0 != corrupt }), keepsOwnCopies: store.isLocal,
        inspected: inspected,
        index: follower?.news ?? ""))
  }
}
