import MusterProtocol
import MusterSystem

/// Something that happened to a service, for the log and the history.
package enum ServiceEvent: Hashable, Sendable {
  case started(pid: Int32, program: String)
  case ready
  /// It was ready and is not any more, or it is not in time.
  case notReady(reason: String)
  case reloaded
  /// It could not be started, rendered or asked for its version.
  case failed(reason: String, retryIn: TimeSpan?)
  /// It ended by itself.
  case ended(ExitStatus, restartIn: TimeSpan?)
  case draining
  case drainFailed(reason: String)
  case stopping(signal: Int32)
  /// It was killed, because it did not end in time.
  case killed(limit: TimeSpan)
  case stopped
  /// One line of its output.
  case output(String)
  /// So many lines within a second were too many and are lost.
  case outputDropped(lines: Int)

  /// How it is written in the log.
  package var level: LogLevel {
    switch self {
    case .started, .ready, .reloaded, .draining, .stopping, .stopped, .output: .info
    case .notReady, .ended, .drainFailed, .killed, .outputDropped: .warning
    case .failed: .error
    }
  }

  /// What follows the service's name in the log.
  package var message: String {
    switch self {
    case .started(let pid, let program): "started \(program) as process \(pid)"
    case .ready: "is ready"
    case .notReady(let reason): "is not ready: \(reason)"
    case .reloaded: "was told to read its files again"
    case .failed(let reason, let wait): reason + Self.next(wait)
    case .ended(let status, let wait): "ended with \(status)" + Self.next(wait)
    case .draining: "drains before it is stopped"
    case .drainFailed(let reason): "the drain command \(reason); it is stopped all the same"
    case .stopping(let signal): "is stopped with \(SignalName.name(of: signal))"
    case .killed(let limit): "did not end within \(limit.configuration): its group is killed"
    case .stopped: "has stopped"
    case .output(let line): line
    case .outputDropped(let lines): "\(lines) lines of output in one second were dropped"
    }
  }

  private static func next(_ wait: TimeSpan?) -> String {
    wait.map { "; it is started again in \($0.configuration)" } ?? ""
  }
}
