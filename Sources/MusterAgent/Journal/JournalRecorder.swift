import MusterProtocol
import MusterState
import MusterSystem

/// Records what a peer is given, so that `muster replay` can run it again. The agent never waits
/// for it: a thread of its own writes what has gathered, and when the file is full, the disk fails
/// or falls behind, recording ends and the agent goes on.
package final class JournalRecorder {
  /// What waits for the disk, at most.
  private static let backlog = 8 << 20

  package let cryptography: RecordingCryptography
  /// Called once, when recording ends before the agent does.
  package var onEnd: (String) -> Void = { _ in }
  private let file: AppendedFile
  private let limit: Int
  private let worker: WorkerThread
  private var gathered: [UInt8] = JournalFrame.mark
  private var written = 0
  private var isWriting = false
  private var hasEnded = false

  /// - Parameter limit: the largest size of the file, in bytes.
  package init(
    path: String, limit: Int, cryptography: any Cryptography, loop: EventLoop
  ) throws(SystemError) {
    file = try AppendedFile(path: path, mode: 0o600)
    worker = try WorkerThread(loop: loop)
    self.limit = limit
    self.cryptography = RecordingCryptography(cryptography)
  }

  /// To be called when the peer was made.
  package func begin(_ configuration: PeerConfiguration, durable: [UInt8]?, at start: Instant) {
    add(
      JournalFrame.header(
        JournalHeader(
          configuration: configuration, publicKey: cryptography.publicKey, durable: durable,
          startedAt: start, wallClock: MonotonicClock.wallNanoseconds,
          answers: cryptography.takeNotes().answers)))
  }

  /// The peer's `handle`, recorded.
  package func handle(
    _ input: Input, at now: Instant, by handle: (Input, Instant) -> [Effect]
  ) -> [Effect] {
    if hasEnded {
      let effects = handle(input, now)
      _ = cryptography.takeNotes()
      return effects
    }
    // What a look from outside has asked belongs to no turn.
    _ = cryptography.takeNotes()
    let effects = handle(input, now)
    let notes = cryptography.takeNotes()
    add(
      JournalFrame.turn(
        JournalTurn(
          now: now, input: input, answers: notes.answers,
          digest: JournalDigest.turn(effects, sealed: notes.sealed))))
    return effects
  }

  /// The agent ends: the last records are written before this returns.
  package func close() {
    guard !hasEnded else { return }
    hasEnded = true
    // A write under way keeps its place: without its end nothing may follow it.
    if !isWriting { _ = try? file.append(gathered + JournalFrame.ending("the agent ended")) }
  }

  private func add(_ record: [UInt8]) {
    let ending = JournalFrame.ending("it reached its limit of \(limit) bytes")
    if written + gathered.count + record.count + ending.count > limit {
      gathered += ending
      return end("\(file.path) has reached its limit of \(limit) bytes")
    }
    if gathered.count + record.count > Self.backlog {
      return end("the disk of \(file.path) has fallen \(Self.backlog >> 20) MiB behind")
    }
    gathered += record
    write()
  }

  private func end(_ reason: String) {
    guard !hasEnded else { return }
    hasEnded = true
    write()
    onEnd(reason)
  }

  private func write() {
    guard !isWriting, !gathered.isEmpty else { return }
    isWriting = true
    let bytes = gathered
    gathered = []
    written += bytes.count
    worker.run { [file] () -> SystemError? in
      do throws(SystemError) {
        try file.append(bytes)
        return nil
      } catch {
        return error
      }
    } completion: { [weak self] error in
      guard let self else { return }
      isWriting = false
      if let error {
        gathered = []
        return end("cannot write \(file.path): \(error)")
      }
      write()
    }
  }
}
