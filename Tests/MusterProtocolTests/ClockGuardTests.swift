import MusterState
import Testing

@testable import MusterProtocol

@Suite struct `A clock that stood still` {
  private func bench() throws -> (Parley, leader: Int) {
    var parley = try Parley(priorities: [100, 100, 100], seed: 9)
    let leader = try parley.settle()
    parley.run(for: .seconds(3))
    return (parley, leader)
  }

  @Test func `ends a lease at once, and another one leads`() throws {
    var (parley, leader) = try bench()
    let term = parley.peers[leader].durable.term
    parley.tell(leader, .clockStood(.seconds(30)))
    #expect(!parley.peers[leader].hasValidLease)
    #expect(parley.peers[leader].coordination.resigned == term)
    #expect(parley.peers[leader].counters.clockStops == 1)
    let took = parley.run(within: .seconds(5)) { !$0.leaders.isEmpty && $0.leaders != [leader] }
    #expect(took ?? .seconds(9) < .seconds(2))
    #expect(
      parley.events.contains { $0.node == leader && $0.event == .clockStood(.seconds(30)) })
  }

  @Test func `extends no promise and shortens none`() throws {
    var (parley, leader) = try bench()
    let voter = (leader + 1) % 3
    let coordination = parley.peers[voter].coordination
    let late = Frame.Heartbeat(
      term: parley.peers[voter].durable.term, number: (coordination.bound?.number ?? 0) + 1)
    parley.peers[voter].take(heartbeat: late, from: parley.peers[leader].id, via: nil)
    parley.tell(voter, .clockStood(.seconds(30)))
    #expect(parley.peers[voter].coordination.bound == coordination.bound)
    #expect(parley.peers[voter].coordination.boundUntil == coordination.boundUntil)
    parley.run(for: .seconds(5))
    #expect(parley.leaders == [leader])
  }

  @Test func `ends a candidacy`() throws {
    var (parley, leader) = try bench()
    let other = (leader + 1) % 3
    parley.peers[other].coordination.role = .candidate
    parley.tell(other, .clockStood(.seconds(2)))
    #expect(parley.peers[other].coordination.role == .follower)
  }
}
