import Glibc

/// One run of a short command on the event loop, with a limit of time and of output.
package final class CommandRun {
  package enum Outcome: Hashable, Sendable {
    /// `output` is the beginning of what it wrote, standard error included.
    case ended(ExitStatus, output: String)
    case timedOut
    case notStarted(SystemError)

    package var isSuccess: Bool {
      if case .ended(.exited(0), _) = self { true } else { false }
    }

    /// Why it did not succeed, for people; empty when it did.
    package var failure: String {
      switch self {
      case .ended(.exited(0), _): ""
      case .ended(let status, let output):
        "ended with \(status)" + (Self.firstLine(output).map { ": \($0)" } ?? "")
      case .timedOut: "took too long"
      case .notStarted(let error): "did not start: \(error)"
      }
    }

    private static func firstLine(_ output: String) -> String? {
      output.split(whereSeparator: { $0.isNewline }).first.map { String($0.prefix(200)) }
    }
  }

  /// Output kept, in bytes; what exceeds it is read and dropped, so that the command goes on.
  package static let outputBytes = 16_384

  private let loop: EventLoop
  private var child: ChildProcess?
  private var output: [UInt8] = []
  private var timer: EventLoop.TimerToken?
  /// `nil` once called, or cancelled.
  private var completion: ((Outcome) -> Void)?
  private var onGone: (() -> Void)?

  /// Starts `command`. `completion` comes once, on the loop, never from within this call.
  ///
  /// - Parameters:
  ///   - limit: nanoseconds after which its whole group is killed.
  ///   - onGone: comes once, when nothing of it is left, cancelled or not; before `completion`,
  ///     unless that told of a time limit.
  package init(
    _ command: ProcessCommand, limit: Int64, loop: EventLoop, onGone: (() -> Void)? = nil,
    completion: @escaping (Outcome) -> Void
  ) {
    self.loop = loop
    self.onGone = onGone
    self.completion = completion
    do throws(SystemError) {
      let child = try ChildProcess(command)
      self.child = child
      // The handlers keep this object alive until the child is reaped.
      try loop.watch(child.exitDescriptor) { self.collect() }
      if let descriptor = child.outputDescriptor {
        try loop.watch(descriptor) { self.read() }
      }
      timer = loop.schedule(after: limit) { self.expire() }
    } catch {
      if let child { loop.unwatch(child.exitDescriptor) }
      child = nil
      loop.schedule(after: 0) {
        self.onGone.take()?()
        self.finish(.notStarted(error))
      }
    }
  }

  /// Whether `completion` has been called, or never will be.
  package var hasFinished: Bool { completion == nil }

  /// Ends the command; `completion` will not be called.
  package func cancel() {
    completion = nil
    if let timer { loop.cancel(timer) }
    timer = nil
    child?.signal(SIGKILL)
  }

  private func expire() {
    child?.signal(SIGKILL)
    finish(.timedOut)
  }

  private func read() {
    guard let child, let descriptor = child.outputDescriptor else { return }
    guard let bytes = child.readOutput() else { return loop.unwatch(descriptor) }
    output += bytes.prefix(Self.outputBytes - output.count)
  }

  private func collect() {
    guard let child, let status = child.reap() else { return }
    // What has left the group may write for ever; one pipe full is enough.
    for _ in 0..<8 {
      guard let bytes = child.readOutput(), !bytes.isEmpty else { break }
      output += bytes.prefix(Self.outputBytes - output.count)
    }
    loop.unwatch(child.exitDescriptor)
    if let descriptor = child.outputDescriptor { loop.unwatch(descriptor) }
    self.child = nil
    onGone.take()?()
    finish(.ended(status, output: String(decoding: output, as: UTF8.self)))
  }

  private func finish(_ outcome: Outcome) {
    if let timer { loop.cancel(timer) }
    timer = nil
    completion.take()?(outcome)
  }
}
