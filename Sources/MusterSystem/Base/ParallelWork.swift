import Glibc

/// Many independent jobs on several threads, for commands that compute: results come back on the
/// calling thread, in the order in which jobs end.
package final class ParallelWork<Result: Sendable> {
  /// How many processors this process may use.
  package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  private let loop: EventLoop
  private let workers: [WorkerThread]
  private let signals: SteeringSignals
  private let count: UInt64
  private let job: @Sendable (UInt64) -> Result
  private let receive: (UInt64, Result) -> Void
  private var handedOut: UInt64 = 0
  private var received: UInt64 = 0
  private var isInterrupted = false

  /// Runs jobs 0 up to `count`. SIGINT and SIGTERM end it with what there is; jobs under way are
  /// left to end by themselves.
  ///
  /// - Returns: `false` when it was interrupted.
  /// - Throws: when the kernel has no descriptor or thread left.
  package static func run(
    _ count: UInt64, threads: Int, job: @escaping @Sendable (UInt64) -> Result,
    receive: @escaping (UInt64, Result) -> Void
  ) throws(SystemError) -> Bool {
    if count == 0 { return true }
    let work = try ParallelWork(count, threads, job, receive)
    return try work.runThrough()
  }

  private init(
    _ count: UInt64, _ threads: Int, _ job: @escaping @Sendable (UInt64) -> Result,
    _ receive: @escaping (UInt64, Result) -> Void
  ) throws(SystemError) {
    signals = try SteeringSignals.take()
    loop = try EventLoop()
    var workers: [WorkerThread] = []
    for _ in 0..<max(1, threads) { workers.append(try WorkerThread(loop: loop)) }
    self.workers = workers
    self.count = count
    self.job = job
    self.receive = receive
  }

  private func runThrough() throws(SystemError) -> Bool {
    try loop.watch(signals.number) { [unowned self] in self.takeSignals() }
    // One job runs and one waits, so that no thread is idle while a result is taken.
    for _ in 0..<2 {
      for index in workers.indices { handOut(to: index) }
    }
    try loop.run()
    loop.unwatch(signals.number)
    return !isInterrupted
  }

  private func handOut(to index: Int) {
    guard handedOut < count else { return }
    let number = handedOut
    handedOut += 1
    workers[index].run { [job] in
      job(number)
    } completion: { [unowned self] result in
      guard !isInterrupted else { return }
      received += 1
      receive(number, result)
      handOut(to: index)
      if received == count { loop.stop() }
    }
  }

  private func takeSignals() {
    while let signal = (try? signals.next()) ?? nil {
      guard signal == .end else { continue }
      isInterrupted = true
      loop.stop()
    }
  }
}
