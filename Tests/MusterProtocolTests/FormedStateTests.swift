import MusterSimulator
import MusterState
import Testing

@testable import MusterProtocol

@Suite struct FormedStateTests {
  @Test(arguments: [2, 5, 16, 17, 300])
  func `relays are a few others that are alive, each once`(count: Int) throws {
    var peer = try #require(FormedCluster.peers(count: count, seed: 4).peers.first)
    let (suspect, node) = (peer.ring[count / 2], peer.ring[count - 1])
    peer.members[suspect]?.state = .suspect
    let observers = peer.observers(of: node, wide: false).filter { $0 != peer.id }
    var drawn: Set<NodeID> = []
    for _ in 0..<200 {
      let relays = peer.drawRelays(to: node)
      let others = peer.ring.filter { $0 != peer.id && $0 != node && $0 != suspect }
      #expect(relays.count == min(3, others.count))
      #expect(Set(relays).count == relays.count)
      #expect(relays.allSatisfy { others.contains($0) })
      // Its other observers first, who look for themselves then.
      #expect(observers.prefix(3).allSatisfy { relays.contains($0) })
      drawn.formUnion(relays)
    }
    // Where an observer is missing somebody else is drawn, by chance and not always the same.
    let chosen = Set(observers.prefix(3))
    #expect(chosen.count == 3 || drawn.count * 4 >= (count - 3) * 3)
  }

  @Test func `every record, vote and register of a formed cluster is signed`() throws {
    let peers = FormedCluster.peers(count: 9, seed: 6).peers
    let first = try #require(peers.first)
    let entry = try #require(first.coordination.entry)
    #expect(
      first.isValid(
        first.coordinationCards.leaders.compactMap {
          first.coordinationCards[$0]?.certificate
        }[0], voters: entry.body.voters, founding: entry.body.founding))
    var count = 0
    for author in first.members.keys {
      let key = try #require(first.members[author]?.key)
      for record in first.store.records(of: author) {
        count += 1
        #expect(
          record.isSigned(
            by: key, cluster: FormedCluster.cluster, verifier: first.cryptography))
        #expect(first.store[first.recordKey(author, record.name)] == record)
      }
    }
    #expect(count == 27)
    for known in first.coordination.history {
      #expect(
        ChunkTree.assemble(known.digest, from: first.chunks.chunks)
          == .complete(known.entry.encoded))
    }
    #expect(first.coordination.history.count == 3)
  }

  @Test func `a disk of a formed cluster is read, and is what its member would write`() throws {
    let cluster = FormedCluster.peers(count: 9, seed: 6)
    for (peer, disk) in zip(cluster.peers, cluster.disks) {
      #expect(try Durable(decoding: disk) == peer.durable)
      #expect(peer.durable == peer.coordination.wrote)
    }
    #expect(Set(cluster.disks).count == 8, "seven voters, and one disk for who does not vote")
  }
}
