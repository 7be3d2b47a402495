import Glibc
import MusterAgent
import MusterState
import MusterSystem
import Testing

@Suite struct DriverClusterFileTests {
  private let scratch: DriverScratch

  init() throws { scratch = try DriverScratch() }

  @Test func `init writes two files that only their owner can read`() throws {
    let made = try ClusterCreation.write(
      name: "demo", expect: 4, directory: scratch.place("new/cluster-of-ours"))
    #expect(made.cluster.expect == 4)
    #expect(try ClusterFile.read(made.clusterPath) == made.cluster)
    #expect(try Files.mode(of: made.clusterPath) == 0o600)
    #expect(try Files.mode(of: made.authorityPath) == 0o600)
    let key = try AuthorityKey.read(made.authorityPath, of: made.cluster.id)
    let publicKey = key.publicKey
    #expect(publicKey == made.cluster.authority.bytes.bytes)
  }

  @Test func `two clusters share nothing`() throws {
    let first = try ClusterCreation.write(name: "a", expect: 1, directory: scratch.place("a"))
    let second = try ClusterCreation.write(name: "a", expect: 1, directory: scratch.place("b"))
    #expect(first.cluster.id != second.cluster.id)
    #expect(first.cluster.key != second.cluster.key)
    #expect(first.cluster.authority != second.cluster.authority)
    let error = #expect(throws: ClusterFileError.self) {
      _ = try AuthorityKey.read(first.authorityPath, of: second.cluster.id)
    }
    #expect(error?.description.contains("is the key of cluster \(first.cluster.id)") == true)
  }

  @Test(arguments: ["cluster", "authority.key"])
  func `what is there is never overwritten`(name: String) throws {
    try scratch.write(name, [1])
    let error = #expect(throws: ClusterFileError.self) {
      try ClusterCreation.write(name: "demo", expect: 4, directory: scratch.path)
    }
    #expect(error == .exists(path: scratch.place(name)))
    #expect(try scratch.content(name) == [1])
    let other = name == "cluster" ? "authority.key" : "cluster"
    #expect(try scratch.content(other) == nil, "half a cluster is none")
  }

  @Test(arguments: [0, 10_001, UInt32.max])
  func `an impossible size is refused before anything is written`(expect: UInt32) throws {
    let error = #expect(throws: ClusterFileError.self) {
      try ClusterCreation.write(name: "demo", expect: expect, directory: scratch.place("d"))
    }
    #expect(error?.description.contains("--expect \(expect)") == true)
    #expect(try Files.mode(of: scratch.place("d")) == nil)
  }

  @Test(arguments: ["", "a b", "a\nb", String(repeating: "x", count: 64), "ä"])
  func `an impossible name is refused`(name: String) throws {
    #expect(throws: ClusterFileError.self) {
      try ClusterCreation.write(name: name, expect: 1, directory: scratch.path)
    }
  }

  @Test func `people may add comments and blank lines`() throws {
    let text = driverCluster().render() + Array("\n# by hand\n".utf8)
    #expect(try ClusterFile.parse(text, path: "c") == driverCluster())
  }

  @Test(arguments: [
    ("expect: 4", "expect: four", "c:5: \"expect\" must be a number from 1 to 10000, not \"four\""),
    ("expect: 4", "expect: 10001", "c:5: \"expect\" must be"),
    ("expect: 4", "expected: 4", "c:5: \"expected\" is not a key of this file; allowed are name"),
    ("expect: 4", "expect 4", "c:5: \"expect 4\" is not \"key: value\""),
    ("expect: 4\n", "expect: 4\nexpect: 4\n", "c:6: \"expect\" is there twice"),
    ("name: demo\n", "", "c:1: has no line \"name: "),
    ("name: demo", "name: a b", "c:3: \"name\" must be letters"),
    ("muster-cluster 1", "muster-cluster 2", "c:1: \"muster-cluster 2\" is of another version"),
    ("muster-cluster 1", "something", "c:1: does not begin with \"muster-cluster 1\""),
    ("id: 0", "id: g", "c:4: \"id\" must be 32 hexadecimal digits"),
    ("key: 0", "key: ", "c:6: \"key\" must be 64 hexadecimal digits"),
  ])
  func `a wrong line is named with its place and the way out`(
    old: String, new: String, message: String
  ) throws {
    let text = String(decoding: driverCluster().render(), as: UTF8.self)
    let range = try #require(text.range(of: old))
    let changed = text.replacingCharacters(in: range, with: new)
    let error = #expect(throws: KeyedTextError.self) {
      try ClusterFile.parse(Array(changed.utf8), path: "c")
    }
    #expect(error?.description.hasPrefix(message) == true, "\(String(describing: error))")
  }

  @Test func `no truncation is taken for a cluster`() {
    // The last byte is the newline, which may be missing.
    let content = driverCluster().render()
    for length in 0..<(content.count - 1) {
      #expect(throws: KeyedTextError.self) {
        try ClusterFile.parse(Array(content[..<length]), path: "c")
      }
    }
  }

  @Test func `a file that others can read is refused, with the command that helps`() throws {
    try scratch.write("cluster", driverCluster().render(), mode: 0o644)
    let error = #expect(throws: ClusterFileError.self) {
      try ClusterFile.read(scratch.place("cluster"))
    }
    #expect(error?.description.contains("chmod 600 \(scratch.place("cluster"))") == true)
    try scratch.write("cluster", driverCluster().render(), mode: 0o640)
    #expect(try ClusterFile.read(scratch.place("cluster")) == driverCluster())
  }

  @Test func `without a cluster file the message says what to run`() throws {
    let error = #expect(throws: ClusterFileError.self) {
      try ClusterFile.read(scratch.place("none"))
    }
    #expect(error?.description.contains("muster init --name NAME --expect N") == true)
  }

  @Test func `a damaged authority key is no other key`() throws {
    let made = try ClusterCreation.write(name: "demo", expect: 1, directory: scratch.path)
    var content = try #require(try scratch.content("authority.key"))
    let index = content.count - 40
    content[index] = content[index] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
    try scratch.write("authority.key", content)
    #expect(throws: ClusterFileError.self) { _ = try AuthorityKey.read(made.authorityPath) }
  }
}

extension String {
  /// Where `part` occurs first.
  fileprivate func range(of part: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
      start = index(after: start)
    }
    return nil
  }

  fileprivate func replacingCharacters(
    in range: Range<String.Index>, with part: String
  ) -> String {
    self[..<range.lowerBound] + part + self[range.upperBound...]
  }
}
