import Glibc
import MusterSystem
import Testing

/// A directory of a test's own, removed with all that is in it.
final class TemporaryFolder {
  let path: String

  init() throws {
    var name = Array("/tmp/muster-test-XXXXXX".utf8CString)
    try #require(unsafe mkdtemp(&name) != nil)
    path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let place = "\(path)/\(name)"
    try WorkFiles.write(Array(text.utf8), to: place)
    return place
  }

  func read(_ name: String) -> String? {
    (try? Files.read("\(path)/\(name)", limit: 1 << 20))
      .map { String(decoding: $0, as: UTF8.self) }
  }

  deinit {
    let removal = try? ChildProcess(
      program: "/bin/rm", arguments: ["-rf", path], environment: [:], output: .inherited)
    _ = removal?.waitForExit()
  }
}
