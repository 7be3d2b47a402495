import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Testing

/// Where an archive comes from: mirrors, who signed it, how much room it needs, how fast it comes.
@Suite struct SourceTests {
  let scratch: Scratch
  let archive: String

  init() throws {
    scratch = try Scratch()
    archive = try Archives.make("gz", in: scratch)
  }

  private func fetch(_ urls: [String], _ options: [String] = []) throws -> Run {
    try run(
      fetchProgram,
      urls.flatMap { ["--url", $0] } + [
        "--sha256", try sha256(archive), "--archive", scratch("partial"), "--into",
        scratch("tree"),
      ] + options)
  }

  @Test(arguments: ["gone", "wrong", "loop"])
  func `a mirror is taken when the first source cannot or must not be`(manner: String) throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch([server.url(manner, archive), server.url("plain", archive)])
    #expect(result.code == 0, "\(result.output)")
    #expect(result.output.contains("trying a mirror"))
    #expect(exists(scratch("tree/bin/app")))
  }

  @Test func `a mirror goes on where the first one stopped`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch(
      [server.url("stall", archive), server.url("plain", archive)], ["--stall", "1"])
    #expect(result.code == 0, "\(result.output)")
    #expect(server.requests.contains { $0.contains("bytes=") }, "\(server.requests)")
  }

  @Test func `without a good source nothing is unpacked`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch([server.url("gone", archive), server.url("wrong", archive)])
    #expect(result.last.hasPrefix("failed checksum "), "\(result.output)")
    #expect(!exists(scratch("tree/bin/app")) && !exists(scratch("partial")))
  }

  // MARK: Signatures

  private static let identifier = Array("8bytesID".utf8)

  private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

  private func publicKey(_ key: borrowing SigningKey) -> String {
    base64(Array("Ed".utf8) + Self.identifier + key.publicKey)
  }

  /// What `minisign -SH` writes.
  private func sign(
    with key: borrowing SigningKey, hash: [UInt8]? = nil, algorithm: String = "ED",
    comment: String = "timestamp:1", signedComment: String? = nil, file: String? = nil
  ) throws {
    let file = file ?? archive
    let sum = try run("/usr/bin/b2sum", [file]).output.prefix(128)
    let hash = try hash ?? #require(bytes(hexadecimal: String(sum)))
    let own = key.sign(hash)
    let whole = key.sign(own + Array((signedComment ?? comment).utf8))
    try write(
      """
      untrusted comment: signature
      \(base64(Array(algorithm.utf8) + Self.identifier + own))
      trusted comment: \(comment)
      \(base64(whole))

      """, to: file + ".minisig")
  }

  @Test func `an archive that is signed by the right key is unpacked`() throws {
    let key = SigningKey.generate()
    try sign(with: key)
    let good = try fetch(["file://\(archive)"], ["--minisign", publicKey(key)])
    #expect(good.code == 0, "\(good.output)")
    let other = SigningKey.generate()
    let bad = try fetch(["file://\(archive)"], ["--minisign", publicKey(other)])
    #expect(bad.last.hasPrefix("failed signature "), "\(bad.output)")
  }

  @Test func `a missing, altered or foreign signature is refused`() throws {
    let key = SigningKey.generate()
    let option = ["--minisign", publicKey(key)]
    let source = ["file://\(archive)"]
    #expect(try fetch(source, option).last.hasPrefix("failed signature "))
    try sign(with: key, hash: [UInt8](repeating: 7, count: 64))
    #expect(try fetch(source, option).last.contains("does not sign"))
    try sign(with: key, signedComment: "timestamp:2")
    #expect(try fetch(source, option).last.contains("does not sign"))
    try sign(with: key, algorithm: "Ed")
    #expect(try fetch(source, option).last.contains("minisign -SH"))
    try write("x", to: archive + ".minisig")
    #expect(try fetch(source, option).last.contains("no minisign signature"))
    #expect(!exists(scratch("tree/bin/app")))
    #expect(try fetch(source, ["--minisign", "RW"]).last.hasPrefix("failed usage "))
  }

  // MARK: Indices

  private func index(_ lines: [String], _ options: [String] = [], url: String? = nil) throws -> Run
  {
    try write((["muster-index 1"] + lines).joined(separator: "\n") + "\n", to: scratch("index"))
    return try run(fetchProgram, ["--index", url ?? "file://\(scratch("index"))"] + options)
  }

  @Test func `an index says what it knows, and is passed over where it is not understood`() throws {
    let digest = String(repeating: "a", count: 64)
    let result = try index([
      "version 2.0", "colour blue", "source https://a.example/a", "sha256 \(digest)",
    ])
    #expect(
      result.output == """
        index version 2.0
        index source https://a.example/a
        index sha256 \(digest)
        indexed
        """, "\(result.output)")
    let release = try ReleaseIndex.read(
      "file://\(scratch("index"))", signer: "", fetchProgram: fetchProgram)
    #expect(release.version == "2.0" && release.source == "https://a.example/a")
    _ = try index(["version ../2", "source https://a.example/a", "sha256 \(digest)"])
    #expect(throws: StoreError.refused("the index names no version")) {
      try ReleaseIndex.read(
        "file://\(scratch("index"))", signer: "", fetchProgram: fetchProgram)
    }
  }

  @Test func `an index that is large, none, gone or in clear text is refused`() throws {
    #expect(
      try index([String(repeating: "x", count: 20_000)]).last.contains("larger than 16384"))
    try write("version 2.0\n", to: scratch("text"))
    #expect(
      try index([], url: "file://\(scratch("text"))").last.hasPrefix("failed archive "))
    #expect(
      try index([], url: "file://\(scratch("none"))").last.hasPrefix("failed network "))
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let clear = try index([], url: server.url("plain", scratch("index")))
    #expect(clear.last.contains("is in clear text"), "\(clear.output)")
  }

  @Test func `a key that is given has to have signed the index`() throws {
    let key = SigningKey.generate()
    let other = SigningKey.generate()
    _ = try index(["version 2.0"])
    try sign(with: key, file: scratch("index"))
    let good = try index(["version 2.0"], ["--minisign", publicKey(key)])
    #expect(good.code == 0 && good.last == "indexed", "\(good.output)")
    let bad = try index(["version 2.0"], ["--minisign", publicKey(other)])
    #expect(bad.last.hasPrefix("failed signature "), "\(bad.output)")
    let changed = try index(["version 2.1"], ["--minisign", publicKey(key)])
    #expect(changed.last.contains("does not sign"), "\(changed.output)")
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    _ = try index(["version 2.0"])
    let signed = try index(
      ["version 2.0"], ["--minisign", publicKey(key)],
      url: server.url("plain", scratch("index")))
    #expect(signed.last == "indexed", "in clear text, and signed: \(signed.output)")
  }

  // MARK: Room and rate

  @Test func `what does not fit is refused before it is fetched`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch([server.url("slow", archive)], ["--unpacked", "\(1 << 60)"])
    #expect(result.last.hasPrefix("failed space "), "\(result.output)")
    #expect(result.last.contains("muster release gc"))
    let came = (try? read(scratch("partial")).count) ?? 0
    #expect(came < 100_000, "\(came) bytes came first")
  }

  @Test func `the store says how much is missing and leaves nothing`() throws {
    let store = ReleaseStore(shared: try scratch.makeShared())
    var big = try order(source: "file://\(archive)", archive: archive)
    big.release.unpackedBytes = 1 << 60
    #expect { try store.fetch(big) } throws: { "\($0)".contains("are free: remove old releases") }
    #expect(tree(store.shared) == ["releases"])
  }

  @Test func `progress comes with a rate, and with the time that is left`() throws {
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let store = ReleaseStore(shared: try scratch.makeShared())
    var seen: [FetchProgress] = []
    _ = try store.fetch(
      try order(source: server.url("slow", archive), archive: archive),
      progress: { seen.append($0) })
    let late = try #require(seen.dropFirst(2).first { $0.received < $0.total })
    #expect(late.rate > 10_000 && late.rate < 10_000_000, "\(late)")
    let left = try #require(late.secondsLeft)
    #expect(left == (late.total - late.received) / late.rate + 1)
    #expect(FetchProgress(received: 1, total: 0, rate: 5).secondsLeft == nil)
  }
}
