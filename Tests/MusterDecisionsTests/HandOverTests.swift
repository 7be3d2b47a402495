import MusterDecisions
import MusterState
import Testing

@Suite struct HandOverDecisionTests {
  private func asked(term: UInt64 = 3, to successor: NodeID? = nil) -> Cluster {
    var cluster = Cluster(count: 5, voters: [0, 1, 2])
    cluster.sight.requests = [
      Request(node: Cluster.nodes[4], nonce: 7, action: .stepDown(term: term, to: successor))
    ]
    return cluster
  }

  private func handOver(_ cluster: Cluster) -> HandOver? {
    MusterDecisions.handOver(cluster.body, seeing: cluster.sight)
  }

  @Test func `the leader of the term hands over and leaves the answer to its successor`() {
    let cluster = asked(to: Cluster.nodes[1])
    #expect(handOver(cluster) == HandOver(successor: Cluster.nodes[1]))
    #expect(cluster.next.answers == [])
    #expect(handOver(asked()) == HandOver(successor: nil))
  }

  @Test func `a later leader answers and stays`() {
    for successor in [nil, Cluster.nodes[0]] {
      let cluster = asked(term: 2, to: successor)
      #expect(handOver(cluster) == nil)
      #expect(
        cluster.next.answers == [RequestAnswer(node: Cluster.nodes[4], nonce: 7, refusal: "")])
    }
    let other = asked(term: 2, to: Cluster.nodes[1])
    #expect(handOver(other) == nil)
    #expect(other.next.answers.first?.refusal.contains("another node was elected") ?? false)
  }

  @Test(arguments: [
    (0, "leads already"), (3, "does not vote"), (1, "not alive"), (2, "priority is 0"),
  ])
  func `a successor that cannot be is refused`(index: Int, reason: String) {
    var cluster = asked(to: Cluster.nodes[index])
    cluster.die([1])
    cluster.each([2]) { $0.priority = 0 }
    #expect(handOver(cluster) == nil)
    #expect(
      cluster.next.answers.first?.refusal.contains(reason) ?? false, "\(cluster.next.answers)")
  }

  @Test func `a successor that is behind is refused until it has caught up`() {
    var cluster = asked(to: Cluster.nodes[1])
    cluster.each([1]) { $0.holdsRegister = false }
    #expect(handOver(cluster) == nil)
    #expect(cluster.next.answers.first?.refusal.contains("newest register") ?? false)
  }

  @Test func `without anybody who could lead the leader stays`() {
    var cluster = asked()
    cluster.each([1]) { $0.isLeaving = true }
    cluster.each([2]) { $0.priority = 0 }
    #expect(handOver(cluster) == nil)
    #expect(cluster.next.answers.first?.refusal.contains("no other voter could lead") ?? false)
  }
}

@Suite struct PriorityElectorateTests {
  private struct Dice {
    var state: UInt64
    mutating func roll(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
  }

  @Test func `members with the highest priorities become voters first`() {
    var cluster = Cluster(count: 9, voters: [0])
    cluster.each(Array(0..<9)) { $0.sinceMilliseconds = 10_000 }
    cluster.each([8, 5]) { $0.priority = 200 }
    cluster.each([1]) { $0.priority = 0 }
    cluster.run()
    #expect(cluster.body.voters == [0, 2, 3, 4, 5, 6, 8].map { Cluster.nodes[$0] })
  }

  @Test func `nobody is replaced for a higher priority`() {
    var cluster = Cluster(count: 9, voters: [0, 1, 2, 3, 4, 5, 6])
    cluster.each(Array(0..<9)) { $0.sinceMilliseconds = 10_000 }
    cluster.each([7, 8]) { $0.priority = 255 }
    #expect(cluster.next == cluster.body)
  }

  @Test func `who is spare has the lowest priority`() {
    var cluster = Cluster(count: 4, voters: [0, 1, 2, 3])
    cluster.each(Array(0..<4)) { $0.sinceMilliseconds = 10_000 }
    cluster.each([1]) { $0.priority = 50 }
    #expect(cluster.next.voters == [0, 2, 3].map { Cluster.nodes[$0] })
  }

  @Test func `whatever happens: at most seven, one at a time, never fewer than three by death`() {
    for seed in UInt64(1)...400 {
      var dice = Dice(state: seed &* 0x9e37_79b9_7f4a_7c15)
      var cluster = Cluster(count: 9, voters: [0, 1, 2])
      for _ in 0..<40 {
        for index in 1..<9 {
          cluster.sight.nodes[index].isAlive = dice.roll(3) > 0
          cluster.sight.nodes[index].sinceMilliseconds = Int64(dice.roll(4)) * 25_000
          cluster.sight.nodes[index].priority = UInt8(dice.roll(3) * 100)
        }
        let next = cluster.next
        let changed = Set(next.voters).symmetricDifference(cluster.body.voters)
        #expect(changed.count <= 1, "seed \(seed)")
        #expect((3...Limits.voters).contains(next.voters.count), "seed \(seed)")
        #expect(next.voters.contains(cluster.sight.leader), "seed \(seed)")
        // What was seen in another order leads to the same voters.
        var shuffled = cluster
        for index in shuffled.sight.nodes.indices.dropFirst() {
          shuffled.sight.nodes.swapAt(index, Int(dice.roll(UInt64(index) + 1)))
        }
        #expect(shuffled.next.voters == next.voters, "seed \(seed)")
        cluster.body = next
      }
      // Left in peace it becomes odd, and stays as it is.
      cluster.each(Array(0..<9)) {
        $0.isAlive = true
        $0.sinceMilliseconds = 100_000
      }
      cluster.run()
      #expect(cluster.body.voters.count == 7, "seed \(seed)")
      #expect(cluster.next == cluster.body)
    }
  }
}
