import MusterState
import MusterSystem

/// Looks now and then, on the node that leads, which version an index names, and has one that is
/// new taken. Whatever goes wrong is a line for people and is tried again at the next look.
final class IndexFollower {
  typealias Look = (IndexOrder, @escaping (Result<ReleaseSource, StoreFailure>) -> Void) -> Void

  /// What came of the last look; empty while there was none.
  private(set) var news = ""
  /// Has the leader take a version; told why it does not, or nothing.
  var take: ((ReleaseSource, @escaping (String) -> Void) -> Void)?
  private let loop: EventLoop
  private let look: Look
  private let changed: () -> Void
  private var order: IndexOrder?
  private var isLooking = false
  /// When the next look is due; a change of leader or index is reason for one at once.
  private var due: Int64 = 0
  private var place = ("", "")
  private var timer: EventLoop.TimerToken?

  init(loop: EventLoop, look: @escaping Look, changed: @escaping () -> Void) {
    self.loop = loop
    self.look = look
    self.changed = changed
  }

  /// - Parameters:
  ///   - order: where to look; `nil`: nowhere for now.
  ///   - isPaused: whether a plan or a repair is the only reason for `nil`.
  func follow(_ order: IndexOrder?, isPaused: Bool) {
    guard order != self.order || order == nil else { return }
    self.order = order
    if let timer { loop.cancel(timer) }
    timer = nil
    guard let order else {
      if !isPaused { say("") }
      return
    }
    if place != (order.url, order.signer) {
      place = (order.url, order.signer)
      due = loop.now
    }
    // Whoever asks for shorter intervals means it from now on.
    due = min(due, loop.now + order.seconds * 1_000_000_000)
    wait()
  }

  private func wait() {
    guard order != nil, !isLooking, timer == nil else { return }
    timer = loop.schedule(at: max(due, loop.now)) { [weak self] in self?.begin() }
  }

  private func begin() {
    timer = nil
    guard let order, !isLooking else { return }
    isLooking = true
    due = loop.now + order.seconds * 1_000_000_000
    look(order) { [weak self] in self?.finish($0) }
  }

  private func finish(_ result: Result<ReleaseSource, StoreFailure>) {
    isLooking = false
    defer { wait() }
    guard let order else { return }
    switch result {
    case .failure(let failure): say(failure.reason)
    case .success(let release) where order.known.contains(release.version):
      say("\(release.version) is the latest")
    case .success(let release):
      say("\(release.version) is new")
      take?(release) { [weak self] refusal in
        guard let self, self.order != nil, !refusal.isEmpty else { return }
        say("\(release.version) is not taken: \(refusal)")
      }
    }
  }

  private func say(_ text: String) {
    guard text != news else { return }
    news = text
    changed()
  }
}
