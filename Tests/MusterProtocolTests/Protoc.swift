import Foundation
import Testing

/// Debian's protobuf compiler, with this project's schema, and the vectors on disk.
enum Protoc {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let proto = root.appending(path: "proto")
  static let vectors = proto.appending(path: "vectors")

  static let files = [
    "contact", "coordination", "durable", "frame", "record", "register", "release",
  ]

  /// Set to write the vectors anew instead of comparing with them: `scripts/vectors`.
  static let isWriting = ProcessInfo.processInfo.environment["MUSTER_WRITE_VECTORS"] == "1"

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Bytes from text.
  static func encode(_ message: String, _ text: [UInt8]) throws -> [UInt8] {
    try run(["--encode=muster.v1.\(message)"], input: text)
  }

  /// Text from bytes.
  static func decode(_ message: String, _ bytes: [UInt8]) throws -> String {
    String(decoding: try run(["--decode=muster.v1.\(message)"], input: bytes), as: UTF8.self)
  }

  static func run(_ arguments: [String], input: [UInt8]) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.currentDirectoryURL = proto
    process.arguments =
      ["protoc", "-I", "."] + arguments + files.map { "muster/v1/\($0).proto" }
    let (question, answer, complaint) = (Pipe(), Pipe(), Pipe())
    process.standardInput = question
    process.standardOutput = answer
    process.standardError = complaint
    try process.run()
    // No vector is larger than a pipe holds.
    try question.fileHandleForWriting.write(contentsOf: Data(input))
    try question.fileHandleForWriting.close()
    let output = try answer.fileHandleForReading.readToEnd() ?? Data()
    let errors = try complaint.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: String(decoding: errors, as: UTF8.self))
    }
    return [UInt8](output)
  }

  static func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: vectors.appending(path: name)))
  }

  static func write(_ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: vectors.appending(path: name))
  }
}
