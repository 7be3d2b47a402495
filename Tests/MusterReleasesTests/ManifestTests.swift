import MusterReleases
import MusterState
import Testing

private let digest = Digest(Bytes32(first: Bytes16(high: 1, low: 2), second: .zero))

private let example = Manifest(
  version: "2.10.2", archive: digest,
  entries: [
    .init(path: "bin/latest", content: .link(target: "app")),
    .init(path: "bin", content: .directory(mode: 0o555)),
    .init(path: "bin/app", content: .file(mode: 0o555, size: 12, digest: digest)),
    .init(path: "a b", content: .file(mode: 0o444, size: 0, digest: digest)),
  ],
  publication: .init(
    term: 7, node: firstNode, source: "https://example.org/app.tar.gz",
    signature: testSignature([1])))

@Suite struct ManifestTests {
  @Test func `the text is the one written down`() {
    let zeros = String(repeating: "0", count: 32)
    let hash = "00000000000000010000000000000002\(zeros)"
    let text = String(decoding: example.text, as: UTF8.self)
    #expect(
      text.hasPrefix(
        """
        muster-manifest 1
        version 2.10.2
        archive \(hash)
        file 0444 0 \(hash) a b
        directory 0555 bin
        file 0555 12 \(hash) bin/app
        link \tbin/latest\tapp
        end 4
        term 7
        node \(firstNode)
        source https://example.org/app.tar.gz
        signature \u{20}
        """.dropLast(1)))
  }

  @Test func `reading gives back what was written`() throws {
    #expect(try Manifest(parsing: example.text) == example)
  }

  @Test func `the digest covers what the release is, not who published it from where`() {
    var other = example
    other.publication = .init(
      term: 9, node: secondNode, source: "file:///x", signature: testSignature([2]))
    #expect(other.digest == example.digest)
    other.archive = Digest(.zero)
    #expect(other.digest != example.digest)
  }

  @Test func `every truncation is refused`() {
    for length in 0..<example.text.count {
      #expect(throws: ManifestError.self) {
        try Manifest(parsing: Array(example.text[..<length]))
      }
    }
  }

  @Test func `no change of a byte gives the same release`() {
    for index in example.text.indices {
      for change: UInt8 in [1, 2, 4, 8, 16, 32, 64, 128] {
        var text = example.text
        text[index] ^= change
        guard let read = try? Manifest(parsing: text) else { continue }
        // What is accepted is canonical, and differs where it was changed.
        #expect(read.text == text)
        #expect(read != example)
        let isContent = String(decoding: example.text[index...], as: UTF8.self).contains("\nterm ")
        #expect((read.digest == example.digest) == !isContent)
      }
    }
  }

  @Test(arguments: [
    "file 0444 1 DIGEST ../x", "file 0444 1 DIGEST /x", "file 0444 1 DIGEST x//y",
    "file 0444 1 DIGEST ./x", "file 0444 1 DIGEST x/", "file 0444 1 DIGEST ",
    "file 0444 1 DIGEST no/parent", "file 0444 1 DIGEST manifest", "file 0644 1 DIGEST x",
    "file 4555 1 DIGEST x", "file 444 1 DIGEST x", "file 0444 01 DIGEST x",
    "file 0444 -1 DIGEST x", "file 0444 1 DEADBEEF x", "file 0444 1 DIGEST /\u{301}x",
    "file 0444 1 DIGEST ..\u{2f}\u{301}x", "directory 0755 x", "device 0444 x", "",
    "link \tx\t/etc", "link \tx\t..", "link \tx\ta/../..", "link \tx\t", "link x y",
    "file 0444 1 DIGEST x\u{7f}",
  ])
  func `hostile entries are refused`(line: String) {
    let line = line.replacing("DIGEST", with: "\(digest)")
    let empty = Manifest(
      version: "1", archive: digest, entries: [], publication: example.publication)
    let text = String(decoding: empty.text, as: UTF8.self)
    let hostile = text.replacing("end 0", with: "\(line)\nend 1")
    #expect(throws: ManifestError.self) { try Manifest(parsing: Array(hostile.utf8)) }
  }

  @Test(arguments: [("../..", true), ("../b/../c", false), ("../../..", false), ("x", true)])
  func `a link climbs only at its beginning and not out of the release`(
    target: String, isFine: Bool
  ) {
    let manifest = Manifest(
      version: "1", archive: digest,
      entries: [
        .init(path: "a", content: .directory(mode: 0o555)),
        .init(path: "a/b", content: .directory(mode: 0o555)),
        .init(path: "a/b/link", content: .link(target: target)),
      ], publication: example.publication)
    #expect(((try? Manifest(parsing: manifest.text)) != nil) == isFine)
  }

  @Test func `entries are unique and in the order of their bytes`() throws {
    let lines = ["a", "b"].map { "file 0444 1 \(digest) \($0)\n" }
    func manifest(_ lines: [String]) -> [UInt8] {
      let empty = Manifest(
        version: "1", archive: digest, entries: [], publication: example.publication)
      return Array(
        String(decoding: empty.text, as: UTF8.self)
          .replacing("end 0", with: lines.joined() + "end \(lines.count)").utf8)
    }
    _ = try Manifest(parsing: manifest(lines))
    #expect(throws: ManifestError.self) { try Manifest(parsing: manifest(lines.reversed())) }
    #expect(throws: ManifestError.self) { try Manifest(parsing: manifest([lines[0], lines[0]])) }
  }

  @Test func `two spellings of one letter are two files`() throws {
    let both = Manifest(
      version: "1", archive: digest,
      entries: ["\u{e4}", "a\u{308}"].map {
        .init(path: $0, content: .file(mode: 0o444, size: 1, digest: digest))
      }, publication: example.publication)
    let read = try Manifest(parsing: both.text)
    #expect(read.entries.count == 2)
    #expect(read.index(of: "\u{e4}") == 1)
    #expect(read.index(of: "a\u{308}") == 0)
  }
}
