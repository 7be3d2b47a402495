import MusterState
import MusterSystem
import Synchronization

/// The newest progress of a download, from the thread that downloads to the one that tells.
final class LatestProgress: Sendable {
  private let value = Mutex<FetchProgress?>(nil)

  func put(_ progress: FetchProgress) { value.withLock { $0 = progress } }

  /// What has come since the last call.
  func take() -> FetchProgress? {
    value.withLock { latest in
      defer { latest = nil }
      return latest
    }
  }
}

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
