import MusterProtocol
import MusterSystem

/// Runs the short commands of services (probes, drains, versions, reloads) and knows how many of
/// them still have a process, so that the agent never ends before the last is collected.
final class ServiceCommands {
  let loop: EventLoop
  private let onGone: () -> Void
  private(set) var alive = 0

  /// - Parameter onGone: called whenever one of them has gone.
  init(loop: EventLoop, onGone: @escaping () -> Void) {
    self.loop = loop
    self.onGone = onGone
  }

  func run(
    _ command: ProcessCommand, limit: TimeSpan,
    completion: @escaping (CommandRun.Outcome) -> Void
  ) -> CommandRun {
    alive += 1
    return CommandRun(
      command, limit: limit.nanoseconds, loop: loop,
      onGone: { [weak self] in
        self?.alive -= 1
        self?.onGone()
      }, completion: completion)
  }
}
