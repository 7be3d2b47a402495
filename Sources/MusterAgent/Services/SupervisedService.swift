import MusterProtocol
import MusterState
import MusterSystem

/// One service of this node, from its first start to its last stop.
///
/// It is told what is wanted, compares that with what runs, and takes the next step: nothing has
/// to be remembered of earlier wishes.
final class SupervisedService {
  private enum Phase {
    case stopped
    case running(ServiceProcess)
    /// The drain command runs; then comes the signal.
    case draining(ServiceProcess)
    /// The signal is sent; at the limit the group is killed.
    case stopping(ServiceProcess)
    /// It ended or failed to start, and is started again when the timer fires.
    case waiting
    /// It ended, and the restart policy says that this is final.
    case finished(RenderedService, isGood: Bool)
  }

  /// So many ends in a row are a crash loop.
  static let crashLoop = 3

  let name: String
  /// Starts since the agent started.
  private(set) var starts: UInt32 = 0

  private let commands: ServiceCommands
  private let loop: EventLoop
  private let emit: (ServiceEvent) -> Void
  private let onChange: () -> Void
  private let mayStart: () -> Bool
  private let beforeRestart: (@escaping () -> Void) -> Void

  private var phase = Phase.stopped
  private var wanted: RenderedService?
  /// What was tried last.
  private var tried: RenderedService?
  /// Of the next start, or of the end of patience with a stop.
  private var timer: EventLoop.TimerToken?
  /// Ends in a row, none of which came after a long life.
  private var failures = 0
  /// Why it did not start, or does not stay; over once it is ready.
  private var fault = ""
  /// Why nothing newer could be filled in.
  private var rejection = ""

  /// - Parameters:
  ///   - beforeRestart: calls back when it may be started again.
  ///   - mayStart: asked before every start; when the answer changes, call `proceed()`.
  ///   - onChange: called whenever anything that can be asked here may have changed.
  init(
    name: String, commands: ServiceCommands, emit: @escaping (ServiceEvent) -> Void,
    mayStart: @escaping () -> Bool, beforeRestart: @escaping (@escaping () -> Void) -> Void,
    onChange: @escaping () -> Void
  ) {
    self.name = name
    self.commands = commands
    loop = commands.loop
    self.emit = emit
    self.mayStart = mayStart
    self.beforeRestart = beforeRestart
    self.onChange = onChange
  }

  deinit { cancelTimer() }

  /// Makes `service` what should run; `nil`: nothing.
  func want(_ service: RenderedService?) {
    rejection = ""
    var isSame = false
    if let service, let wanted { isSame = service.change(from: wanted) != .restart }
    if !isSame {
      // What went wrong with something else says nothing about this.
      fault = ""
      failures = 0
    }
    wanted = service
    proceed()
    onChange()
  }

  /// Nothing can be wanted, because it could not be filled in. What runs goes on if it belongs
  /// to `release`, and is stopped otherwise.
  func reject(_ reason: String, release: ReleaseReference) {
    if occupant?.release != release { wanted = nil }
    if rejection != reason { emit(.failed(reason: reason, retryIn: nil)) }
    rejection = reason
    proceed()
    onChange()
  }

  /// Takes the next step, if there is one to take.
  func proceed() {
    switch phase {
    case .stopped:
      if wanted != nil { start() }
    case .waiting:
      guard let wanted, let tried, wanted.change(from: tried) != .restart else { return renew() }
    case .finished(let service, let isGood):
      guard let wanted, wanted.change(from: service) != .restart else { return renew() }
      phase = .finished(wanted, isGood: isGood)
    case .running(let process):
      adopt(process)
    case .draining, .stopping:
      break
    }
  }

  private func renew() {
    cancelTimer()
    phase = .stopped
    if wanted != nil { start() }
  }

  private func cancelTimer() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }
}

/// What can be asked.
extension SupervisedService {
  private var process: ServiceProcess? {
    switch phase {
    case .running(let process), .draining(let process), .stopping(let process): process
    case .stopped, .waiting, .finished: nil
    }
  }

  /// What runs; `nil` when nothing has a process. A service that has done its work counts.
  var occupant: RenderedService? {
    if case .finished(let service, isGood: true) = phase { service } else { process?.service }
  }

  /// Whether a process still runs that does not belong to what is wanted.
  var isDeparting: Bool { process.map { $0.service.release != wanted?.release } ?? false }

  var isWanted: Bool { wanted != nil }

  var isIdle: Bool { if case .stopped = phase { true } else { false } }

  /// What the running program says of itself; `nil` until it has.
  var version: String? { process?.version }

  var isReady: Bool {
    switch phase {
    case .finished(_, let isGood): isGood
    case .running(let process): process.isReady && process.service == wanted
    case .stopped, .draining, .stopping, .waiting: false
    }
  }

  /// Why it does not run as it should; empty while there is hope or all is well.
  var failure: String {
    if !rejection.isEmpty { return rejection }
    if case .running(let process) = phase, !process.fault.isEmpty { return process.fault }
    return fault
  }

  var state: ServiceStatus.State {
    switch phase {
    case .draining, .stopping: .stopping
    case .finished(_, let isGood): isGood ? .stopped : .failed
    case .stopped where failure.isEmpty: .stopped
    case .running where isReady: .ready
    case .stopped, .running, .waiting: failure.isEmpty ? .starting : .failed
    }
  }
}

/// Starting and changing.
extension SupervisedService {
  private func start() {
    guard let wanted, mayStart() else { return }
    tried = wanted
    do throws(ServiceFailure) {
      try wanted.writeFiles()
      let process = try ServiceProcess(
        wanted, commands: commands, emit: emit,
        onChange: { [weak self] in self?.settled() },
        onEnd: { [weak self] in self?.ended($0, lastLine: $1) })
      starts += 1
      phase = .running(process)
    } catch {
      failures += 1
      fault = error.reason
      let wait = wanted.restart.wait(afterFailures: failures)
      emit(.failed(reason: fault, retryIn: wait))
      retry(after: wait)
    }
    onChange()
  }

  private func retry(after wait: TimeSpan) {
    phase = .waiting
    timer = loop.schedule(after: wait.nanoseconds) { [weak self] in
      guard let self else { return }
      timer = nil
      beforeRestart { [weak self] in
        // An answer that comes late may belong to an earlier wait.
        guard let self, case .waiting = phase, timer == nil else { return }
        phase = .stopped
        proceed()
      }
    }
  }

  /// Once it is ready, what went wrong before is over.
  private func settled() {
    if isReady { fault = "" }
    onChange()
  }

  private func adopt(_ process: ServiceProcess) {
    guard let wanted else { return beginStop(process) }
    switch wanted.change(from: process.service) {
    case .restart: beginStop(process)
    case .none: process.adopt(wanted)
    case .reload:
      process.adopt(wanted)
      do throws(ServiceFailure) {
        try wanted.writeFiles()
      } catch {
        fault = error.reason
        emit(.failed(reason: fault, retryIn: nil))
        return
      }
      process.reload { [weak self, weak process] in
        guard let self, let process, case .running = phase else { return }
        beginStop(process)
      }
      settled()
    }
  }
}

/// Stopping.
extension SupervisedService {
  private func beginStop(_ process: ServiceProcess) {
    process.quiet()
    phase = .draining(process)
    process.drain { [weak self, weak process] in
      guard let self, let process, case .draining = phase else { return }
      sendStop(process)
    }
    onChange()
  }

  private func sendStop(_ process: ServiceProcess) {
    let rule = process.service.stop
    phase = .stopping(process)
    emit(.stopping(signal: rule.signal))
    process.signal(rule.signal)
    timer = loop.schedule(after: rule.limit.nanoseconds) { [weak self, weak process] in
      guard let self, let process else { return }
      timer = nil
      emit(.killed(limit: rule.limit))
      process.kill()
    }
    onChange()
  }

  /// The process has ended, because it was told to or by itself.
  private func ended(_ status: ExitStatus, lastLine: String) {
    cancelTimer()
    if case .running(let process) = phase {
      endedByItself(process, status, lastLine)
    } else {
      phase = .stopped
      emit(.stopped)
      proceed()
    }
    onChange()
  }

  private func endedByItself(_ process: ServiceProcess, _ status: ExitStatus, _ lastLine: String) {
    let rule = process.service.restart
    let isFinal =
      switch rule.policy {
      case .always: false
      case .onFailure: status.isSuccess
      case .never: true
      }
    let reason = "ended with \(status)" + (lastLine.isEmpty ? "" : ": \(lastLine.prefix(160))")
    if isFinal {
      phase = .finished(process.service, isGood: status.isSuccess)
      fault = status.isSuccess ? "" : reason
      emit(.ended(status, restartIn: nil))
      return
    }
    if loop.now - process.startedAt >= rule.maximum.nanoseconds { failures = 0 }
    failures += 1
    if failures >= Self.crashLoop { fault = "\(reason) (\(failures) times in a row)" }
    let wait = rule.wait(afterFailures: failures)
    emit(.ended(status, restartIn: wait))
    retry(after: wait)
  }
}
