import CLinux
import Glibc

/// The signals that steer the daemon, as something the event loop can wait for.
///
/// From then on they interrupt nothing. Children must be started with an empty signal mask, or
/// they would never hear SIGTERM.
package struct SteeringSignals: ~Copyable {
  package enum Signal: Sendable {
    /// SIGTERM or SIGINT: end in good order.
    case end
    /// SIGHUP: read the configuration again.
    case reload
  }

  private let descriptor: FileDescriptor

  /// For `EventLoop.watch`.
  package var number: Int32 { descriptor.number }

  private init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

  /// Holds SIGTERM, SIGINT and SIGHUP for `next()`, and ignores SIGPIPE: a reader that has gone
  /// is an error of the write.
  ///
  /// To be called before any other thread is started, as threads inherit the mask.
  package static func take() throws(SystemError) -> SteeringSignals {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&signals, number) }
    let code = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    if code != 0 { throw SystemError(call: "pthread_sigmask", code: code) }
    signal(SIGPIPE, SIG_IGN)
    let number = try retrying("signalfd") {
      unsafe signalfd(-1, &signals, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
    }
    return SteeringSignals(FileDescriptor(owning: number))
  }

  /// The next signal that has come, or `nil` when none is waiting.
  package func next() throws(SystemError) -> Signal? {
    var information = signalfd_siginfo()
    do throws(SystemError) {
      try retrying("read signal") {
        unsafe read(descriptor.number, &information, MemoryLayout<signalfd_siginfo>.size)
      }
    } catch {
      if error.code == EAGAIN { return nil }
      throw error
    }
    return information.ssi_signo == UInt32(SIGHUP) ? .reload : .end
  }
}
