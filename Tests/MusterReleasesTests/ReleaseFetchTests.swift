import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Synchronization
import Testing

/// From an order to a published directory, with the real program and real servers.
@Suite struct ReleaseFetchTests {
  let scratch: Scratch
  let store: ReleaseStore
  let archive: String

  init() throws {
    scratch = try Scratch()
    store = ReleaseStore(shared: try scratch.makeShared())
    archive = try Archives.make("gz", in: scratch)
  }

  func failure(_ order: FetchOrder, node: NodeID = firstNode) -> StoreError? {
    do throws(StoreError) {
      _ = try store.fetch(order, node: node)
      return nil
    } catch {
      return error
    }
  }

  @Test func `a release is published whole, read-only, and nothing else is on the share`() throws {
    let reports = Mutex<[FetchProgress]>([])
    let reference = try store.fetch(try order(source: "file://\(archive)", archive: archive)) {
      report in reports.withLock { $0.append(report) }
    }
    let size = UInt64(try read(archive).count)
    let last = try #require(reports.withLock { $0.last })
    #expect(last.received == size && last.total == size)
    #expect(reference.version == "1.0" && reference.repair == 0)
    let root = "releases/\(reference.directoryName)"
    #expect(
      tree(store.shared)
        == [
          "releases", root, "\(root)/a", "\(root)/a-b", "\(root)/a/b", "\(root)/bin",
          "\(root)/bin/app", "\(root)/bin/latest", "\(root)/bin/second", "\(root)/empty",
          "\(root)/lib", "\(root)/lib/deep", "\(root)/lib/deep/data", "\(root)/lib/up",
          "\(root)/manifest", "\(root)/with space ä",
        ].sorted())
    #expect(store.path(of: reference) == "\(store.shared)/\(root)")
    for (file, expected) in [("bin/app", 0o555), ("lib/deep/data", 0o444), ("bin", 0o555)] {
      #expect(try mode("\(store.path(of: reference))/\(file)") == expected)
    }
    #expect(try mode(store.path(of: reference)) == 0o555)
    #expect(try mode(store.path(of: reference) + "/manifest") == 0o444)
    try store.verify(reference)
    #expect(try run(store.path(of: reference) + "/bin/app", []).output == "1.0")
    #expect(try store.list() == listing([reference]))
  }

  private func listing(_ references: [ReleaseReference]) -> StoreListing {
    var listing = StoreListing()
    listing.releases = references
    return listing
  }

  @Test func `the manifest is signed over its digest, cluster, term, node and source`() throws {
    let order = try order(source: "file://\(archive)", archive: archive, term: 8)
    let reference = try store.fetch(order)
    let manifest = try Manifest(parsing: try read(store.path(of: reference) + "/manifest"))
    #expect(manifest.digest == reference.manifest)
    #expect(manifest.archive == order.release.archive)
    #expect(manifest.publication.term == 8 && manifest.publication.node == firstNode)
    let message = Manifest.signedMessage(
      digest: manifest.digest, cluster: cluster, term: 8, node: firstNode,
      source: order.release.source)
    #expect(manifest.publication.signature == testSignature(message))
  }

  @Test func `a password in the source is not written to the share`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let source = server.url("plain", archive).replacing("://", with: "://me:secret@")
    let reference = try store.fetch(try order(source: source, archive: archive))
    let text = String(decoding: try read(store.path(of: reference) + "/manifest"), as: UTF8.self)
    #expect(text.contains("source \(server.url("plain", archive))\n"))
    #expect(!text.contains("secret"))
  }

  @Test func `what is published is never downloaded again, by nobody, in no term`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let source = server.url("plain", archive)
    let first = try store.fetch(try order(source: source, archive: archive))
    let again = try store.fetch(
      try order(source: source, archive: archive, term: 9), node: secondNode)
    #expect(first == again)
    #expect(server.requests.count == 1)
    // Another source of the same archive is the same release.
    let moved = try order(source: "file:///nowhere", archive: archive)
    #expect(try store.fetch(moved) == first)
  }

  @Test func `two leaders with the same archive make the same directory`() throws {
    let other = ReleaseStore(shared: try scratch.makeShared("other"))
    let first = try store.fetch(try order(source: "file://\(archive)", archive: archive))
    let second = try other.fetch(
      try order(source: "file://\(archive)", archive: archive, term: 4), node: secondNode)
    #expect(first == second)
  }

  @Test func `two fetches at once publish one release, whole`() throws {
    let order = try order(source: "file://\(archive)", archive: archive)
    let store = store
    let results = Mutex<[ReleaseReference?]>([])
    let threads = [firstNode, secondNode].map { node in
      Thread {
        let result = try? store.fetch(order, node: node)
        results.withLock { $0.append(result) }
      }
    }
    for thread in threads { thread.start() }
    #expect(eventually(seconds: 60) { results.withLock { $0.count } == 2 })
    let references = results.withLock { $0 }
    #expect(references[0] != nil && references[0] == references[1])
    #expect(try store.list() == listing(references.prefix(1).compactMap { $0 }))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.shared + "/releases").count == 1)
  }

  @Test func `somebody who was faster wins, and both have the release`() throws {
    // The other leader publishes while this one downloads: the rename finds the name taken.
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let source = server.url("slow", archive)
    let fast = try order(source: "file://\(archive)", archive: archive)
    let other = Mutex<ReleaseReference?>(nil)
    let slow = try store.fetch(try order(source: source, archive: archive)) { _ in
      other.withLock { found in
        if found == nil { found = try? store.fetch(fast, node: secondNode) }
      }
    }
    #expect(other.withLock { $0 } == slow)
    #expect(try store.list() == listing([slow]))
  }

  @Test func `a copy that somebody published corrupt is not taken for the release`() throws {
    let order = try order(source: "file://\(archive)", archive: archive)
    let reference = try store.fetch(order)
    let file = store.path(of: reference) + "/lib/deep/data"
    setMode(file, 0o644)
    try write("rotten", to: file)
    setMode(file, 0o444)
    guard case .corrupt(_, let path, _) = failure(order, node: secondNode) else {
      Issue.record("a corrupt copy was accepted")
      return
    }
    #expect(path == file)
    // The next repair is a directory of its own.
    var repair = order
    repair.repair = 1
    let repaired = try store.fetch(repair)
    #expect(repaired.directoryName == String(reference.directoryName.dropLast()) + "1")
    try store.verify(repaired)
  }

  @Test func `what cannot be had leaves nothing behind`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let cases: [(String, StoreError.FetchProblem)] = [
      (server.url("wrong", archive), .checksum), (server.url("gone", archive), .refused),
      (server.url("to-file", archive), .refused), ("file:///nowhere", .refused),
    ]
    for (source, problem) in cases {
      let error = failure(try order(source: source, archive: archive))
      guard case .fetch(problem, let message) = error else {
        Issue.record("\(source): \(String(describing: error))")
        continue
      }
      #expect(!message.isEmpty && error?.mayPass == false)
      #expect(tree(store.shared) == ["releases"])
    }
  }

  @Test(arguments: ["parent", "through-link", "fifo", "manifest", "no-archive"])
  func `an archive that must not be unpacked publishes nothing`(kind: String) throws {
    let hostile = try Archives.make(kind, in: scratch)
    let error = failure(try order(source: "file://\(hostile)", archive: hostile))
    guard case .fetch = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(tree(store.shared) == ["releases"])
  }

  @Test(arguments: ["", "..", "a/b", ".hidden", "x y", String(repeating: "1", count: 65)])
  func `what is no version never becomes a directory`(version: String) throws {
    let order = try order(version, source: "file://\(archive)", archive: archive)
    guard case .refused = failure(order) else {
      Issue.record("\(version) was accepted")
      return
    }
    #expect(tree(store.shared).isEmpty)
  }

  @Test func `cut bodies and busy servers are no failure`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    for (version, manner) in [("1", "cut"), ("2", "busy"), ("3", "changed")] {
      let order = try order(version, source: server.url(manner, archive), archive: archive)
      try store.verify(try store.fetch(order))
    }
  }

  @Test func `whoever waits is told why it takes longer`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    var notices: [String] = []
    _ = try store.fetch(
      order: try order(source: server.url("busy", archive), archive: archive), cluster: cluster,
      node: firstNode, fetchProgram: fetchProgram, sign: testSignature,
      notice: { notices.append($0) })
    #expect(notices.count == 2 && notices.allSatisfy { $0.contains("answers 503") })
  }

  @Test func `a missing download program says where it belongs`() throws {
    #expect {
      try store.fetch(
        order: try order(source: "file://\(archive)", archive: archive), cluster: cluster,
        node: firstNode, fetchProgram: "/nowhere/muster-fetch", sign: testSignature)
    } throws: { error in
      "\(error)".contains("/nowhere/muster-fetch") && "\(error)".contains("directory that holds")
    }
    #expect(tree(store.shared) == ["releases"])
  }
}
