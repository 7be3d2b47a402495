import Foundation
import MusterReleases
import MusterState
import MusterSystem
import Synchronization

/// A directory of its own for one test, removed with everything in it at the end.
final class Scratch: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "muster-releases-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    let root = try? StoreDirectory.open(NSTemporaryDirectory())
    try? root?.removeTree(URL(fileURLWithPath: path).lastPathComponent)
  }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  /// A shared directory below it.
  func makeShared(_ name: String = "shared") throws -> String {
    try FileManager.default.createDirectory(
      atPath: self(name), withIntermediateDirectories: true)
    return self(name)
  }
}

/// What a program printed and how it ended.
struct Run {
  let output: String
  let code: Int32
  var lines: [Substring] { output.split(separator: "\n") }
  var last: String { String(lines.last ?? "") }
}

/// Foundation's Process would let every child inherit the pipes of the others.
func spawn(_ program: String, _ arguments: [String]) throws -> ChildProcess {
  try ChildProcess(
    program: program, arguments: arguments, environment: ChildProcess.inheritedEnvironment,
    output: .pipedWithoutErrors)
}

func run(_ program: String, _ arguments: [String]) throws -> Run {
  let child = try spawn(program, arguments)
  let lines = try printed(by: child)
  let status = child.waitForExit()
  guard case .exited(let code) = status else { return Run(output: "\(status)", code: -1) }
  return Run(output: lines.joined(separator: "\n"), code: code)
}

/// What a child prints: its first lines, or all of them.
func printed(by child: ChildProcess, lines count: Int = .max) throws -> [String] {
  guard let output = child.outputDescriptor else { return [] }
  var reader = StoreLines(descriptor: output)
  var lines: [String] = []
  while lines.count < count {
    switch try reader.next(milliseconds: 60_000) {
    case .line(let line): lines.append(line)
    case .end: return lines
    case .nothing: throw SystemError.unreadable("a program that says nothing for a minute")
    }
  }
  return lines
}

/// The program under test lies beside the test bundle.
let fetchProgram: String = {
  let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  let places = [bundle, CommandLine.arguments[0]] + Bundle.allBundles.map(\.bundlePath)
  return places.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/muster-fetch" }
    .first { FileManager.default.isExecutableFile(atPath: $0) } ?? "muster-fetch"
}()

func read(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

func write(_ text: String, to path: String) throws {
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

func exists(_ path: String) -> Bool {
  (try? FileManager.default.attributesOfItem(atPath: path)) != nil
}

/// Everything below a directory, sorted.
func tree(_ path: String) -> [String] {
  (FileManager.default.subpaths(atPath: path) ?? []).sorted()
}

func sha256(_ path: String) throws -> String {
  hexadecimal(StoreHash.digest(try read(path)))
}

func mode(_ path: String) throws -> Int {
  let attributes = try FileManager.default.attributesOfItem(atPath: path)
  return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
}

func setMode(_ path: String, _ mode: Int) {
  try? FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}

func resize(_ path: String, to size: UInt64) throws {
  let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
  try file.truncate(atOffset: size)
  try file.close()
}

/// Waits until something holds, at most `seconds`.
func eventually(seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while Date() < end {
    if try condition() { return true }
    usleep(5_000)
  }
  return try condition()
}

// MARK: Orders

let cluster = ClusterID(Bytes16(high: 0x1122_3344_5566_7788, low: 1))
let firstNode = NodeID(Bytes16(high: 0xaaaa_aaaa_0000_0000, low: 1))
let secondNode = NodeID(Bytes16(high: 0xbbbb_bbbb_0000_0000, low: 2))

/// A stand-in that depends on every byte of the message.
func testSignature(_ message: [UInt8]) -> Signature {
  guard let half = Bytes32(StoreHash.digest(message)) else { preconditionFailure() }
  return Signature(first: half, second: half)
}

func order(
  _ version: String = "1.0", source: String, archive: String, term: UInt64 = 3,
  repair: UInt32 = 0
) throws -> FetchOrder {
  guard let digest = Digest(try sha256(archive)) else { preconditionFailure() }
  return FetchOrder(
    plan: PlanID(.zero), term: term,
    release: ReleaseSource(version: version, source: source, archive: digest), repair: repair)
}

extension ReleaseStore {
  func fetch(
    _ order: FetchOrder, node: NodeID = firstNode,
    progress: (FetchProgress) -> Void = { _ in },
    cancellation: Cancellation = Cancellation()
  ) throws(StoreError) -> ReleaseReference {
    try fetch(
      order: order, cluster: cluster, node: node, fetchProgram: fetchProgram,
      sign: testSignature, progress: progress, cancellation: cancellation)
  }
}
