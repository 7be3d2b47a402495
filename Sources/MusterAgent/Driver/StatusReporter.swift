import MusterState
import MusterSystem

/// Tells the peer what this node does: at once when something has changed, and at most every
/// 100 ms when it is only the progress of a download.
final class StatusReporter {
  static let progressInterval: Int64 = 100_000_000

  private let loop: EventLoop
  private let report: (LocalStatus) -> Void
  private var reported: LocalStatus?
  private var lastReport: Int64 = 0
  private var waiting: LocalStatus?
  private var timer: EventLoop.TimerToken?

  init(loop: EventLoop, report: @escaping (LocalStatus) -> Void) {
    self.loop = loop
    self.report = report
  }

  func offer(_ status: LocalStatus) {
    if let reported, Self.isOnlyProgress(from: reported, to: status) {
      waiting = status
      let due = lastReport + Self.progressInterval
      if loop.now < due {
        if timer == nil {
          timer = loop.schedule(at: due) { [weak self] in self?.fire() }
        }
        return
      }
    }
    pass(status)
  }

  private static func isOnlyProgress(from old: LocalStatus, to new: LocalStatus) -> Bool {
    guard old.progress != nil, new.progress != nil else { return false }
    var same = new
    same.progress = old.progress
    return same == old
  }

  private func fire() {
    timer = nil
    if let waiting { pass(waiting) }
  }

  private func pass(_ status: LocalStatus) {
    waiting = nil
    guard status != reported else { return }
    reported = status
    lastReport = loop.now
    report(status)
  }
}
