import Glibc
import MusterAgent
import MusterProtocol
import MusterSimulator
import MusterState
import MusterSystem
import Testing

/// Journals of real agents, and what `muster replay` makes of them.
@Suite struct JournalReplayTests {
  /// What a journal holds, to be written again with a change.
  private func turns(_ bytes: [UInt8]) throws -> (header: JournalHeader, turns: [JournalTurn]) {
    var reader = try JournalReader(bytes)
    var turns: [JournalTurn] = []
    while case .turn(let turn) = try reader.next() { turns.append(turn) }
    return (reader.header, turns)
  }

  private func bytes(_ header: JournalHeader, _ turns: [JournalTurn]) -> [UInt8] {
    JournalFrame.mark + JournalFrame.header(header) + turns.flatMap { JournalFrame.turn($0) }
  }

  /// Three agents that record, one of them killed.
  private func recorded() throws -> EndToEndCluster {
    let cluster = try EndToEndCluster(expect: 3)
    for node in 0..<3 { try cluster.start(node, ["--journal": cluster.at("journal\(node)")]) }
    try cluster.told(0, "wait", "--members", "3", "--leader", "--timeout", "20s")
    try cluster.told(1, "set", "--cluster", "colour", "blue")
    try cluster.told(2, "set", "port", "8080")
    _ = try cluster.kill(1)
    try cluster.told(0, "wait", "--members", "2", "--timeout", "20s")
    _ = try cluster.kill(0, SIGTERM)
    return cluster
  }

  @Test func `agents replay as they ran, the killed one too`() throws {
    let cluster = try recorded()
    for node in 0..<3 {
      let path = cluster.at("journal\(node)")
      #expect(try Files.mode(of: path) == 0o600)
      let outcome = try cluster.muster("replay", path)
      #expect(outcome.code == 0, "\(outcome.output.suffix(600)) \(outcome.errors)")
      #expect(outcome.output.contains("sees ci/"), "\(outcome.output)")
      #expect(outcome.output.contains(" leads") || outcome.output.contains("in term 1"))
      #expect(outcome.output.contains("all effects are the same"))
    }
    #expect(try cluster.muster("replay", cluster.at("journal0")).output.contains("the agent ended"))
    // Not even the live one's keys: the file of the cluster and the identity, byte by byte.
    let secrets =
      try (0..<3).map { try secret(cluster.at("state\($0)/identity")) }
      + [try secret(cluster.at("made/cluster"))]
    for node in 0..<3 {
      let journal = try #require(try Files.read(cluster.at("journal\(node)"), limit: 1 << 28))
      for secret in secrets.flatMap({ $0 }) { #expect(!contains(journal, secret)) }
    }
    try tear(cluster)
    try forge(cluster)
    try again(cluster)
  }

  /// Every value of a keyed file that has 32 bytes in hexadecimal, but the public ones.
  private func secret(_ path: String) throws -> [[UInt8]] {
    let text = String(decoding: try #require(try Files.read(path, limit: 65_536)), as: UTF8.self)
    let lines = text.split(separator: "\n").filter { line in
      !line.hasPrefix("authority") && !line.hasPrefix("public")
    }
    let found = lines.flatMap { $0.split { !$0.isHexDigit } }.filter { $0.utf8.count == 64 }
    #expect(!found.isEmpty, "\(path): \(text)")
    return found.map { word in
      let digits = word.compactMap(\.hexDigitValue).map { UInt8($0) }
      return stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
  }

  private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    return bytes.indices.contains { index in
      bytes[index] == first && bytes[index...].starts(with: part)
    }
  }

  private func tear(_ cluster: EndToEndCluster) throws {
    let whole = try #require(try Files.read(cluster.at("journal2"), limit: 1 << 28))
    try WorkFiles.write(Array(whole.dropLast(5)), to: cluster.at("torn"))
    let torn = try cluster.muster("replay", cluster.at("torn"), "--quiet")
    #expect(torn.code == 0, "\(torn.output)")
    #expect(torn.output.contains("the journal ends in a torn record"))
    var damaged = whole
    damaged[whole.count / 2] ^= 1
    try WorkFiles.write(damaged, to: cluster.at("damaged"))
    let refused = try cluster.muster("replay", cluster.at("damaged"), "--json")
    #expect(refused.code == 1)
    #expect(try refused.json()["damaged"]?.bool == true)
    let none = try cluster.muster("replay", cluster.at("made/cluster"))
    #expect(none.code == 2 && none.line.hasSuffix("is no journal of a muster agent"))
  }

  /// A journal from which somebody took one datagram out.
  private func forge(_ cluster: EndToEndCluster) throws {
    let path = cluster.at("journal2")
    let (header, turns) = try turns(try #require(try Files.read(path, limit: 1 << 28)))
    let victim = try #require(
      turns.firstIndex {
        if case .datagrams = $0.input { $0.answers.contains(.flag(true)) } else { false }
      })
    var fewer = turns
    fewer.remove(at: victim)
    try WorkFiles.write(bytes(header, fewer), to: cluster.at("forged"))
    let outcome = try cluster.muster("replay", cluster.at("forged"), "--json")
    #expect(outcome.code == 1)
    let turn = try #require(try outcome.json()["difference"]?["turn"]?.integer)
    #expect(turn > Int64(victim), "\(outcome.output)")
    // One effect more or less is seen in its very turn.
    var changed = turns
    changed[victim].digest ^= 1
    try WorkFiles.write(bytes(header, changed), to: cluster.at("changed"))
    let first = try cluster.muster("replay", cluster.at("changed"))
    #expect(first.code == 1)
    #expect(
      first.output.contains("DIFFERS in turn \(victim + 1) at "), "\(first.output.suffix(400))")
  }

  /// The next life records anew, and the journal of the killed one is kept.
  private func again(_ cluster: EndToEndCluster) throws {
    let before = try #require(try Files.read(cluster.at("journal1"), limit: 1 << 28))
    try cluster.start(1, ["--journal": cluster.at("journal1")])
    try cluster.told(1, "wait", "--members", "2", "--timeout", "20s")
    #expect(try Files.read(cluster.at("journal1.old"), limit: 1 << 28) == before)
    _ = try cluster.kill(1, SIGTERM)
    let outcome = try cluster.muster("replay", cluster.at("journal1"))
    #expect(outcome.code == 0, "\(outcome.output.suffix(600))")
    #expect(outcome.output.hasPrefix("ci/1 of demo, start 2,"))
  }
}

/// The recorder and the replay without a daemon.
@Suite struct JournalRecorderTests {
  private let configuration: PeerConfiguration

  init() {
    configuration = PeerConfiguration(
      cluster: ClusterID(Bytes16(high: 1, low: 2)), clusterName: "demo", expect: 1,
      authority: PublicKey(.zero), name: "ci/0", incarnation: Incarnation(counter: 1, boot: 9),
      isFreshIdentity: true, address: Address(v4: 0x7f00_0001, port: 7_946), join: [],
      usesMulticast: true, founds: true, software: "test",
      seed: Bytes32(first: .zero, second: Bytes16(high: 5, low: 6)))
  }

  private func drive(_ configuration: PeerConfiguration, _ recorder: JournalRecorder) throws {
    var peer = try Peer(
      configuration: configuration, durable: nil, cryptography: recorder.cryptography, at: .zero)
    recorder.begin(configuration, durable: nil, at: .zero)
    var inputs: [Input] = [.start]
    for millisecond: Int64 in 0..<8_000 {
      inputs.append(.timer)
      for input in inputs {
        inputs.removeFirst()
        let effects = recorder.handle(input, at: .zero + .milliseconds(millisecond)) {
          peer.handle($0, at: $1)
        }
        for case .persist(_, let ticket) in effects { inputs.append(.persisted(ticket: ticket)) }
      }
    }
  }

  private func record(_ path: String, limit: Int, _ configuration: PeerConfiguration) throws
    -> (ending: String?, header: JournalHeader, turns: [JournalTurn])
  {
    let loop = try EventLoop()
    let recorder = try JournalRecorder(
      path: path, limit: limit,
      cryptography: SimulatedCryptography(identity: 3, cluster: 1), loop: loop)
    var ending: String?
    recorder.onEnd = { ending = $0 }
    try drive(configuration, recorder)
    for _ in 0..<20 { try loop.turn(limit: 10_000_000) }
    recorder.close()
    var reader = try JournalReader(try #require(try Files.read(path, limit: 1 << 28)))
    var turns: [JournalTurn] = []
    while case .turn(let turn) = try reader.next() { turns.append(turn) }
    return (ending, reader.header, turns)
  }

  private func play(_ header: JournalHeader, _ turns: [JournalTurn]) throws -> JournalReplay.Step {
    var replay = try JournalReplay(
      header, cryptography: ReplayingCryptography(publicKey: header.publicKey))
    var step = JournalReplay.Step()
    for turn in turns {
      step = replay.play(turn)
      if !step.isGood { return step }
    }
    #expect(replay.events > 3)
    return step
  }

  @Test func `a peer that founds alone replays as it ran`() throws {
    let folder = try TemporaryFolder()
    let (ending, header, turns) = try record(folder.path + "/j", limit: 1 << 28, configuration)
    #expect(ending == nil)
    #expect(turns.count > 8_000)
    let step = try play(header, turns)
    #expect(step.difference == nil && step.violation == nil)
  }

  @Test func `at its limit the journal ends, and the peer goes on`() throws {
    let folder = try TemporaryFolder()
    let (ending, header, turns) = try record(folder.path + "/j", limit: 100_000, configuration)
    #expect(try #require(ending).contains("has reached its limit of 100000 bytes"))
    let size = try #require(try Files.read(folder.path + "/j", limit: 1 << 28)).count
    #expect(size <= 100_000 && size > 90_000)
    #expect(turns.count < 8_000)
    #expect(try play(header, turns).isGood)
  }

  @Test func `a promise that the recorded peer broke is seen in the replay`() throws {
    let folder = try TemporaryFolder()
    var planted = configuration
    planted.planted = .voteBeforeDisk
    var (_, header, turns) = try record(folder.path + "/j", limit: 1 << 28, planted)
    // A file has no room for planted mistakes.
    header.configuration.planted = .voteBeforeDisk
    let step = try play(header, turns)
    #expect(step.difference == nil)
    #expect(step.violation?.checker == "durable-before-visible", "\(step)")
  }

  @Test func `another seed of chance makes another course`() throws {
    let folder = try TemporaryFolder()
    var (_, header, turns) = try record(folder.path + "/j", limit: 1 << 28, configuration)
    header.configuration.seed = Bytes32(first: .zero, second: Bytes16(high: 5, low: 7))
    #expect(try play(header, turns).difference != nil)
  }

  @Test func `a file that cannot be made is an error`() {
    #expect(throws: SystemError.self) {
      try JournalRecorder(
        path: "/nowhere/j", limit: 1 << 20,
        cryptography: SimulatedCryptography(identity: 3, cluster: 1), loop: try EventLoop())
    }
  }
}
