import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Synchronization
import Testing

/// Ends in the middle: of the program, of the agent, and by order.
@Suite struct ReleaseCrashTests {
  let scratch: Scratch
  let store: ReleaseStore
  let archive: String

  init() throws {
    scratch = try Scratch()
    store = ReleaseStore(shared: try scratch.makeShared())
    archive = try Archives.make("gz", in: scratch)
  }

  /// The download program that works below this test's directory.
  private func programs() -> [Int32] {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return processes.compactMap { Int32($0) }.filter { process in
      guard let words = try? read("/proc/\(process)/cmdline") else { return false }
      let line = String(decoding: words, as: UTF8.self)
      return line.contains("muster-fetch") && line.contains(store.shared)
    }
  }

  @Test func `a download program that is killed leaves nothing visible, and the next goes on`()
    throws
  {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let slow = try order(source: server.url("slow", archive), archive: archive)
    var killed = 0
    #expect {
      _ = try store.fetch(slow) { _ in
        for process in programs() where killed == 0 {
          kill(process, SIGKILL)
          killed += 1
        }
      }
    } throws: { "\($0)".contains("SIGKILL") && ($0 as? StoreError)?.mayPass == true }
    #expect(killed == 1)
    #expect(try store.list().releases.isEmpty)
    let stages = try store.list().stages
    #expect(stages.count == 1, "what came so far is kept for the next attempt")
    try store.verify(
      try store.fetch(try order(source: server.url("plain", archive), archive: archive)))
    #expect(server.requests.last?.contains("bytes=") == true, "\(server.requests)")
    #expect(try store.list().stages.isEmpty)
  }

  @Test func `cancelling ends the program and removes the stage`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let slow = try order(source: server.url("slow", archive), archive: archive)
    let cancellation = Cancellation()
    #expect(throws: StoreError.cancelled) {
      try store.fetch(slow, progress: { _ in cancellation.cancel() }, cancellation: cancellation)
    }
    #expect(programs().isEmpty)
    #expect(tree(store.shared) == ["releases"])
  }

  /// Makes the stage that a node leaves when it is cut off from power in the middle of sealing.
  private func leaveStage(_ node: NodeID, term: UInt64, nonce: String) throws -> String {
    let name = ".stage.11223344.\(term).\(node.short).\(nonce)"
    let path = "\(store.shared)/releases/\(name)"
    try FileManager.default.createDirectory(
      atPath: path + "/bin", withIntermediateDirectories: true)
    try write("half", to: path + "/bin/app")
    try write("muster-manifest 1\n", to: path + "/manifest")
    setMode(path + "/bin", 0o555)
    setMode(path, 0o555)
    return name
  }

  @Test func `what a crash left is not visible, and the next fetch of its node removes it`() throws
  {
    let own = try leaveStage(firstNode, term: 2, nonce: "0123456789abcdef")
    let other = try leaveStage(secondNode, term: 2, nonce: "0123456789abcdef")
    #expect(try store.list().releases.isEmpty)
    #expect(try store.list().stages == [own, other])
    let reference = try store.fetch(try order(source: "file://\(archive)", archive: archive))
    #expect(try store.list().releases == [reference])
    #expect(try store.list().stages == [other])
  }

  @Test func `a leader removes old stages of lower terms and of its own cluster only`() throws {
    let old = try leaveStage(secondNode, term: 2, nonce: "0123456789abcdef")
    let current = try leaveStage(secondNode, term: 3, nonce: "0123456789abcdef")
    let foreign = old.replacing("11223344", with: "99999999")
    let path = store.shared + "/releases/"
    try FileManager.default.createDirectory(
      atPath: path + foreign, withIntermediateDirectories: true)
    #expect(try store.removeStages(cluster: cluster, belowTerm: 3, olderThan: 3_600) == [])
    #expect(try store.removeStages(cluster: cluster, belowTerm: 3, olderThan: 0) == [old])
    #expect(try store.list().stages == [current, foreign].sorted())
  }

  @Test func `no moment of a fetch shows anything but a whole release`() throws {
    let releases = store.shared + "/releases"
    let isDone = Mutex(false)
    let partial = Mutex<[String]>([])
    let store = store
    let watcher = Thread {
      while !isDone.withLock({ $0 }) {
        for reference in (try? store.list().releases) ?? [] {
          if (try? store.verify(reference)) == nil {
            partial.withLock { $0.append(reference.directoryName) }
          }
        }
        let damaged = (try? store.list().damaged) ?? []
        partial.withLock { $0 += damaged }
        _ = releases
      }
      isDone.withLock { $0 = false }
    }
    watcher.start()
    for version in 1...5 {
      _ = try store.fetch(
        try order("\(version)", source: "file://\(archive)", archive: archive))
    }
    isDone.withLock { $0 = true }
    #expect(eventually(seconds: 60) { !isDone.withLock { $0 } })
    #expect(partial.withLock { $0 } == [])
    #expect(try store.list().releases.count == 5)
  }
}
