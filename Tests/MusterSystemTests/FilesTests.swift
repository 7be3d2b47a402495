import Glibc
import MusterSystem
import Testing

/// A directory of one test's own below the temporary folder, removed at its end.
final class ScratchDirectory {
  let path: String

  init() throws {
    let parent = ProcessScratch.parent
    path = "\(parent)/muster-files-\(getpid())-\(hexadecimalWord())"
    try Files.makeDirectory(path, mode: 0o700)
  }

  deinit { ProcessScratch.removeTree(path) }
}

private func hexadecimalWord() -> String { String(Sodium.randomWord(), radix: 16) }

enum ProcessScratch {
  static var parent: String {
    guard let value = unsafe getenv("TMPDIR") else { return "/tmp" }
    return unsafe String(cString: value)
  }

  static func removeTree(_ path: String) {
    guard let directory = unsafe opendir(path) else {
      unsafe remove(path)
      return
    }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { removeTree("\(path)/\(name)") }
    }
    unsafe closedir(directory)
    unsafe rmdir(path)
  }

  static func names(_ path: String) -> [String] {
    var names: [String] = []
    guard let directory = unsafe opendir(path) else { return [] }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    unsafe closedir(directory)
    return names.sorted()
  }
}

@Suite struct FilesTests {
  let scratch: ScratchDirectory

  init() throws { scratch = try ScratchDirectory() }

  func place(_ name: String) -> String { "\(scratch.path)/\(name)" }

  @Test func `a file is replaced whole, with its mode, and nothing is left beside it`() throws {
    let path = place("state")
    #expect(try Files.read(path, limit: 10) == nil)
    try Files.replace(path, with: [1, 2, 3], mode: 0o600)
    #expect(try Files.read(path, limit: 10) == [1, 2, 3])
    let large = [UInt8](repeating: 9, count: 100_000)
    try Files.replace(path, with: large, mode: 0o640)
    #expect(try Files.read(path, limit: 100_000) == large)
    #expect(try Files.mode(of: path) == 0o640)
    #expect(ProcessScratch.names(scratch.path) == ["state"])
  }

  @Test func `what a crash left beside a file is no obstacle`() throws {
    try Files.replace(place(".state.new"), with: [9], mode: 0o600)
    try Files.replace(place("state"), with: [1], mode: 0o600)
    #expect(ProcessScratch.names(scratch.path) == ["state"])
  }

  @Test func `a file over the limit is refused`() throws {
    try Files.replace(place("state"), with: [1, 2, 3], mode: 0o600)
    let error = #expect(throws: SystemError.self) { try Files.read(place("state"), limit: 2) }
    #expect(error?.code == EFBIG)
    #expect(error?.subject == place("state"))
  }

  @Test func `a pipe or directory in the place of a file does not hold the reader`() throws {
    #expect(unsafe mkfifo(place("pipe"), 0o600) == 0)
    #expect(try Files.read(place("pipe"), limit: 10) == [])
    let error = #expect(throws: SystemError.self) { try Files.read(scratch.path, limit: 10) }
    #expect(error?.code == EISDIR)
  }

  @Test func `creating never touches what is there`() throws {
    try Files.create(place("key"), content: [1], mode: 0o600)
    let error = #expect(throws: SystemError.self) {
      try Files.create(place("key"), content: [2], mode: 0o600)
    }
    #expect(error?.code == EEXIST)
    #expect(try Files.read(place("key"), limit: 1) == [1])
    #expect(ProcessScratch.names(scratch.path) == ["key"])
  }

  @Test func `a missing directory is an error that names the path`() throws {
    let error = #expect(throws: SystemError.self) {
      try Files.replace(place("none/state"), with: [1], mode: 0o600)
    }
    #expect(error?.code == ENOENT)
    #expect(error?.subject.hasPrefix(place("none/")) == true)
  }

  @Test func `directories are made with those above them, once`() throws {
    #expect(try Files.makeDirectory(place("a/b/c"), mode: 0o700))
    #expect(try !Files.makeDirectory(place("a/b/c"), mode: 0o755))
    #expect(try Files.mode(of: place("a/b/c")) == 0o700)
    try Files.replace(place("file"), with: [], mode: 0o600)
    let error = #expect(throws: SystemError.self) {
      try Files.makeDirectory(place("file/below"), mode: 0o700)
    }
    #expect(error?.code == ENOTDIR)
  }

  @Test func `a link is replaced, and something else than a link is not`() throws {
    let path = place("current")
    try Files.replaceLink(at: path, to: "one")
    try Files.replaceLink(at: path, to: "two")
    var buffer = [CChar](repeating: 0, count: 100)
    #expect(unsafe readlink(path, &buffer, 100) == 3)
    #expect(ProcessScratch.names(scratch.path) == ["current"])
    try Files.replace(place("file"), with: [1], mode: 0o600)
    let error = #expect(throws: SystemError.self) {
      try Files.replaceLink(at: place("file"), to: "one")
    }
    #expect(error?.code == EEXIST)
    #expect(try Files.read(place("file"), limit: 1) == [1])
  }

  @Test func `a locked directory is refused until its owner is gone`() throws {
    do {
      let held = try DirectoryLock.acquire(scratch.path)
      let error = #expect(throws: SystemError.self) {
        _ = try DirectoryLock.acquire(scratch.path)
      }
      #expect(error?.code == EWOULDBLOCK)
      withExtendedLifetime(held) {}
    }
    _ = try DirectoryLock.acquire(scratch.path)
  }

  @Test func `free space is a number`() throws {
    #expect(try Files.freeBytes(at: scratch.path) > 0)
  }
}
