import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Testing

/// Everything that can be different about a published copy is found and named.
@Suite struct ReleaseVerificationTests {
  let scratch: Scratch
  let store: ReleaseStore
  let reference: ReleaseReference

  init() throws {
    scratch = try Scratch()
    store = ReleaseStore(shared: try scratch.makeShared())
    let archive = try Archives.make("gz", in: scratch)
    reference = try store.fetch(try order(source: "file://\(archive)", archive: archive))
  }

  private enum Damage: String, CaseIterable {
    case flippedByte, truncated, grown, missing, missingLink, extra, extraDirectory, mode
    case directoryMode, linkTarget, linkForFile, fileForLink, fileForDirectory, fifo, manifest
  }

  /// Damages the copy, and returns the path that the error has to name.
  private func inflict(_ damage: Damage) throws -> String {
    let root = store.path(of: reference)
    for directory in ["", "/bin", "/lib", "/lib/deep", "/a"] { setMode(root + directory, 0o755) }
    // Their modes are part of what is verified: put back whatever happens.
    defer {
      for directory in ["", "/bin", "/lib", "/lib/deep", "/a"] { setMode(root + directory, 0o555) }
    }
    let data = root + "/lib/deep/data"
    let app = root + "/bin/app"
    let files = FileManager.default
    switch damage {
    case .flippedByte:
      var bytes = try read(data)
      bytes[1_500_000] ^= 1
      try change(data) { try Data(bytes).write(to: URL(fileURLWithPath: $0)) }
      return "lib/deep/data"
    case .truncated:
      try change(data) { try resize($0, to: 1_999_999) }
      return "lib/deep/data"
    case .grown:
      try change(data) { try resize($0, to: 2_000_001) }
      return "lib/deep/data"
    case .missing:
      try files.removeItem(atPath: data)
      return "lib/deep/data"
    case .missingLink:
      try files.removeItem(atPath: root + "/bin/latest")
      return "bin/latest"
    case .extra:
      try write("x", to: root + "/lib/deep/more")
      return "lib/deep/more"
    case .extraDirectory:
      try files.createDirectory(atPath: root + "/more", withIntermediateDirectories: true)
      return "more"
    case .mode:
      setMode(app, 0o755)
      return "bin/app"
    case .directoryMode:
      setMode(root + "/empty", 0o755)
      return "empty"
    case .linkTarget:
      try replace(root + "/bin/latest", withLinkTo: "second")
      return "bin/latest"
    case .linkForFile:
      try replace(app, withLinkTo: "second")
      return "bin/app"
    case .fileForLink:
      try files.removeItem(atPath: root + "/bin/latest")
      try write("x", to: root + "/bin/latest")
      return "bin/latest"
    case .fileForDirectory:
      try files.removeItem(atPath: root + "/empty")
      try write("x", to: root + "/empty")
      return "empty"
    case .fifo:
      try files.removeItem(atPath: app)
      _ = try run("/usr/bin/env", ["mkfifo", "-m", "555", app])
      return "bin/app"
    case .manifest:
      let path = root + "/manifest"
      let text = String(decoding: try read(path), as: UTF8.self)
      setMode(path, 0o644)
      try write(text.replacing("version 1.0", with: "version 1.1"), to: path)
      return "manifest"
    }
  }

  /// Changes a file's content and nothing else.
  private func change(_ path: String, _ body: (String) throws -> Void) rethrows {
    setMode(path, 0o644)
    try body(path)
    setMode(path, 0o444)
  }

  private func replace(_ path: String, withLinkTo target: String) throws {
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
  }

  @Test func `a whole copy verifies again and again`() throws {
    try store.verify(reference)
    try store.verify(reference)
  }

  @Test func `every kind of damage is found, and the path named`() throws {
    for (number, damage) in Damage.allCases.enumerated() {
      let fixture = try ReleaseVerificationTests()
      let path = try fixture.inflict(damage)
      do throws(StoreError) {
        try fixture.store.verify(fixture.reference)
        Issue.record("\(number) \(damage) was not found")
      } catch {
        guard case .corrupt(let release, let named, let reason) = error else {
          Issue.record("\(damage): \(error)")
          continue
        }
        #expect(release == fixture.reference.directoryName)
        #expect(named == "\(fixture.store.path(of: fixture.reference))/\(path)", "\(damage)")
        #expect(!reason.isEmpty && "\(error)".contains(named))
      }
    }
  }

  @Test func `the manifest must be the one that the register names, whatever lies there`() throws {
    var other = reference
    let swapped = Bytes32(first: reference.manifest.bytes.first, second: .zero)
    other.manifest = Digest(swapped)
    #expect(other.directoryName == reference.directoryName)
    #expect { try store.verify(other) } throws: { "\($0)".contains("has digest") }
  }

  @Test func `an absent release is missing, not corrupt`() throws {
    var other = reference
    other.repair = 5
    guard
      case .missing(let release, _) = #expect(
        throws: StoreError.self, performing: { try store.verify(other) })
    else {
      Issue.record("expected missing")
      return
    }
    #expect(release == other.directoryName)
  }

  @Test func `a cancelled verification says so`() throws {
    let cancellation = Cancellation()
    cancellation.cancel()
    #expect(throws: StoreError.cancelled) {
      try store.verify(reference, cancellation: cancellation)
    }
  }
}
