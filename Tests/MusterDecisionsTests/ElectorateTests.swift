import MusterDecisions
import MusterState
import Testing

@Suite struct ElectorateTests {
  /// Lets members be of the same age, and the leader decide until it is content.
  private func settled(count: Int, voters: [Int], age: Int64 = 10_000) -> Cluster {
    var cluster = Cluster(count: count, voters: voters)
    cluster.each(Array(0..<count)) { $0.sinceMilliseconds = age }
    cluster.run()
    return cluster
  }

  @Test(arguments: [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (6, 5), (7, 7), (8, 7), (9, 7)])
  func `so many members have so many voters`(members: Int, voters: Int) {
    let cluster = settled(count: members, voters: [0])
    #expect(cluster.body.voters.count == voters)
    #expect(cluster.body.voters == cluster.body.voters.sorted())
  }

  @Test func `one voter changes at a time, whatever happens`() {
    for seed in UInt64(1)...300 {
      var dice = seed &* 0x9e37_79b9_7f4a_7c15
      func roll(_ bound: UInt64) -> UInt64 {
        dice = dice &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (dice >> 33) % bound
      }
      var cluster = Cluster(count: 9, voters: [0, 1, 2])
      for _ in 0..<40 {
        for index in 1..<9 {
          cluster.sight.nodes[index].isAlive = roll(3) > 0
          cluster.sight.nodes[index].isLeaving = roll(12) == 0
          cluster.sight.nodes[index].sinceMilliseconds = Int64(roll(4)) * 25_000
        }
        let next = cluster.next
        let changed = Set(next.voters).symmetricDifference(cluster.body.voters)
        #expect(changed.count <= 1, "seed \(seed)")
        #expect((1...Limits.voters).contains(next.voters.count))
        #expect(next.voters == next.voters.sorted())
        #expect(next.voters.contains(cluster.sight.leader))
        if !changed.isEmpty {
          var rest = next
          rest.voters = cluster.body.voters
          #expect(rest == cluster.body, "voters change alone")
        }
        cluster.body = next
      }
    }
  }

  @Test func `a member votes only after it was stable for a while`() {
    var cluster = Cluster(count: 5, voters: [0])
    cluster.each([1, 2, 3, 4]) { $0.sinceMilliseconds = 9_999 }
    #expect(cluster.next == cluster.body)
    cluster.each([3]) { $0.sinceMilliseconds = 10_000 }
    cluster.each([4]) { $0.sinceMilliseconds = 10_000 }
    #expect(cluster.next.voters == [Cluster.nodes[0], Cluster.nodes[3]])
  }

  @Test func `a dead voter is replaced, the successor first`() {
    var cluster = settled(count: 4, voters: [0, 1, 2])
    cluster.die([1], since: 59_999)
    #expect(cluster.next == cluster.body)
    cluster.die([1], since: 60_000)
    #expect(cluster.next.voters == [0, 1, 2, 3].map { Cluster.nodes[$0] })
    cluster.body = cluster.next
    #expect(cluster.next.voters == [0, 2, 3].map { Cluster.nodes[$0] })
    cluster.run()
    #expect(cluster.body.voters == [0, 2, 3].map { Cluster.nodes[$0] })
  }

  @Test func `three voters do not shrink because one is dead`() {
    var cluster = settled(count: 3, voters: [0, 1, 2])
    cluster.die([1, 2], since: 1 << 40)
    #expect(cluster.next == cluster.body)
  }

  @Test func `five voters shrink to three when nobody can take a place`() {
    var cluster = settled(count: 5, voters: [0, 1, 2, 3, 4])
    cluster.die([3, 4], since: 60_000)
    cluster.run()
    #expect(cluster.body.voters == [0, 1, 2].map { Cluster.nodes[$0] })
  }

  @Test func `a voter that leaves makes room`() {
    var cluster = settled(count: 4, voters: [0, 1, 2])
    cluster.each([2]) { $0.isLeaving = true }
    cluster.run()
    #expect(cluster.body.voters == [0, 1, 3].map { Cluster.nodes[$0] })
  }
}
