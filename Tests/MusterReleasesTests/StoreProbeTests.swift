import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Testing

@Suite struct StoreProbeTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func published() throws -> (ReleaseStore, ReleaseReference) {
    let store = ReleaseStore(shared: try scratch.makeShared())
    let archive = try Archives.make("other", in: scratch)
    return (store, try store.fetch(try order(source: "file://\(archive)", archive: archive)))
  }

  @Test func `a good directory is ready, and the probe leaves nothing`() throws {
    let store = ReleaseStore(shared: try scratch.makeShared())
    #expect(store.probe() == .ready)
    #expect(tree(store.shared) == ["releases"])
    #expect(StorageState.ready.line(shared: store.shared) == "ready")
  }

  @Test func `without a write, a probe makes nothing at all`() throws {
    let store = ReleaseStore(shared: try scratch.makeShared())
    #expect(store.probe(writes: false) == .ready)
    #expect(tree(store.shared).isEmpty)
  }

  @Test func `no directory, and none configured, are told apart`() throws {
    #expect(ReleaseStore(shared: "").probe() == .notConfigured)
    #expect(ReleaseStore(shared: scratch("absent")).probe() == .waiting(.directory))
    try write("x", to: scratch("file"))
    #expect(ReleaseStore(shared: scratch("file")).probe() == .waiting(.directory))
  }

  @Test func `a directory without the current release is not the shared one`() throws {
    let (store, reference) = try published()
    #expect(store.probe(expecting: reference) == .ready)
    let elsewhere = ReleaseStore(shared: try scratch.makeShared("elsewhere"))
    let state = elsewhere.probe(expecting: reference)
    #expect(state == .notShared(release: reference.directoryName))
    #expect(!state.isReadable)
    #expect(state.line(shared: elsewhere.shared).hasPrefix("not-shared: mount on "))
  }

  @Test func `a manifest that reads back differently is damage`() throws {
    let (store, reference) = try published()
    let manifest = store.path(of: reference) + "/manifest"
    setMode(manifest, 0o644)
    try write("nonsense", to: manifest)
    #expect(store.probe(expecting: reference).name == "damaged")
  }

  @Test func `every state but ready says what to do`() {
    let states: [StorageState] = [
      .notConfigured, .readOnly, .full(freeBytes: 5 << 20), .waiting(.directory), .denied("why"),
      .lost("why"), .notShared(release: "1"), .damaged(release: "1", reason: "why"),
    ]
    for state in states { #expect(!state.nextStep(shared: "/srv").isEmpty) }
    #expect(Set(states.map(\.name)).count == states.count)
  }

  /// Mounts on a directory of this test; only root may.
  private func withMount(
    _ arguments: [String], on path: String, _ body: () throws -> Void
  ) throws {
    guard getuid() == 0, (try? run("/usr/bin/env", ["mount"] + arguments + [path]))?.code == 0
    else { return }
    defer { _ = try? run("/usr/bin/env", ["umount", "-l", path]) }
    try body()
  }

  @Test func `a small filesystem is full, and one mounted read-only is read-only`() throws {
    let shared = try scratch.makeShared()
    let store = ReleaseStore(shared: shared)
    try withMount(["-t", "tmpfs", "-o", "size=1m", "none"], on: shared) {
      guard case .full(let free) = store.probe() else {
        Issue.record("\(store.probe())")
        return
      }
      #expect(free <= 1 << 20)
      #expect(try store.volume().type == "tmpfs")
      #expect(try store.volume().mountPoint == shared)
      let archive = try Archives.make("other", in: scratch)
      #expect {
        try store.fetch(try order(source: "file://\(archive)", archive: archive))
      } throws: {
        "\($0)".contains("full")
      }
      #expect(tree(shared) == ["releases"])
    }
    try withMount(["-t", "tmpfs", "-o", "ro,size=100m", "none"], on: shared) {
      #expect(store.probe() == .readOnly)
      #expect(store.probe().isReadable)
    }
  }

  @Test func `a worker verifies through a read-only mount`() throws {
    let (store, reference) = try published()
    let view = try scratch.makeShared("view")
    try withMount(["--bind", "-o", "ro", store.shared], on: view) {
      let worker = ReleaseStore(shared: view)
      try worker.verify(reference)
      #expect(worker.probe(expecting: reference) == .readOnly)
      let archive = try Archives.make("gz", in: scratch)
      #expect {
        try worker.fetch(try order("9", source: "file://\(archive)", archive: archive))
      } throws: { "\($0)".contains("read-only") }
    }
  }

  private let release = ReleaseReference(version: "1", manifest: Digest(.zero), repair: 0)

  private func survey(
    _ state: StorageState, at mountPoint: String = "/srv/shared"
  ) throws -> StorageSurvey {
    var volume = try StoreVolume(at: "/")
    volume.mountPoint = mountPoint
    return StorageSurvey(state: state, volume: volume, hasReadBack: false)
  }

  @Test func `a directory that was never there is waited for, and one that was is lost`() throws {
    var watch = StorageWatch()
    let absent = StorageSurvey(state: .waiting(.directory), volume: nil, hasReadBack: false)
    #expect(watch.judge(absent, at: 0) == .waiting(.directory))
    #expect(watch.judge(try survey(.ready), at: 1) == .ready)
    #expect(watch.judge(absent, at: 2) == .lost("the directory is gone"))
    #expect(watch.judge(try survey(.ready), at: 3) == .ready)
  }

  @Test func `a release may be invisible for ten seconds, and then the directory is not shared`()
    throws
  {
    var watch = StorageWatch()
    let survey = try survey(.notShared(release: "1"))
    watch.expect(release, at: 5_000_000_000)
    #expect(watch.judge(survey, at: 14_999_999_999) == .waiting(.release("1")))
    watch.expect(release, at: 14_999_999_999)
    #expect(watch.judge(survey, at: 15_000_000_000) == .notShared(release: "1"))
  }

  @Test func `what lies beneath a lost mount is neither taken for it nor written to`() throws {
    var watch = StorageWatch()
    _ = watch.judge(try survey(.ready), at: 0)
    let bare = watch.judge(try survey(.notShared(release: "1"), at: "/"), at: 99_000_000_000)
    #expect(bare.name == "lost")
    // A mount that came on top of the directory is no loss.
    let above = try survey(.notShared(release: "1"), at: "/srv/shared/deeper")
    #expect(watch.judge(above, at: 99_000_000_000).name == "not-shared")

    let shared = try scratch.makeShared()
    let store = ReleaseStore(shared: shared)
    let home = StoreVolume.Identity(type: "nfs4", mountPoint: shared + "/mounted", identifier: 7)
    #expect(store.survey(home: home).state.name == "lost")
    let archive = try Archives.make("other", in: scratch)
    #expect {
      try store.fetch(
        order: try order(source: "file://\(archive)", archive: archive), cluster: cluster,
        node: firstNode, fetchProgram: fetchProgram, home: home, sign: testSignature)
    } throws: { "\($0)".contains("lost") }
    #expect(tree(shared).isEmpty)
  }

  @Test func `the volume is described`() throws {
    let volume = try ReleaseStore(shared: try scratch.makeShared()).volume()
    #expect(!volume.type.isEmpty)
    #expect(scratch.path.hasPrefix(volume.mountPoint))
    #expect(volume.freeBytes > 0 && volume.totalBytes >= volume.freeBytes)
  }
}
