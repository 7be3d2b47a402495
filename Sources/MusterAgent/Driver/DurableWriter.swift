import MusterState
import MusterSystem

/// Has the peer's state on disk before anybody hears of it: one write at a time, on the worker.
///
/// What is asked for while a write is under way waits; the newest replaces an older one that has
/// not begun, and when it is on disk the tickets of both are answered, oldest first.
final class DurableWriter {
  private struct Pending {
    var content: [UInt8]
    var tickets: [UInt64]
  }

  private let file: RegisterFile
  private let counter: UInt64
  private let worker: WorkerThread
  private var serial: UInt64
  private var waiting: Pending?
  private var isWriting = false
  private let persisted: (UInt64) -> Void
  private let failed: (SystemError) -> Void

  /// - Parameters:
  ///   - serial: the number of the version on disk.
  ///   - counter: of this start.
  ///   - failed: called at most once; nothing is written after it.
  init(
    file: RegisterFile, serial: UInt64, counter: UInt64, worker: WorkerThread,
    persisted: @escaping (UInt64) -> Void, failed: @escaping (SystemError) -> Void
  ) {
    self.file = file
    self.serial = serial
    self.counter = counter
    self.worker = worker
    self.persisted = persisted
    self.failed = failed
  }

  func write(_ content: [UInt8], ticket: UInt64) {
    waiting = Pending(content: content, tickets: (waiting?.tickets ?? []) + [ticket])
    beginNext()
  }

  private func beginNext() {
    guard !isWriting, let next = waiting else { return }
    waiting = nil
    isWriting = true
    serial += 1
    let version = RegisterFile.Version(serial: serial, content: next.content)
    worker.run { [file, counter] () -> SystemError? in
      do throws(SystemError) {
        try file.write(version, counter: counter)
        return nil
      } catch {
        return error
      }
    } completion: { [weak self] error in
      self?.finish(next.tickets, error)
    }
  }

  private func finish(_ tickets: [UInt64], _ error: SystemError?) {
    if let error {
      // `isWriting` stays: nothing may follow what is not on disk.
      failed(error)
      return
    }
    isWriting = false
    for ticket in tickets { persisted(ticket) }
    beginNext()
  }
}
