import MusterSystem

/// Looks at something at intervals, on the loop's thread, until it is told to end.
final class ProgressReader {
  private let loop: EventLoop
  private let interval: Int64
  private let look: () -> Void
  private var timer: EventLoop.TimerToken?

  init(loop: EventLoop, interval: Int64, look: @escaping () -> Void) {
    self.loop = loop
    self.interval = interval
    self.look = look
    wait()
  }

  func end() {
    if let timer { loop.cancel(timer) }
    timer = nil
  }

  private func wait() {
    timer = loop.schedule(after: interval) { [weak self] in
      guard let self else { return }
      look()
      wait()
    }
  }
}
