import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Testing

@Suite struct ReleaseCollectionTests {
  let scratch: Scratch
  let store: ReleaseStore
  let releases: [ReleaseReference]

  init() throws {
    scratch = try Scratch()
    let store = ReleaseStore(shared: try scratch.makeShared())
    self.store = store
    let archive = try Archives.make("other", in: scratch)
    releases = try (1...3).map { version in
      try store.fetch(
        try order(
          "\(version)", source: "file://\(archive)", archive: archive, term: UInt64(version)))
    }
  }

  @Test func `what is kept stays whole, the rest is gone without a trace`() throws {
    let removed = try store.collect(keep: [releases[1]], term: 9, olderThan: 0)
    #expect(removed.sorted() == [releases[0], releases[2]].map(\.directoryName).sorted())
    try store.verify(releases[1])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: store.shared + "/releases")
        == [releases[1].directoryName])
  }

  @Test func `a deposed leader takes nothing away from its successor`() throws {
    #expect(try store.collect(keep: [], term: 9, olderThan: 3_600) == [])
    #expect(try store.collect(keep: [], term: 2, olderThan: 0).count == 2)
    #expect(try store.list().releases == [releases[2]])
  }

  @Test func `copies of known versions stay, whatever their age`() throws {
    let removed = try store.collect(keep: [], term: 9, except: ["1", "3"], olderThan: 0)
    #expect(removed == [releases[1].directoryName])
  }

  @Test func `names that are not ours are never touched`() throws {
    let names = ["notes.txt", "1-zz-0", ".hidden", "current"]
    for name in names { try write("mine", to: "\(store.shared)/releases/\(name)") }
    _ = try store.collect(keep: [], term: 9, olderThan: 0)
    _ = try store.removeStages(cluster: cluster, belowTerm: 99, olderThan: 0)
    #expect(try store.list().foreign == names.sorted())
  }

  @Test func `a damaged copy is listed as such and collected`() throws {
    let manifest = store.path(of: releases[0]) + "/manifest"
    setMode(manifest, 0o644)
    try write("nonsense", to: manifest)
    #expect(try store.list().damaged == [releases[0].directoryName])
    let removed = try store.collect(keep: Array(releases[1...]), term: 9, olderThan: 0)
    #expect(removed == [releases[0].directoryName])
  }

  @Test func `half a removal is finished later`() throws {
    let directory = try StoreDirectory.open(store.shared + "/releases")
    try directory.rename(releases[0].directoryName, to: ".trash.0123456789abcdef")
    let removed = try store.removeStages(cluster: cluster, belowTerm: 0, olderThan: 0)
    #expect(removed == [".trash.0123456789abcdef"])
  }
}
