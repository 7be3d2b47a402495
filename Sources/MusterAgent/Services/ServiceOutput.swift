import MusterSystem

/// Reads the output of one process, line by line, with a limit on lines and on their length.
final class ServiceOutput {
  /// More lines than this within a second are read and dropped.
  static let linesPerSecond = 500

  private let child: ChildProcess
  private let loop: EventLoop
  private let emit: (ServiceEvent) -> Void
  private var lines = OutputLines()
  private var second: Int64 = 0
  private var count = 0
  private var isWatching = false
  /// For the message when the process ends.
  private(set) var lastLine = ""

  init(
    of child: ChildProcess, loop: EventLoop, emit: @escaping (ServiceEvent) -> Void
  ) throws(SystemError) {
    self.child = child
    self.loop = loop
    self.emit = emit
    guard let descriptor = child.outputDescriptor else { return }
    try loop.watch(descriptor) { [weak self] in self?.read() }
    isWatching = true
  }

  /// What is left in the pipe, after the process has ended; then no more.
  func finish() {
    // The pipe holds at most 64 KiB; what others still write into it does not matter.
    for _ in 0..<8 where isWatching { read() }
    unwatch()
    if let line = lines.finish() { take(line) }
    report()
  }

  private func read() {
    guard let bytes = child.readOutput() else { return unwatch() }
    for line in lines.add(bytes) { take(line) }
  }

  private func take(_ line: String) {
    let now = loop.now / 1_000_000_000
    if now != second {
      report()
      second = now
      count = 0
    }
    count += 1
    if !line.isEmpty { lastLine = line }
    if count <= Self.linesPerSecond { emit(.output(line)) }
  }

  private func report() {
    let dropped = count - Self.linesPerSecond
    if dropped > 0 { emit(.outputDropped(lines: dropped)) }
    count = 0
  }

  private func unwatch() {
    guard isWatching, let descriptor = child.outputDescriptor else { return }
    loop.unwatch(descriptor)
    isWatching = false
  }

  deinit { unwatch() }
}
