import Foundation
import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// The schema in `proto/muster/v1` and the protocol's own reader and writer cannot drift apart:
/// each vector goes through both in both directions.
@Suite(.serialized) struct `Golden vectors` {
  @Test(.enabled(if: Protoc.isWriting), arguments: Vector.all)
  func `are written anew when asked for`(_ vector: Vector) throws {
    let header = """
      # proto-file: proto/muster/v1
      # proto-message: muster.v1.\(vector.message)

      """
    try Protoc.write("\(vector.name).bin", vector.bytes)
    let text = header + (try Protoc.decode(vector.message, vector.bytes))
    try Protoc.write("\(vector.name).txtpb", Array(text.utf8))
  }

  @Test(arguments: Vector.all)
  func `on disk are what is written today`(_ vector: Vector) throws {
    #expect(try Protoc.read("\(vector.name).bin") == vector.bytes)
  }

  @Test(arguments: Vector.all)
  func `are read and written again byte for byte`(_ vector: Vector) throws {
    #expect(try vector.again(vector.bytes) == vector.bytes)
  }

  @Test(arguments: Vector.all)
  func `encoded by protoc are the same bytes`(_ vector: Vector) throws {
    let text = try Protoc.read("\(vector.name).txtpb")
    let bytes = try Protoc.encode(vector.message, text)
    #expect(bytes == vector.bytes)
    #expect(try vector.again(bytes) == vector.bytes)
  }

  @Test(arguments: Vector.all)
  func `decoded by protoc are the same text`(_ vector: Vector) throws {
    let text = String(decoding: try Protoc.read("\(vector.name).txtpb"), as: UTF8.self)
    let fields = text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("#") }.joined(separator: "\n")
    let decoded = try Protoc.decode(vector.message, vector.bytes)
    #expect(decoded == fields)
    // A field that the schema does not name is printed by its number.
    let strangers = decoded.split(separator: "\n").filter { line in
      line.drop { $0 == " " }.first?.isNumber ?? false
    }
    #expect(strangers == [], "the schema lacks a field")
  }

  @Test func `on disk belong to a test, each of them`() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: Protoc.vectors.path())
    let known = Set(Vector.all.flatMap { ["\($0.name).bin", "\($0.name).txtpb"] })
    let others: Set = ["libsodium.txt"]
    #expect(names.filter { !known.contains($0) && !others.contains($0) }.sorted() == [])
  }

  @Test(arguments: Vector.all)
  func `with fields of a later version mean the same`(_ vector: Vector) throws {
    // One of each wire type, and a tag of several bytes.
    let strangers = written {
      $0.unsigned(900, 300)
      $0.fixed(901, 7)
      $0.item(902, [1, 2, 3])
    }
    let fixed32: [UInt8] = [0xbd, 0x38, 1, 2, 3, 4]
    #expect(try vector.again(strangers + fixed32 + vector.bytes) == vector.bytes)
    #expect(
      try vector.message == "Contact"
        || vector.again(vector.bytes + strangers + fixed32) == vector.bytes)
  }

  @Test(arguments: Vector.all)
  func `cut short or with a byte changed never trap`(_ vector: Vector) {
    for count in 0..<vector.bytes.count { _ = try? vector.again(Array(vector.bytes[..<count])) }
    for index in vector.bytes.indices {
      for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff] as [UInt8] {
        var bytes = vector.bytes
        bytes[index] ^= change
        _ = try? vector.again(bytes)
      }
    }
  }

  @Test func `of signed messages are refused when anything is changed`() throws {
    let record = Samples.memberRecord.encoded
    let key = Samples.keys[0].publicKey
    expectRefusal(of: record) { bytes throws(WireError) in
      try Record(decoding: bytes.span).isSigned(
        by: key, cluster: Samples.cluster, verifier: Samples.keys[1])
    }
    let entry = Samples.registerEntry.encoded
    expectRefusal(of: entry) { bytes throws(WireError) in
      try RegisterEntry(decoding: bytes).isSigned(
        by: key, cluster: Samples.cluster, verifier: Samples.keys[1])
    }
  }

  /// `isValid` holds for the bytes, for none of their beginnings, and for none of their
  /// neighbours.
  private func expectRefusal(
    of bytes: [UInt8], _ isValid: ([UInt8]) throws(WireError) -> Bool
  ) {
    #expect((try? isValid(bytes)) == true)
    for count in 0..<bytes.count {
      #expect((try? isValid(Array(bytes[..<count]))) != true, "cut to \(count)")
    }
    for index in bytes.indices {
      for change in [0x01, 0x10, 0x80, 0xff] as [UInt8] {
        var changed = bytes
        changed[index] ^= change
        #expect((try? isValid(changed)) != true, "byte \(index) changed by \(change)")
      }
    }
  }
}
