import CLinux
import Glibc

/// One thread, one epoll: everything in the daemon happens in a handler called from here.
///
/// Not sendable, and it must stay on the thread that runs it. Work that blocks goes to a
/// `WorkerThread`, whose results come back as handlers of this loop.
package final class EventLoop {
  package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let readable = Interest(rawValue: 1)
    package static let writable = Interest(rawValue: 4)
  }

  /// Names a timer until it has fired or is cancelled.
  package struct TimerToken: Hashable, Sendable {
    fileprivate let time: Int64
    fileprivate let serial: UInt64
  }

  private struct Timer {
    let token: TimerToken
    let handler: () -> Void
  }

  private let epoll: FileDescriptor
  private var handlers: [Int32: () -> Void] = [:]
  /// Sorted by time, then by order of creation; few timers live at once.
  private var timers: [Timer] = []
  private var serial: UInt64 = 0
  private var isRunning = false

  package init() throws(SystemError) {
    epoll = FileDescriptor(
      owning: try retrying("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
  }

  /// Nanoseconds of `MonotonicClock`.
  package var now: Int64 { MonotonicClock.nanoseconds }

  /// Calls `handler` at every turn in which `descriptor` is ready (level-triggered). The caller
  /// keeps owning the descriptor and must `unwatch` it before it closes it.
  package func watch(
    _ descriptor: Int32, for interest: Interest = .readable, handler: @escaping () -> Void
  ) throws(SystemError) {
    let isKnown = handlers[descriptor] != nil
    try retrying("epoll_ctl") {
      muster_epoll_set(
        epoll.number, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, interest.rawValue)
    }
    handlers[descriptor] = handler
  }

  package func unwatch(_ descriptor: Int32) {
    guard handlers.removeValue(forKey: descriptor) != nil else { return }
    _ = muster_epoll_set(epoll.number, EPOLL_CTL_DEL, descriptor, 0)
  }

  /// Calls `handler` once, at `time` (nanoseconds of `now`) or as soon after as the loop can.
  @discardableResult
  package func schedule(at time: Int64, handler: @escaping () -> Void) -> TimerToken {
    serial += 1
    let token = TimerToken(time: time, serial: serial)
    let index = timers.firstIndex { $0.token.time > time } ?? timers.count
    timers.insert(Timer(token: token, handler: handler), at: index)
    return token
  }

  @discardableResult
  package func schedule(after nanoseconds: Int64, handler: @escaping () -> Void) -> TimerToken {
    schedule(at: now + nanoseconds, handler: handler)
  }

  /// Forgets a timer; one that has fired already is no mistake.
  package func cancel(_ token: TimerToken) {
    timers.removeAll { $0.token == token }
  }

  /// Runs until `stop()` is called from a handler.
  package func run() throws(SystemError) {
    isRunning = true
    while isRunning { try turn(limit: nil) }
  }

  package func stop() { isRunning = false }

  /// Waits for at most `limit` nanoseconds, then carries out what is due: for tests.
  package func turn(limit: Int64?) throws(SystemError) {
    var ready = [Int32](repeating: 0, count: 64)
    let count = try retrying("epoll_wait") {
      unsafe muster_epoll_wait(epoll.number, &ready, waitMilliseconds(limit: limit))
    }
    for descriptor in ready.prefix(Int(count)) {
      // An earlier handler of this turn may have unwatched this one.
      handlers[descriptor]?()
    }
    let due = now
    while let first = timers.first, first.token.time <= due {
      timers.removeFirst()
      first.handler()
    }
  }

  /// Rounded up, so that a timer is not met by a turn that is a fraction too early.
  private func waitMilliseconds(limit: Int64?) -> Int32 {
    var wait = limit
    if let first = timers.first {
      wait = min(max(0, first.token.time - now), limit ?? .max)
    }
    guard let wait else { return -1 }
    return Int32(clamping: (wait + 999_999) / 1_000_000)
  }
}
