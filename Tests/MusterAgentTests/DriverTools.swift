import Glibc
import MusterAgent
import MusterProtocol
import MusterState
import MusterSystem

/// A directory of one driver test's own, removed at its end.
final class DriverScratch {
  let path: String

  init() throws {
    let parent: String
    if let value = unsafe getenv("TMPDIR") {
      parent = unsafe String(cString: value)
    } else {
      parent = "/tmp"
    }
    path = "\(parent)/muster-driver-\(getpid())-\(String(Sodium.randomWord(), radix: 16))"
    try Files.makeDirectory(path, mode: 0o700)
  }

  func place(_ name: String) -> String { "\(path)/\(name)" }

  func content(_ name: String) throws -> [UInt8]? {
    try Files.read(place(name), limit: 1 << 24)
  }

  func write(_ name: String, _ content: [UInt8], mode: UInt32 = 0o600) throws {
    try Files.replace(place(name), with: content, mode: mode)
  }

  deinit { Self.remove(path) }

  private static func remove(_ path: String) {
    guard let directory = unsafe opendir(path) else {
      unsafe unlink(path)
      return
    }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { remove("\(path)/\(name)") }
    }
    unsafe closedir(directory)
    unsafe rmdir(path)
  }
}

/// What a driver test's log has written.
final class DriverLines {
  private(set) var lines: [String] = []

  func log(_ format: LogFormat = .text, _ level: LogLevel = .debug) -> Log {
    Log(format: format, level: level, node: "ci/0") { [self] in lines.append($0) }
  }

  func contains(_ part: String) -> Bool { lines.contains { $0.contains(part) } }
}

/// Turns a loop until `condition` holds, for at most ten seconds.
func driverWait(_ loop: EventLoop, until condition: () -> Bool) throws -> Bool {
  let end = loop.now + 10_000_000_000
  while !condition() {
    if loop.now > end { return false }
    try loop.turn(limit: 20_000_000)
  }
  return true
}

func driverCluster(
  _ number: UInt64 = 1, authority: PublicKey = PublicKey(.zero)
) -> ClusterFile {
  ClusterFile(
    name: "demo", id: ClusterID(Bytes16(high: number, low: 2)), expect: 4,
    key: SealingKey(Bytes32(first: Bytes16(high: number, low: 4), second: .zero)),
    authority: authority)
}
