import CLinux
import Glibc
import Synchronization

/// One thread for work that blocks: fsync, hashing, verification. Results come back to the event
/// loop in the order in which the jobs were given.
package final class WorkerThread {
  private let shared: Shared
  private let loop: EventLoop
  private var completions: [UInt64: (any Sendable) -> Void] = [:]
  private var serial: UInt64 = 0

  /// - Throws: when the kernel has no descriptor or thread left.
  package init(loop: EventLoop) throws(SystemError) {
    self.loop = loop
    let wake = FileDescriptor(
      owning: try retrying("eventfd") {
        eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
      })
    shared = Shared(wake: wake)
    let number = shared.wake.number
    try loop.watch(number) { [unowned self] in self.collect() }
    try Self.start(shared)
  }

  /// Runs `job` on the worker and then `completion`, with its result, on the loop's thread.
  package func run<Result: Sendable>(
    _ job: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
  ) {
    serial += 1
    completions[serial] = { value in
      guard let value = value as? Result else { preconditionFailure("a job's type is its own") }
      completion(value)
    }
    shared.jobs.add(Job(serial: serial, work: job))
  }

  private func collect() {
    var count: UInt64 = 0
    _ = unsafe read(shared.wake.number, &count, 8)
    for (serial, value) in shared.takeResults() {
      completions.removeValue(forKey: serial)?(value)
    }
  }

  private static func start(_ shared: Shared) throws(SystemError) {
    var thread = pthread_t()
    let context = unsafe Unmanaged.passRetained(shared).toOpaque()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        if let context = unsafe context {
          unsafe Unmanaged<Shared>.fromOpaque(context).takeRetainedValue().work()
        }
        return nil
      }, context)
    if code != 0 {
      unsafe Unmanaged<Shared>.fromOpaque(context).release()
      throw SystemError(call: "pthread_create", code: code)
    }
    pthread_detach(thread)
  }

  deinit {
    loop.unwatch(shared.wake.number)
    shared.jobs.close()
  }
}

private struct Job: Sendable {
  let serial: UInt64
  let work: @Sendable () -> any Sendable
}

private final class Shared: Sendable {
  let wake: FileDescriptor
  let jobs = Queue()
  private let results = Mutex<[(UInt64, any Sendable)]>([])

  init(wake: consuming FileDescriptor) { self.wake = wake }

  func work() {
    while let job = jobs.next() {
      let value = job.work()
      results.withLock { $0.append((job.serial, value)) }
      var one: UInt64 = 1
      _ = unsafe write(wake.number, &one, 8)
    }
  }

  func takeResults() -> [(UInt64, any Sendable)] {
    results.withLock { pending in
      let taken = pending
      pending = []
      return taken
    }
  }
}

/// A queue of jobs whose reader waits in the kernel: an eventfd used as a counting semaphore.
private final class Queue: Sendable {
  private struct State {
    var jobs: [Job] = []
    var isClosed = false
  }

  private let state = Mutex(State())
  private let count: FileDescriptor

  init() {
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))
    count = FileDescriptor(owning: number)
  }

  func add(_ job: Job) {
    state.withLock { $0.jobs.append(job) }
    signal()
  }

  func close() {
    state.withLock { $0.isClosed = true }
    signal()
  }

  /// The next job, waiting for one; `nil` once closed and empty.
  func next() -> Job? {
    while true {
      var value: UInt64 = 0
      let size = unsafe read(count.number, &value, 8)
      if size != 8 { continue }
      return state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
    }
  }

  private func signal() {
    var one: UInt64 = 1
    _ = unsafe write(count.number, &one, 8)
  }
}
