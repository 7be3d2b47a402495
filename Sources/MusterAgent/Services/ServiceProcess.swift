import MusterProtocol
import MusterState
import MusterSystem

/// One life of a service's process, and what goes on beside it: its output, its probe, and the
/// short commands that ask it or tell it something.
final class ServiceProcess {
  /// Longer than any program needs to print its version.
  static let versionLimit = TimeSpan.seconds(10)
  static let versionRetry = TimeSpan.seconds(5)

  /// What it was started from, and has adopted since.
  private(set) var service: RenderedService
  let startedAt: Int64
  /// What the program says of itself; `nil` until it has.
  private(set) var version: String?
  /// Why it is not ready, once that is certain.
  private(set) var fault = ""

  private let commands: ServiceCommands
  private let loop: EventLoop
  private let emit: (ServiceEvent) -> Void
  private let onChange: () -> Void
  private let onEnd: (ExitStatus, _ lastLine: String) -> Void
  private let child: ChildProcess
  private let output: ServiceOutput
  private var readiness: Readiness?
  private var runs: [CommandRun] = []
  private var versionTimer: EventLoop.TimerToken?

  /// Starts `service`, whose files are in place.
  ///
  /// - Parameters:
  ///   - onChange: called after anything above may have changed, never from within this call.
  ///   - onEnd: called once, when the process has ended and nothing of it is left.
  init(
    _ service: RenderedService, commands: ServiceCommands, emit: @escaping (ServiceEvent) -> Void,
    onChange: @escaping () -> Void, onEnd: @escaping (ExitStatus, _ lastLine: String) -> Void
  ) throws(ServiceFailure) {
    self.service = service
    self.commands = commands
    loop = commands.loop
    self.emit = emit
    self.onChange = onChange
    self.onEnd = onEnd
    startedAt = loop.now
    let command = try service.resolved(service.command)
    do throws(SystemError) {
      // Thrown away by an error below, the child is killed.
      child = try ChildProcess(command)
      output = try ServiceOutput(of: child, loop: loop, emit: emit)
      try loop.watch(child.exitDescriptor) { [weak self] in self?.collect() }
    } catch {
      throw ServiceFailure("\(error)")
    }
    emit(.started(pid: child.pid, program: command.program))
    askVersion()
    probe()
  }

  var isReady: Bool { readiness?.isReady == true && version != nil }

  /// Goes on as `new`, which asks for no restart.
  func adopt(_ new: RenderedService) {
    let old = service
    service = new
    if new.probe != old.probe { probe() }
  }

  /// Tells the program that its files have changed. `onFailure` comes when the reload command
  /// fails while the process lives.
  func reload(onFailure: @escaping () -> Void) {
    switch service.reload {
    case .signal(let number):
      child.signalLeader(number)
      emit(.reloaded)
    case .command(let command, let limit):
      run(command, limit: limit) { [weak self] outcome in
        guard let self else { return }
        guard !outcome.isSuccess else { return emit(.reloaded) }
        emit(.failed(reason: "the reload command \(outcome.failure)", retryIn: nil))
        onFailure()
      }
    }
  }

  /// Ends probes and commands: the process is about to be stopped.
  func quiet() {
    readiness?.stop()
    readiness = nil
    if let versionTimer { loop.cancel(versionTimer) }
    versionTimer = nil
    for run in runs { run.cancel() }
    runs = []
  }

  /// Runs the drain command; without one, `completion` comes at once.
  func drain(completion: @escaping () -> Void) {
    guard let command = service.drain else { return completion() }
    emit(.draining)
    run(command, limit: service.drainLimit) { [weak self] outcome in
      if !outcome.isSuccess { self?.emit(.drainFailed(reason: outcome.failure)) }
      completion()
    }
  }

  /// Sends a signal to the whole group.
  func signal(_ number: Int32) { child.signal(number) }
  func kill() { child.kill() }

  private func collect() {
    guard let status = child.reap() else { return }
    loop.unwatch(child.exitDescriptor)
    output.finish()
    quiet()
    onEnd(status, output.lastLine)
  }

  private func probe() {
    readiness?.stop()
    readiness = Readiness(service, commands: commands) { [weak self] in
      guard let self, let readiness else { return }
      fault = readiness.isReady ? "" : "not ready: \(readiness.failure)"
      emit(readiness.isReady ? .ready : .notReady(reason: readiness.failure))
      onChange()
    }
  }

  private func askVersion() {
    guard let command = service.version else {
      version = service.release.version
      return
    }
    run(command, limit: Self.versionLimit) { [weak self] outcome in
      guard let self else { return }
      if case .ended(.exited(0), let text) = outcome, let found = reportedVersion(in: text) {
        version = found
        fault = ""
      } else {
        fault = "the version command \(outcome.isSuccess ? "prints none" : outcome.failure)"
        emit(.failed(reason: fault, retryIn: Self.versionRetry))
        versionTimer = loop.schedule(after: Self.versionRetry.nanoseconds) { [weak self] in
          self?.askVersion()
        }
      }
      onChange()
    }
  }

  /// Runs a command of the service beside it.
  private func run(
    _ command: ProcessCommand, limit: TimeSpan,
    completion: @escaping (CommandRun.Outcome) -> Void
  ) {
    // A program that cannot be found is started all the same: the run reports it.
    let resolved = (try? service.resolved(command)) ?? command
    runs.removeAll { $0.hasFinished }
    runs.append(commands.run(resolved, limit: limit, completion: completion))
  }

  deinit {
    quiet()
    loop.unwatch(child.exitDescriptor)
  }
}
