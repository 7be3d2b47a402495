import MusterProtocol
import MusterState
import MusterSystem

/// Runs the services of this node, inside the agent: the embedded default.
///
/// It is told what should run, whole, and works towards it: first what does not belong to the
/// goal stops, then what is missing starts. Everything happens on the event loop's thread, and
/// every process dies with it.
package final class ServiceSupervisor: ServiceRunning {
  /// Members come and go in bursts: changes that only reach templates are gathered for so long.
  package static let settle: Int64 = 250_000_000

  /// The longest `ServiceReport.failure`, in characters: it travels in a record.
  package static let failureCharacters = 240

  package var onChange: (() -> Void)?
  package var beforeRestart: ((@escaping () -> Void) -> Void)?
  /// Called for everything that happens to a service, named first.
  package var onEvent: ((_ service: String, ServiceEvent) -> Void)?

  private let loop: EventLoop
  private let directory: String
  private let inherited: [String: String]
  private var definitions: [ServiceDefinition]
  private var goal: ServiceGoal?
  /// Sorted by name; those whose definition is gone stay until they have stopped.
  private var services: [SupervisedService] = []
  private lazy var commands = ServiceCommands(loop: loop) { [weak self] in self?.changed() }
  private var settling: EventLoop.TimerToken?
  private var lastReport = ServiceReport()
  private var isNoticePending = false
  private var whenIdle: [() -> Void] = []

  /// - Parameters:
  ///   - stateDirectory: absolute; work directories are `services/NAME` below it.
  ///   - environment: what services inherit.
  package init(
    definitions: [ServiceDefinition], stateDirectory: String, loop: EventLoop,
    environment: [String: String] = ChildProcess.inheritedEnvironment
  ) {
    precondition(stateDirectory.hasPrefix("/"), "services run elsewhere than the agent")
    self.definitions = definitions.sorted { $0.name < $1.name }
    self.loop = loop
    directory = "\(stateDirectory)/services"
    inherited = environment
  }

  /// Kills what services of an earlier life of this agent left running, and returns how many
  /// processes that were. Once, before the first `apply`.
  package func killLeftovers() -> Int {
    Leftovers.kill(withVariable: "\(RenderedService.mark)=\(directory)/")
  }

  /// A goal whose context does not show this node yet counts as none: its templates would be
  /// filled in with an address that is not known.
  package func apply(_ goal: ServiceGoal?) {
    let goal = goal.flatMap { $0.context.member(named: $0.context.node) == nil ? nil : $0 }
    guard goal != self.goal else { return }
    let isSameWork =
      goal?.release == self.goal?.release && goal?.role == self.goal?.role
      && goal?.directory == self.goal?.directory
    self.goal = goal
    guard isSameWork, goal != nil else { return refresh() }
    if settling == nil {
      settling = loop.schedule(after: Self.settle) { [weak self] in self?.refresh() }
    }
  }

  /// Replaces the definitions, after the configuration was read again.
  package func define(_ definitions: [ServiceDefinition]) {
    self.definitions = definitions.sorted { $0.name < $1.name }
    refresh()
  }

  /// Stops everything in order, and then calls `completion`, never from within this call.
  package func stopAll(completion: @escaping () -> Void) {
    whenIdle.append(completion)
    apply(nil)
    changed()
  }

  private func refresh() {
    if let settling { loop.cancel(settling) }
    settling = nil
    for definition in definitions where !services.contains(where: { $0.name == definition.name }) {
      services.append(make(definition.name))
    }
    services.sort { $0.name < $1.name }
    // All wishes are known before anything starts: what has to go goes first.
    var wishes: [(SupervisedService, Result<RenderedService?, ServiceFailure>)] = []
    for service in services { wishes.append((service, wish(for: service))) }
    for (service, wish) in wishes where (try? wish.get()) == nil { obey(service, wish) }
    for (service, wish) in wishes where (try? wish.get()) != nil { obey(service, wish) }
    proceed()
    changed()
  }

  private func obey(
    _ service: SupervisedService, _ wish: Result<RenderedService?, ServiceFailure>
  ) {
    switch wish {
    case .success(let rendered): service.want(rendered)
    case .failure(let failure):
      guard let goal else { preconditionFailure("only a goal can be filled in wrongly") }
      service.reject(failure.reason, release: goal.release)
    }
  }

  private func wish(
    for service: SupervisedService
  ) -> Result<RenderedService?, ServiceFailure> {
    guard let goal, let definition = definitions.first(where: { $0.name == service.name }),
      definition.roles.contains(goal.role)
    else { return .success(nil) }
    return Result { () throws(ServiceFailure) in
      try RenderedService(
        definition, for: goal, workDirectory: "\(directory)/\(service.name)",
        inherited: inherited)
    }
  }

  private func make(_ name: String) -> SupervisedService {
    SupervisedService(
      name: name, commands: commands,
      emit: { [weak self] in self?.onEvent?(name, $0) },
      mayStart: { [weak self] in self?.mayStart ?? false },
      beforeRestart: { [weak self] clear in
        guard let gate = self?.beforeRestart else { return clear() }
        gate(clear)
      },
      onChange: { [weak self] in self?.changed() })
  }

  /// Two versions never run side by side, and two roles do not fight for one port.
  private var mayStart: Bool { !services.contains { $0.isDeparting } }

  private func proceed() {
    for service in services { service.proceed() }
  }

  /// Tells of a change at the next turn of the loop: several in one turn are one.
  private func changed() {
    guard !isNoticePending else { return }
    isNoticePending = true
    loop.schedule(after: 0) { [weak self] in self?.notice() }
  }

  private func notice() {
    isNoticePending = false
    proceed()
    services.removeAll { service in
      service.isIdle && !definitions.contains { $0.name == service.name }
    }
    let report = report
    if report != lastReport {
      lastReport = report
      onChange?()
    }
    if services.allSatisfy({ $0.isIdle }), commands.alive == 0 {
      let completions = whenIdle
      whenIdle = []
      for completion in completions { completion() }
    }
  }
}

extension ServiceSupervisor {
  /// The release that is to run.
  package var wanted: ReleaseReference? { goal?.release }

  /// What it does, whole. A role without services counts as running as soon as nothing else
  /// runs: there is nothing to wait for.
  package var report: ServiceReport {
    let occupants = services.compactMap { $0.occupant }
    let isWanted = services.contains { $0.isWanted }
    // While anything of another release or role has a process, that is what runs.
    let stranger = occupants.first { $0.release != goal?.release || $0.role != goal?.role }
    let failure = services.first { !$0.failure.isEmpty }.map { "\($0.name): \($0.failure)" } ?? ""
    var report = ServiceReport(
      failure: String(failure.prefix(Self.failureCharacters)),
      services: services.filter { $0.isWanted || $0.starts > 0 || !$0.failure.isEmpty }
        .map { ServiceStatus(name: $0.name, state: $0.state, starts: $0.starts) },
      // They stop side by side.
      stopMilliseconds: occupants.map { occupant in
        UInt32(clamping: occupant.drainLimit.milliseconds + occupant.stop.limit.milliseconds)
      }.max() ?? 0)
    if let stranger {
      report.running = stranger.release
      report.role = stranger.role
    } else if let goal, !occupants.isEmpty || (!isWanted && failure.isEmpty) {
      report.running = goal.release
      report.role = goal.role
      report.ready =
        failure.isEmpty && services.allSatisfy { !$0.isWanted || $0.isReady }
    }
    report.version = version(of: report.running)
    return report
  }

  /// What the programs say; one that says something else than the release is heard first.
  private func version(of running: ReleaseReference?) -> String {
    guard let running else { return "" }
    let occupied = services.filter { $0.occupant != nil }
    guard !occupied.isEmpty else { return running.version }
    let reported = occupied.compactMap { $0.version }
    return reported.first { $0 != running.version } ?? reported.first ?? ""
  }
}
