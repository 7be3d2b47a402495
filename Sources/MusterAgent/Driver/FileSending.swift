import MusterState
import MusterSystem

/// One file on its way to a peer: read piece by piece as the peer takes it, no faster than the
/// agent can afford, and cut off when the peer is so slow that others wait for its place.
final class FileSending {
  typealias Read = (
    _ offset: UInt64, _ count: Int, _ completion: @escaping ([UInt8]?) -> Void
  ) -> Void

  private static let pieceBytes = 128 << 10
  private static let patience: Int64 = 10_000_000_000

  private let file: ServedReleases.File
  private let loop: EventLoop
  private let read: Read
  private var stream: HttpStream?
  private var began: Int64 = 0
  private var asked: UInt64 = 0
  private var ready: [UInt8]?
  private var isReading = false
  private var hasFailed = false
  private var timers: [EventLoop.TimerToken] = []
  private(set) var sent: UInt64 = 0

  var isWhole: Bool { sent == file.size }

  init(_ file: ServedReleases.File, loop: EventLoop, read: @escaping Read) {
    self.file = file
    self.loop = loop
    self.read = read
  }

  /// Keeps itself until `ended` was called.
  func begin(_ responder: HttpResponder, ended: @escaping () -> Void) {
    began = loop.now
    let stream = responder.stream(contentType: "application/octet-stream") { self.next() }
    self.stream = stream
    let time = Self.patience + Self.time(file.size, at: Limits.servedLeast)
    timers.append(loop.schedule(after: time) { [weak self] in self?.breakOff() })
    stream.whenEnded {
      self.stream = nil
      for timer in self.timers { self.loop.cancel(timer) }
      self.timers = []
      ended()
    }
    readOn()
  }

  private func next() -> HttpStream.Next {
    if let bytes = ready {
      ready = nil
      sent += UInt64(bytes.count)
      readOn()
      return .bytes(bytes)
    }
    if sent == file.size { return .end }
    return .wait
  }

  private func readOn() {
    guard !isReading, !hasFailed, ready == nil, asked < file.size else { return }
    isReading = true
    let due = began + Self.time(asked, at: Limits.servedMost)
    guard loop.now < due else { return readNow() }
    timers.append(loop.schedule(at: due) { [weak self] in self?.readNow() })
    if timers.count > 2 { timers.remove(at: 1) }
  }

  private func readNow() {
    let count = Int(min(UInt64(Self.pieceBytes), file.size - asked))
    read(asked, count) { [weak self] bytes in
      guard let self, stream != nil else { return }
      isReading = false
      guard let bytes, bytes.count == count else { return breakOff() }
      asked += UInt64(count)
      ready = bytes
      stream?.wake()
    }
  }

  /// What was begun cannot be taken back: the peer sees that it is not whole.
  private func breakOff() {
    hasFailed = true
    stream?.cut()
  }

  private static func time(_ bytes: UInt64, at rate: Int64) -> Int64 {
    let seconds = Int64(clamping: bytes) / rate
    let rest = Int64(clamping: bytes) % rate
    return min(seconds, 1_000_000) * 1_000_000_000 + rest * 1_000_000_000 / rate
  }
}
