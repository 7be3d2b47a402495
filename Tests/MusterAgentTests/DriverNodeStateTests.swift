import Glibc
import MusterState
import MusterSystem
import Testing

import MusterAgent

@Suite struct DriverNodeStateTests {
  private let scratch: DriverScratch
  private let directory: String

  init() throws {
    scratch = try DriverScratch()
    directory = scratch.place("state")
  }

  /// What a test can look at after the state is closed again.
  private struct Start {
    let node: NodeID
    let incarnation: Incarnation
    let isFresh: Bool
    let durable: [UInt8]?
    let serial: UInt64
  }

  private func start(cluster: ClusterFile = driverCluster()) throws -> Start {
    let state = try NodeState.open(
      directory, cluster: cluster, shared: scratch.place("shared"))
    return Start(
      node: state.node, incarnation: state.incarnation, isFresh: state.isFresh,
      durable: state.durable, serial: state.registerSerial)
  }

  private func failure(cluster: ClusterFile = driverCluster()) -> StateError? {
    #expect(throws: StateError.self) { _ = try start(cluster: cluster) }
  }

  /// Persists as the peer's driver does.
  private func persist(_ start: Start, serial: UInt64, _ content: [UInt8]) throws {
    try RegisterFile(directory: directory, cluster: driverCluster().id, node: start.node).write(
      RegisterFile.Version(serial: serial, content: content), counter: start.incarnation.counter)
  }

  @Test func `a start is counted on disk, and the identity stays`() throws {
    let first = try start()
    #expect(first.isFresh)
    #expect(first.incarnation.counter == 1)
    #expect(try Files.mode(of: "\(directory)/identity") == 0o600)
    #expect(try Files.mode(of: directory) == 0o700)
    let second = try start()
    #expect(!second.isFresh)
    #expect(second.node == first.node)
    #expect(second.incarnation.counter == 2)
    #expect(second.incarnation.boot != first.incarnation.boot)
    #expect(second.durable == nil)
  }

  @Test func `what was persisted comes back`() throws {
    try persist(try start(), serial: 1, [1, 2, 3])
    let second = try start()
    #expect(second.durable == [1, 2, 3])
    #expect(second.serial == 1)
    try persist(second, serial: 2, [])
    #expect(try start().durable == [])
  }

  @Test func `no truncation or changed byte of the register is believed or written over`() throws {
    try persist(try start(), serial: 1, Array(0..<40))
    let whole = try #require(try scratch.content("state/register"))
    let file = RegisterFile(
      directory: directory, cluster: driverCluster().id, node: try start().node)
    let last = IncarnationFile.Start(counter: 9, register: 0)
    func isRefused(_ content: [UInt8]) throws -> Bool {
      try scratch.write("state/register", content)
      do { _ = try file.read(lastStart: last) } catch {
        return try scratch.content("state/register") == content
      }
      return false
    }
    for length in whole.indices {
      #expect(try isRefused(Array(whole[..<length])), "cut to \(length)")
    }
    for index in whole.indices {
      var changed = whole
      changed[index] ^= 1
      #expect(try isRefused(changed), "changed at \(index)")
    }
    #expect(try isRefused(whole + [0]))
    try scratch.write("state/register", Array(whole.dropLast()))
    let error = try #require(failure())
    #expect(error.description.contains("\(directory)/register is torn or was changed"))
    #expect(error.description.contains("move it away to join as a new node"))
  }

  @Test func `a register older than the last start is refused`() throws {
    let first = try start()
    try persist(first, serial: 1, [1])
    let old = try #require(try scratch.content("state/register"))
    try persist(first, serial: 2, [2])
    _ = try start()
    try scratch.write("state/register", old)
    let error = try #require(failure())
    #expect(error.description.contains("has version 1, older than 2 of the last start"))
    #expect(try scratch.content("state/register") == old)
  }

  @Test func `a lost register is no fresh start`() throws {
    try persist(try start(), serial: 1, [1])
    _ = try start()
    try Files.remove("\(directory)/register")
    #expect(try #require(failure()).description.contains("register is missing"))
  }

  @Test func `an older count of starts is refused`() throws {
    _ = try start()
    let old = try #require(try scratch.content("state/incarnation"))
    try persist(try start(), serial: 1, [1])
    try scratch.write("state/incarnation", old)
    #expect(try #require(failure()).description.contains("counts 1 starts"))
  }

  @Test func `a lost count of starts is refused`() throws {
    _ = try start()
    try Files.remove("\(directory)/incarnation")
    #expect(try #require(failure()).description.contains("incarnation is missing"))
  }

  @Test func `a lost identity does not put a new one on an old register`() throws {
    try persist(try start(), serial: 1, [1])
    try Files.remove("\(directory)/identity")
    #expect(try #require(failure()).description.contains("identity is missing"))
    #expect(try Files.mode(of: "\(directory)/identity") == nil)
  }

  @Test func `a crash before the identity was written starts anew`() throws {
    let first = try start()
    // The identity is the last of the first start's files.
    try Files.remove("\(directory)/identity")
    let second = try start()
    #expect(second.isFresh)
    #expect(second.node != first.node)
    #expect(second.incarnation.counter == 1)
  }

  @Test func `the state of another cluster is named as such and stays`() throws {
    _ = try start()
    let before = try scratch.content("state/incarnation")
    let error = try #require(failure(cluster: driverCluster(7)))
    #expect(
      error
        == .foreign(
          directory: directory, found: driverCluster().id, wanted: driverCluster(7).id))
    #expect(error.description.contains("another --state for a new node"))
    #expect(try scratch.content("state/incarnation") == before)
  }

  @Test func `another node's register or count is refused`() throws {
    let mine = try start()
    let node = NodeID(Bytes16(high: 1, low: 1))
    try RegisterFile(directory: directory, cluster: driverCluster().id, node: node).write(
      RegisterFile.Version(serial: 1, content: [1]), counter: 1)
    #expect(try #require(failure()).description.contains("belongs to node"))
    try Files.remove("\(directory)/register")
    _ = try IncarnationFile(directory: directory, node: node).advance(from: nil, register: 0)
    #expect(try #require(failure()).description.contains("belongs to node"))
    #expect(mine.node != node)
  }

  @Test func `no changed byte of the identity is taken for another node`() throws {
    _ = try start()
    let whole = try #require(try scratch.content("state/identity"))
    for index in whole.indices {
      var changed = whole
      changed[index] ^= 1
      try scratch.write("state/identity", changed)
      #expect(throws: StateError.self, "changed at \(index)") {
        _ = try IdentityFile(directory: directory).read(cluster: driverCluster().id)
      }
    }
  }

  @Test func `an identity that others can read is refused`() throws {
    _ = try start()
    #expect(unsafe chmod("\(directory)/identity", 0o640) == 0)
    #expect(try #require(failure()).description.contains("chmod 600 \(directory)/identity"))
  }

  @Test func `two agents cannot share a state directory`() throws {
    let held = try NodeState.open(directory, cluster: driverCluster(), shared: "")
    #expect(failure() == .locked(directory: directory))
    #expect(held.incarnation.counter == 1)
  }

  @Test func `state is never kept on the share`() throws {
    for place in [scratch.path, directory] {
      let error = #expect(throws: StateError.self) {
        _ = try NodeState.open(directory, cluster: driverCluster(), shared: place)
      }
      #expect(error == .insideShared(directory: directory, shared: place))
    }
    #expect(try Files.mode(of: directory) == nil)
  }

  @Test func `a directory that cannot be written is named, with the way out`() throws {
    try scratch.write("file", [])
    let error = #expect(throws: StateError.self) {
      _ = try NodeState.open(
        scratch.place("file/state"), cluster: driverCluster(), shared: "")
    }
    #expect(error?.description.contains("cannot use the state directory") == true)
    #expect(error?.description.contains("--state") == true)
  }

  @Test func `remembered peers are best effort`() throws {
    let file = PeersFile(path: scratch.place("peers"))
    #expect(file.read() == [])
    let addresses = (1...100).map { Address(v4: 0x7f00_0000 | $0, port: 7_946) }
    try file.write(addresses)
    #expect(file.read() == Array(addresses.prefix(PeersFile.limit)))
    let content = try #require(try scratch.content("peers"))
    try scratch.write("peers", Array(content.dropLast(3)))
    #expect(file.read() == [])
  }
}
