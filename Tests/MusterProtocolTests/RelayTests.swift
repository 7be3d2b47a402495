import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

/// Three voters of one cluster, of which one leads: peers as values, to be told anything.
struct VoterBench {
  var now: Instant
  var leader: Peer
  var voter: Peer
  var relay: Peer
  /// In the order of `leader`, `voter`, `relay`.
  let keys: [SimulatedCryptography]

  init(seed: UInt64 = 5) throws {
    var simulation = Simulation(seed: seed, expect: 3)
    for _ in 0..<3 { simulation.add() }
    for index in 0..<3 { simulation.boot(index) }
    simulation.run(for: .seconds(15))
    now = simulation.now
    let first = try #require(
      simulation.nodes.firstIndex { $0.peer?.view(at: simulation.now).holdsLease ?? false })
    let order = [first, (first + 1) % 3, (first + 2) % 3]
    let peers = try order.map { try #require(simulation.nodes[$0].peer) }
    (leader, voter, relay) = (peers[0], peers[1], peers[2])
    keys = order.map {
      SimulatedCryptography(identity: simulation.nodes[$0].identity, cluster: 1)
    }
  }

  func signed(_ kind: RelayedBeat.Kind, number: UInt64, term: UInt64? = nil) throws -> RelayedBeat {
    let beat = Frame.Heartbeat(term: term ?? leader.durable.term, number: number)
    let message = RelayedBeat.message(
      kind, beat, leader: leader.id, voter: voter.id, cluster: Samples.cluster,
      founding: try #require(leader.durable.founding))
    return RelayedBeat(
      leader: leader.id, voter: voter.id, beat: beat,
      signature: keys[kind == .heartbeat ? 0 : 1].sign(message))
  }

  /// What `peer` answers to a frame of `sender`, and to whom.
  static func answers(
    of peer: inout Peer, to frame: Frame, from sender: inout Peer, at now: Instant
  ) throws -> [Address] {
    sender.effects = []
    sender.send(frame, to: peer.id)
    let datagram = try #require(sender.effects.sent.first)
    sender.effects = []
    let effects = peer.handle(
      .datagram(datagram, from: sender.configuration.address), at: now)
    return effects.compactMap { if case .send(_, let to) = $0 { to } else { nil } }
  }
}

@Suite struct `A relayed heartbeat` {
  private func frame(heartbeat: RelayedBeat? = nil, promise: RelayedBeat? = nil) -> Frame {
    var frame = Frame()
    frame.relayedHeartbeat = heartbeat
    frame.relayedPromise = promise
    return frame
  }

  @Test func `is passed on once, to the voter, and the promise back`() throws {
    var bench = try VoterBench()
    let there = try VoterBench.answers(
      of: &bench.relay, to: frame(heartbeat: try bench.signed(.heartbeat, number: 900)),
      from: &bench.leader, at: bench.now)
    #expect(there == [bench.voter.configuration.address])
    let back = try VoterBench.answers(
      of: &bench.relay, to: frame(promise: try bench.signed(.promise, number: 900)),
      from: &bench.voter, at: bench.now)
    #expect(back == [bench.leader.configuration.address])
    #expect(bench.relay.counters.relayed == 2)
  }

  @Test func `is promised to by its relay and straight, and binds the voter`() throws {
    var bench = try VoterBench()
    let answers = try VoterBench.answers(
      of: &bench.voter, to: frame(heartbeat: try bench.signed(.heartbeat, number: 900)),
      from: &bench.relay, at: bench.now)
    #expect(
      answers.filter { $0 == bench.relay.configuration.address }.count == 1
        && answers.contains(bench.leader.configuration.address))
    #expect(bench.voter.coordination.bound?.number == 900)
    #expect(bench.voter.coordination.boundUntil == bench.now + bench.voter.timing.promise)
  }

  @Test func `that is older than the last promise extends nothing`() throws {
    var bench = try VoterBench()
    let until = bench.voter.coordination.boundUntil
    let bound = try #require(bench.voter.coordination.bound)
    _ = try VoterBench.answers(
      of: &bench.voter, to: frame(heartbeat: try bench.signed(.heartbeat, number: 1)),
      from: &bench.relay, at: bench.now)
    #expect(bench.voter.coordination.bound == bound)
    #expect(bench.voter.coordination.boundUntil == until)
  }

  @Test func `gives a lease counted from before it was sent`() throws {
    var bench = try VoterBench()
    let number = bench.leader.coordination.number
    let sent = try #require(bench.leader.coordination.sentAt[number])
    bench.leader.coordination.promised = [:]
    _ = try VoterBench.answers(
      of: &bench.leader, to: frame(promise: try bench.signed(.promise, number: number)),
      from: &bench.relay, at: bench.now + .milliseconds(90))
    #expect(bench.leader.leaseUntil(bench.leader.voters) == sent + bench.leader.timing.lease)
  }

  @Test func `that a relay invents or changes is refused and counted`() throws {
    var bench = try VoterBench()
    var forged = [try bench.signed(.heartbeat, number: 900)]
    forged[0].beat.number += 1
    forged.append(try bench.signed(.heartbeat, number: 900))
    forged[1].beat.term += 1
    // A promise is no heartbeat, and a signature of the relay none of the leader.
    forged.append(try bench.signed(.promise, number: 900))
    forged.append(try bench.signed(.heartbeat, number: 900))
    forged[3].signature = bench.keys[2].sign([1])
    let bound = bench.voter.coordination.bound
    for (index, part) in forged.enumerated() {
      let answers = try VoterBench.answers(
        of: &bench.voter, to: frame(heartbeat: part), from: &bench.relay, at: bench.now)
      #expect(answers == [])
      #expect(bench.voter.counters.count(of: .badSignature) == UInt64(index + 1))
      #expect(bench.voter.coordination.bound == bound)
    }
    var promise = try bench.signed(.promise, number: 1)
    promise.beat.number = bench.leader.coordination.number
    let promised = bench.leader.coordination.promised
    _ = try VoterBench.answers(
      of: &bench.leader, to: frame(promise: promise), from: &bench.relay, at: bench.now)
    #expect(bench.leader.counters.count(of: .badSignature) == 1)
    #expect(bench.leader.coordination.promised == promised)
  }

  @Test func `of somebody else, or for somebody who does not vote, goes no further`() throws {
    var bench = try VoterBench()
    // Not from its author: a second relay would make circles.
    let second = try VoterBench.answers(
      of: &bench.relay, to: frame(heartbeat: try bench.signed(.heartbeat, number: 900)),
      from: &bench.voter, at: bench.now)
    var stranger = try bench.signed(.heartbeat, number: 900)
    stranger.voter = Samples.nodes[6]
    let outside = try VoterBench.answers(
      of: &bench.relay, to: frame(heartbeat: stranger), from: &bench.leader, at: bench.now)
    #expect(second == [] && outside == [])
    #expect(bench.relay.counters.count(of: .misrouted) == 2)
    #expect(bench.relay.counters.relayed == 0)
  }

  @Test func `beyond thirty-two a second of one member is dropped and counted`() throws {
    var bench = try VoterBench()
    for number in 0..<UInt64(Limits.relaysPerSecond + 5) {
      let part = try bench.signed(.heartbeat, number: 900 + number)
      _ = try VoterBench.answers(
        of: &bench.relay, to: frame(heartbeat: part), from: &bench.leader, at: bench.now)
    }
    #expect(bench.relay.counters.relayed == UInt64(Limits.relaysPerSecond))
    #expect(bench.relay.counters.count(of: .rateLimited) == 5)
  }
}
