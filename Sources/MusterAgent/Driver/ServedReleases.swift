import MusterReleases
import MusterState
import MusterSystem

/// The releases that a node without a shared directory hands on to others, file by file. Reading
/// is done on a thread of its own, and there is a bound to how much of it.
package final class ServedReleases {
  /// What was counted since the start.
  package struct Counters: Hashable, Sendable {
    package var files: UInt64 = 0
    package var bytes: UInt64 = 0
    /// Requests that were told to come again.
    package var busy: UInt64 = 0
    /// Files that were not there any more, or whose taker was too slow.
    package var broken: UInt64 = 0
    package init() {}
  }

  /// A file of a published copy.
  struct File: Hashable {
    let reference: ReleaseReference
    let path: String
    let size: UInt64
  }

  package let port: UInt16
  package internal(set) var counters = Counters()
  /// What may be asked for: copies that this process has verified.
  package private(set) var offered: [ReleaseReference] = []
  /// Files that are being handed on, or looked for.
  private var active = 0

  private let store: ReleaseStore
  private let loop: EventLoop
  private let worker: WorkerThread
  /// The files of one release by their digests, and its manifest.
  private struct Contents {
    let reference: ReleaseReference
    let manifest: File
    let files: [Digest: File]
  }

  /// Of those releases that were asked for last.
  private var known: [Contents] = []
  private static let releasesKnown = 2

  package init(store: ReleaseStore, port: UInt16, loop: EventLoop) throws(SystemError) {
    self.store = store
    self.port = port
    self.loop = loop
    worker = try WorkerThread(loop: loop)
  }

  func offer(_ references: [ReleaseReference]) -> ReleaseOffer {
    offered = references
    known.removeAll { !references.contains($0.reference) }
    return ReleaseOffer(port: port, of: references)
  }

  /// Takes the place of one more file, if there is room; `begins` is who has none of the release
  /// so far. Whoever gets it calls `send` or `release`.
  func reserve(begins: Bool) -> Bool {
    guard active < (begins ? Limits.filesServedBusy : Limits.filesServed) else {
      counters.busy += 1
      return false
    }
    active += 1
    return true
  }

  func release() { active -= 1 }

  /// Finds a file by its digest; without a digest the manifest itself.
  func find(
    _ digest: Digest?, of reference: ReleaseReference, completion: @escaping (File?) -> Void
  ) {
    if let contents = known.first(where: { $0.reference == reference }) {
      return completion(digest.map { contents.files[$0] } ?? contents.manifest)
    }
    worker.run { [store] in
      (try? store.manifest(of: reference)).map { Self.contents($0, reference) }
    } completion: { [weak self] contents in
      guard let self, let contents, offered.contains(reference) else { return completion(nil) }
      known.removeAll { $0.reference == reference }
      known.append(contents)
      if known.count > Self.releasesKnown { known.removeFirst() }
      completion(digest.map { contents.files[$0] } ?? contents.manifest)
    }
  }

  private static func contents(
    _ manifest: Manifest, _ reference: ReleaseReference
  ) -> Contents {
    var files: [Digest: File] = [:]
    for entry in manifest.entries {
      guard case .file(_, let size, let digest) = entry.content else { continue }
      files[digest] = File(reference: reference, path: entry.path, size: size)
    }
    let own = File(
      reference: reference, path: Manifest.fileName, size: UInt64(manifest.text.count))
    return Contents(reference: reference, manifest: own, files: files)
  }

  /// Sends a file, whose place is taken; the taker finds out by itself whether it is what it wants.
  func send(_ file: File, to responder: HttpResponder) {
    let sending = FileSending(file, loop: loop) { [store, worker] offset, count, completion in
      worker.run {
        try? store.piece(of: file.reference, path: file.path, from: offset, count: count)
      } completion: {
        completion($0)
      }
    }
    counters.files += 1
    sending.begin(responder) { [weak self] in
      guard let self else { return }
      release()
      counters.bytes += sending.sent
      if !sending.isWhole { counters.broken += 1 }
    }
  }
}
