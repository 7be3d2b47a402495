import MusterProtocol
import MusterSystem

/// Asks one running service again and again whether it is ready.
///
/// Before the first success it asks at least five times a second, so that a start is not slower
/// than it has to be, and counts failures only once the start period is over.
final class Readiness {
  /// A service without a probe is ready when it has run for so long.
  static let settle = TimeSpan.milliseconds(500)
  /// The longest pause between probes before the first success.
  static let eager = TimeSpan.milliseconds(200)

  private(set) var isReady = false
  /// Why it is not ready, once that is certain; empty before.
  private(set) var failure = ""

  private let service: RenderedService
  private let commands: ServiceCommands
  private let loop: EventLoop
  private let startedAt: Int64
  private let onChange: () -> Void
  private var hasSucceeded = false
  private var failures = 0
  private var timer: EventLoop.TimerToken?
  private var cancelQuestion: (() -> Void)?

  /// - Parameter onChange: called after `isReady` or `failure` has changed, never from within
  ///   this call.
  init(
    _ service: RenderedService, commands: ServiceCommands, onChange: @escaping () -> Void
  ) {
    self.service = service
    self.commands = commands
    loop = commands.loop
    self.onChange = onChange
    startedAt = loop.now
    wait(service.probe == nil ? Self.settle : .milliseconds(20))
  }

  func stop() {
    if let timer { loop.cancel(timer) }
    timer = nil
    cancelQuestion.take()?()
  }

  private func wait(_ span: TimeSpan) {
    timer = loop.schedule(after: span.nanoseconds) { [weak self] in self?.ask() }
  }

  private func ask() {
    timer = nil
    guard let probe = service.probe else { return judge(nil) }
    let limit = probe.rule.timeout.nanoseconds
    switch probe.question {
    case .network(let request, let address):
      let question = ConnectionProbe(request, of: address, timeout: limit, loop: loop) {
        [weak self] in self?.answered($0)
      }
      cancelQuestion = { question.cancel() }
    case .exec(let command):
      do throws(ServiceFailure) {
        let run = commands.run(try service.resolved(command), limit: probe.rule.timeout) {
          [weak self] in self?.answered($0.isSuccess ? nil : "the probe \($0.failure)")
        }
        cancelQuestion = { run.cancel() }
      } catch {
        answered(error.reason)
      }
    }
  }

  private func answered(_ problem: String?) {
    cancelQuestion = nil
    guard let rule = service.probe?.rule else { return }
    wait(hasSucceeded || problem == nil ? rule.interval : min(rule.interval, Self.eager))
    judge(problem)
  }

  private func judge(_ problem: String?) {
    guard let problem else {
      hasSucceeded = true
      failures = 0
      return set(isReady: true, failure: "")
    }
    guard let rule = service.probe?.rule else { return }
    let isStarting = loop.now - startedAt < rule.startPeriod.nanoseconds
    if !hasSucceeded, isStarting { return }
    failures += 1
    if failures >= rule.retries { set(isReady: false, failure: problem) }
  }

  private func set(isReady: Bool, failure: String) {
    guard isReady != self.isReady || failure != self.failure else { return }
    self.isReady = isReady
    self.failure = failure
    onChange()
  }
}
