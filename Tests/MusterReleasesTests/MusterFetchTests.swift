import Foundation
import MusterSystem
import Testing

/// The program alone, against real servers and archives.
@Suite struct MusterFetchTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  func fetch(
    _ url: String, _ archive: String, sha256 digest: String? = nil, _ options: [String] = []
  ) throws -> Run {
    try run(
      fetchProgram,
      [
        "--url", url, "--sha256", try digest ?? sha256(archive), "--archive", scratch("partial"),
        "--into", scratch("tree"),
      ] + options)
  }

  static let hasZstd = ["/usr/bin/zstd", "/bin/zstd"].contains { exists($0) }

  @Test(arguments: ["tar", "gz", "xz", "bz2", "zip"] + (hasZstd ? ["zst"] : []))
  func `it unpacks every format with the archive's own layout`(kind: String) throws {
    let archive = try Archives.make(kind, in: scratch)
    let result = try fetch("file://\(archive)", archive)
    #expect(result.code == 0, "\(result.output)")
    #expect(try read(scratch("tree/lib/deep/data")).count == 2_000_000)
    #expect(try read(scratch("tree/with space ä")) == Array("z".utf8))
    // Set-user-id is gone, being a program stays.
    #expect(try mode(scratch("tree/bin/app")) == 0o755)
    #expect(try mode(scratch("tree/lib/deep/data")) == 0o644)
    let size = try read(archive).count
    #expect(result.lines.contains { $0.hasPrefix("progress \(size) \(size) ") })
    let files = kind == "zip" ? 5 : 8
    #expect(result.last == "unpacked \(files) 2000022")
  }

  @Test(arguments: [
    ("parent", "unsafe"), ("inner-parent", "unsafe"), ("accented-slash", "unsafe"),
    ("absolute", "unsafe"), ("control", "unsafe"), ("link-absolute", "unsafe"),
    ("link-parent", "unsafe"), ("link-chain", "unsafe"), ("through-link", "unsafe"),
    ("over-link", "unsafe"), ("hard-out", "unsafe"), ("hard-absolute", "unsafe"),
    ("hard-missing", "unsafe"), ("hard-to-link", "unsafe"), ("device", "unsafe"),
    ("block", "unsafe"), ("fifo", "unsafe"), ("twice", "unsafe"), ("zip-parent", "unsafe"),
    ("deep", "limit"), ("long", "limit"), ("empty", "archive"),
    ("no-archive", "archive"), ("cut-archive", "archive"),
  ])
  func `a hostile archive is refused and nothing is written outside`(
    kind: String, problem: String
  ) throws {
    let archive = try Archives.make(kind, in: scratch)
    let before = tree(scratch.path).filter { !$0.hasPrefix("tree") }
    let result = try fetch("file://\(archive)", archive)
    #expect(result.code == 1)
    #expect(result.last.hasPrefix("failed \(problem) "), "\(result.output)")
    let after = tree(scratch.path).filter { !$0.hasPrefix("tree") }
    #expect(Set(after).subtracting(before).isSubset(of: ["partial"]))
    #expect(!exists("/tmp/muster-escaped"))
  }

  @Test func `limits on size hold whether or not the server says the length`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    for manner in ["plain", "chunked"] {
      let result = try fetch(
        server.url(manner, archive), archive, ["--max-bytes", "100000"])
      #expect(result.last.hasPrefix("failed limit "), "\(result.output)")
    }
    let bomb = try Archives.make("bomb", in: scratch)
    let result = try fetch("file://\(bomb)", bomb, ["--max-unpacked", "4000000"])
    #expect(result.last.hasPrefix("failed limit "), "\(result.output)")
    let many = try fetch("file://\(archive)", archive, ["--max-entries", "5"])
    #expect(many.last == "failed limit the archive has more than 5 entries")
  }

  @Test func `a body cut in the middle is resumed, not fetched again`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch(server.url("cut", archive), archive)
    #expect(result.code == 0, "\(result.output)")
    #expect(server.requests.count == 4)
    #expect(server.requests.dropFirst().allSatisfy { $0.contains("bytes=") })
  }

  @Test func `a server without ranges is asked for everything again`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch(server.url("no-range", archive), archive)
    #expect(result.code == 0, "\(result.output)")
    #expect(server.requests.count == 3)
  }

  @Test func `a file that changed between two attempts is fetched whole`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch(server.url("changed", archive), archive)
    #expect(result.code == 0, "\(result.output)")
    #expect(server.requests.count == 3)
    #expect(server.requests.last?.contains("bytes=") == false)
  }

  @Test func `wrong content is refused and its file removed`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch(server.url("wrong", archive), archive)
    #expect(result.code == 1)
    #expect(result.last.hasPrefix("failed checksum "), "\(result.output)")
    #expect(result.last.contains(try sha256(archive)))
    #expect(!exists(scratch("partial")))
    #expect(!exists(scratch("tree")))
    #expect(server.requests.count == 1)
  }

  @Test func `busy servers are asked again, absent files are not`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    #expect(try fetch(server.url("busy", archive), archive).code == 0)
    #expect(server.requests.count == 3)
    try FileManager.default.removeItem(atPath: scratch("partial"))
    let gone = try fetch(server.url("gone", archive), archive)
    #expect(gone.last.hasPrefix("failed refused ") && gone.last.contains("404"))
    #expect(server.requests.count == 4)
  }

  @Test func `nobody listening is a clear failure after the attempts allowed`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let result = try fetch("http://127.0.0.1:1/x", archive, ["--attempts", "2"])
    #expect(result.lines.count { $0.hasPrefix("retrying ") } == 1)
    #expect(result.last.hasPrefix("failed network http://127.0.0.1:1/x: "))
  }

  @Test func `redirects lead to the web and never to local files`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let local = try fetch(server.url("to-file", archive), archive)
    #expect(local.last.hasPrefix("failed refused "), "\(local.output)")
    let loop = try fetch(server.url("loop", archive), archive)
    #expect(loop.last.hasPrefix("failed refused "), "\(loop.output)")
    #expect(try fetch(server.url("redirect", archive), archive).code == 0)
  }

  @Test func `a server that stops sending is given up and asked again`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let result = try fetch(server.url("stall", archive), archive, ["--stall", "1"])
    #expect(result.code == 0, "\(result.output)")
    #expect(server.requests.count == 2)
  }

  @Test func `a complete file from an earlier run is not fetched again`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    try FileManager.default.copyItem(atPath: archive, toPath: scratch("partial"))
    #expect(try fetch(server.url("plain", archive), archive).code == 0)
    #expect(server.requests == ["/plain/gz.archive bytes=\(try read(archive).count)-"])
  }

  @Test func `killed in the middle, the next run goes on where it stopped`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let server = try ReleaseServer(scratch.path, scratch: scratch)
    let process = try spawn(
      fetchProgram,
      [
        "--url", server.url("slow", archive), "--sha256", try sha256(archive), "--archive",
        scratch("partial"), "--into", scratch("tree"),
      ])
    let hasBegun = eventually { ((try? read(scratch("partial")))?.count ?? 0) > 20_000 }
    process.signal(SIGKILL)
    #expect(process.waitForExit() == .signalled(SIGKILL))
    #expect(hasBegun)
    let size = try read(scratch("partial")).count
    #expect(try fetch(server.url("plain", archive), archive).code == 0)
    #expect(server.requests.last == "/plain/gz.archive bytes=\(size)-")
  }

  @Test(arguments: [
    (["--url"], "--url needs a value"), (["--colour", "red"], "unknown option --colour"),
    (["--url", "ftp://x/y"], "only http://, https:// and file://"),
    (["--url", "http://x/a b"], "%20"), (["--sha256", "12"], "64 hexadecimal digits"),
    (["--max-bytes", "0"], "a number from 1"), ([], "--url is missing"),
  ])
  func `a wrong command line is one clear line`(arguments: [String], message: String) throws {
    let result = try run(fetchProgram, arguments)
    #expect(result.code == 1)
    #expect(result.lines.count == 1)
    #expect(result.last.hasPrefix("failed usage ") && result.last.contains(message))
  }

  @Test func `a password in the source is never shown`() throws {
    let archive = try Archives.make("gz", in: scratch)
    let result = try fetch("http://me:secret@127.0.0.1:1/x", archive, ["--attempts", "1"])
    #expect(!result.output.contains("secret"))
  }
}
