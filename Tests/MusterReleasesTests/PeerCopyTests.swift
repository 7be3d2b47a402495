import MusterReleases
import MusterState
import Testing

/// A published release copied from peers, with the real program and peers that misbehave.
@Suite struct PeerCopyTests {
  let scratch: Scratch
  let published: ReleaseReference
  let order: FetchOrder
  let server: PeerServer

  init() throws {
    scratch = try Scratch()
    let theirs = ReleaseStore(shared: try scratch.makeShared("theirs"))
    let archive = try Archives.make("gz", in: scratch)
    order = try MusterReleasesTests.order(source: "file://\(archive)", archive: archive)
    published = try theirs.fetch(order)
    server = try PeerServer(theirs.path(of: published))
  }

  private func copy(_ manners: [String]) throws -> Run {
    try run(
      fetchProgram,
      manners.flatMap { ["--peer", server.url($0)] } + [
        "--manifest", published.manifest.description, "--into", scratch("tree"),
      ])
  }

  private func isWhole(_ path: String) throws -> Bool {
    try read("\(path)/lib/deep/data")
      == read("\(scratch("theirs"))/releases/\(published.directoryName)/lib/deep/data")
  }

  @Test func `a copy of a peer is published as if it came from the source`() throws {
    let mine = ReleaseStore(shared: try scratch.makeShared("mine"))
    let port = try #require(UInt16(exactly: server.port))
    let peers = CopySource(published, at: [Address(v4: 0x7f00_0001, port: port)])
    let brought = try mine.fetch(
      order: order, cluster: cluster, node: secondNode, fetchProgram: fetchProgram, peers: peers,
      sign: testSignature)
    #expect(brought == published)
    try mine.verify(published)
    #expect(tree(mine.shared) == tree(scratch("theirs")))
  }

  @Test(arguments: [
    ("gone", "answers 404"), ("without", "answers 404"), ("other", "is not the manifest"),
    ("flipped", "with SHA-256"), ("cut", ""), ("short", "has 500 bytes"), ("long", "more than"),
    ("slow", ""), ("redirect", ""),
  ])
  func `what one peer gives wrong is taken from the next`(manner: String, reason: String) throws {
    let result = try copy([manner, "good"])
    #expect(result.code == 0, "\(result.output)")
    let complaint = result.lines.first { $0.hasPrefix("peer 0 ") }
    #expect(complaint?.contains(reason) == true, "\(result.output)")
    #expect(try isWhole(scratch("tree")))
    let alone = try copy([manner])
    #expect(alone.code == 1 && alone.last.hasPrefix("failed "), "\(alone.output)")
  }

  @Test func `a busy peer is asked again for a while`() throws {
    #expect(try copy(["busy-at-first"]).code == 0)
    #expect(try run("/bin/rm", ["-r", scratch("tree")]).code == 0)
    #expect(try copy(["busy", "good"]).lines.allSatisfy { !$0.hasPrefix("peer ") })
    let never = try copy(["busy"])
    #expect(never.last.hasPrefix("failed busy "), "\(never.output)")
  }

  @Test func `nobody else's release is taken for the one that is wanted`() throws {
    let other = String(repeating: "0", count: 64)
    let result = try run(
      fetchProgram,
      ["--peer", server.url("good"), "--manifest", other, "--into", scratch("tree")])
    #expect(result.last.hasPrefix("failed checksum "), "\(result.output)")
    #expect(!exists(scratch("tree")))
  }

  @Test(arguments: [
    (["--peer", "https://x/y"], "over http"), (["--peer", "file:///x"], "over http"),
    (["--peer", "http://x"], "needs --manifest"), (["--url", "http://x"], "beside --peer"),
  ])
  func `a wrong command line is refused`(words: [String], reason: String) throws {
    let result = try run(fetchProgram, words + (words[0] == "--url" ? ["--peer", "http://x"] : []))
    #expect(result.last.hasPrefix("failed usage ") && result.last.contains(reason))
  }
}
