import MusterProtocol
import MusterState

/// What one machine's agent does with its duty, at the level of effects: fetching and verifying
/// take time and may fail, a service starts, crashes, hangs, and is stopped. Like the daemon's it
/// compares duty and doing at every turn, so that no order can be missed.
package struct SimulatedAgent: Sendable {
  /// What checkers look at.
  package enum Deed: Hashable, Sendable {
    case fetchStarted(FetchOrder)
    case published(ReleaseReference)
    case started(ReleaseReference, Role, isIntact: Bool)
    case stopped
  }

  /// The end of something that took time; of an older `generation` it is void.
  package struct Step: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
      case fetched(FetchOrder)
      case verified(ReleaseReference)
      case stopped
      case started(ReleaseReference, Role)
      case crashed
      case again
      case looked
    }

    var kind: Kind
    var generation: UInt64
  }

  /// How well things go here; drawn by the swarm.
  package struct Habits: Hashable, Sendable {
    package var fetchFailsPerMille: UInt64 = 0
    package var startFailsPerMille: UInt64 = 0
    package var crashesPerMille: UInt64 = 0
    package var stopHangsPerMille: UInt64 = 0
    package init() {}
  }

  /// What an agent may touch and learn in one turn.
  struct Ground {
    var node: Int
    var now: Instant
    var share: SimulatedShare
    var dice: SimulatedDice
    var planted: PlantedBugs
    var habits: Habits
    var deeds: [Deed] = []
    var steps: [(after: TimeSpan, step: Step)] = []
  }

  private enum Service: Hashable, Sendable {
    case none
    case starting(ReleaseReference, Role)
    case running(ReleaseReference, Role)
    case stopping(ReleaseReference, Role)
  }

  package private(set) var duty = Duty()
  package private(set) var status = LocalStatus()
  private var service = Service.none
  private var fetching: FetchOrder?
  private var verifying: ReleaseReference?
  private var generation: UInt64 = 0
  private var retriesAt: Instant?
  /// Whether it is going to look at its storage again.
  private var looks = false

  package init() {}

  /// Takes a duty; one of a lower term than a duty obeyed before is refused.
  mutating func take(_ duty: Duty, on ground: inout Ground) {
    guard duty.term >= self.duty.term else { return }
    self.duty = duty
    reconcile(on: &ground)
  }

  /// Something that took time has ended.
  mutating func take(_ step: Step, on ground: inout Ground) {
    switch step.kind {
    case .fetched(let order): finishFetch(order, on: &ground)
    case .verified(let reference): finishVerification(of: reference, on: &ground)
    case .stopped:
      guard step.generation == generation, case .stopping = service else { return }
      service = .none
      ground.deeds.append(.stopped)
    case .started(let reference, let role):
      guard step.generation == generation, service == .starting(reference, role) else { return }
      finishStart(of: reference, role, on: &ground)
    case .crashed:
      guard step.generation == generation, case .running = service else { return }
      service = .none
      ground.deeds.append(.stopped)
    case .again: retriesAt = nil
    case .looked: looks = false
    }
    reconcile(on: &ground)
  }

  // MARK: - Duty and doing

  private mutating func reconcile(on ground: inout Ground) {
    fetchIfDue(on: &ground)
    if let order = duty.collect, status.collected?.id != order.id {
      status.collected = CollectOutcome(id: order.id, text: "nothing to remove")
    }
    verifyIfDue(on: &ground)
    serve(on: &ground)
    report(on: ground)
    // What ails the storage may end without a word.
    if status.storage != "ready", !looks {
      looks = true
      ground.later(.looked, generation, 5_000...5_001)
    }
  }

  private mutating func fetchIfDue(on ground: inout Ground) {
    // Called off: a fetch of an order that no longer stands publishes nothing.
    if let fetching, duty.fetch != fetching { self.fetching = nil }
    guard let order = duty.fetch, fetching == nil, status.fetched?.plan != order.plan else {
      return
    }
    fetching = order
    ground.deeds.append(.fetchStarted(order))
    ground.later(.fetched(order), generation, 100...3_000)
  }

  private mutating func finishFetch(_ order: FetchOrder, on ground: inout Ground) {
    guard fetching == order else { return }
    fetching = nil
    if ground.happens(ground.habits.fetchFailsPerMille) {
      status.fetched = FetchOutcome(
        plan: order.plan, reference: nil, failure: "the source broke off")
      return
    }
    let reference = ReleaseReference(
      version: order.release.version, manifest: order.release.archive, repair: order.repair)
    let existed = ground.share.copies[reference.directoryName] != nil
    let failure = ground.share.publish(
      reference, by: ground.node, at: ground.now,
      overwriting: ground.planted.contains(.inPlaceRelease))
    if let failure {
      status.fetched = FetchOutcome(plan: order.plan, reference: nil, failure: failure)
      return
    }
    if !existed || ground.planted.contains(.inPlaceRelease) {
      ground.deeds.append(.published(reference))
    }
    status.fetched = FetchOutcome(plan: order.plan, reference: reference, failure: "")
  }

  /// A release that should run is verified before it is started, whatever else is known of it.
  private mutating func verifyIfDue(on ground: inout Ground) {
    let wanted = [duty.verify, duty.run].compactMap { $0 }.first {
      !status.verified.contains($0)
    }
    guard let wanted, verifying == nil, retriesAt == nil else { return }
    verifying = wanted
    ground.later(.verified(wanted), generation, 10...150)
  }

  private mutating func finishVerification(
    of reference: ReleaseReference, on ground: inout Ground
  ) {
    guard verifying == reference else { return }
    verifying = nil
    let copy = ground.share.copy(of: reference, seenBy: ground.node, at: ground.now)
    if let copy, !copy.isCorrupt || ground.planted.contains(.unverifiedRelease) {
      status.verified.append(reference)
      status.verified = Array(status.verified.suffix(8))
      status.failure = ""
      if status.corrupt == reference { status.corrupt = nil }
      return
    }
    // Not there yet is no failure; a byte that differs is.
    if copy != nil {
      status.failure = "the release differs from its manifest"
      status.corrupt = reference
    }
    tryAgain(on: &ground)
  }

  private mutating func serve(on ground: inout Ground) {
    let wanted = duty.run.flatMap { run in duty.role.map { (run, $0) } }
    switch service {
    case .running(let reference, let role):
      // A further copy of what runs waits for the next start.
      if wanted.map({ $0.0.isCopy(of: reference) && $0.1 == role }) ?? false { return }
      stop(reference, role, on: &ground)
    case .starting(let reference, let role):
      if wanted.map({ $0 == (reference, role) }) ?? false { return }
      // What has begun to start is stopped like what runs.
      stop(reference, role, on: &ground)
    case .stopping: return
    case .none:
      guard let (reference, role) = wanted, status.verified.contains(reference),
        retriesAt == nil
      else { return }
      generation += 1
      service = .starting(reference, role)
      let isIntact =
        ground.share.copies[reference.directoryName].map { !$0.isCorrupt } ?? false
      ground.deeds.append(.started(reference, role, isIntact: isIntact))
      ground.later(.started(reference, role), generation, 30...400)
    }
  }

  private mutating func stop(
    _ reference: ReleaseReference, _ role: Role, on ground: inout Ground
  ) {
    generation += 1
    service = .stopping(reference, role)
    let hangs = ground.happens(ground.habits.stopHangsPerMille)
    ground.later(.stopped, generation, hangs ? 5_000...10_000 : 5...600)
  }

  private mutating func finishStart(
    of reference: ReleaseReference, _ role: Role, on ground: inout Ground
  ) {
    if ground.happens(ground.habits.startFailsPerMille) {
      service = .none
      status.failure = "the service ended at its start"
      ground.deeds.append(.stopped)
      tryAgain(on: &ground)
      return
    }
    service = .running(reference, role)
    status.failure = ""
    if ground.happens(ground.habits.crashesPerMille) {
      ground.later(.crashed, generation, 500...20_000)
    }
  }

  private mutating func tryAgain(on ground: inout Ground) {
    retriesAt = ground.now + .milliseconds(500)
    ground.later(.again, generation, 500...501)
  }

  private mutating func report(on ground: Ground) {
    status.storage = ground.share.condition(for: ground.node)
    status.running = nil
    status.runningRole = nil
    status.ready = false
    status.reportedVersion = ""
    switch service {
    case .none: break
    case .starting(let reference, let role), .stopping(let reference, let role):
      status.running = reference
      status.runningRole = role
    case .running(let reference, let role):
      status.running = reference
      status.runningRole = role
      status.ready = true
      status.reportedVersion = reference.version
    }
  }
}

extension SimulatedAgent.Ground {
  mutating func happens(_ perMille: UInt64) -> Bool {
    perMille > 0 && dice.below(1_000) < perMille
  }

  mutating func later(
    _ kind: SimulatedAgent.Step.Kind, _ generation: UInt64, _ milliseconds: ClosedRange<UInt64>
  ) {
    let span = milliseconds.lowerBound + dice.below(milliseconds.count64)
    steps.append(
      (.milliseconds(Int64(span)), SimulatedAgent.Step(kind: kind, generation: generation)))
  }
}

extension ClosedRange<UInt64> {
  fileprivate var count64: UInt64 { upperBound - lowerBound + 1 }
}
