import MusterState
import Testing

@testable import MusterProtocol

@Suite struct OverlayTests {
  private func nodes(_ count: Int, seed: UInt64 = 1) -> [NodeID] {
    var generator = Generator(
      seed: Bytes32(first: Bytes16(high: seed, low: 2), second: Bytes16(high: 3, low: 4)))
    return (0..<count).map { _ in NodeID(generator.bytes16()) }
  }

  private func overlay(_ nodes: [NodeID]) -> Overlay {
    var overlay = Overlay()
    for node in nodes { overlay.insert(node) }
    return overlay
  }

  @Test(arguments: [1, 2, 3, 4, 7, 20, 100])
  func `neighbours are mutual, at most six, and never oneself`(count: Int) {
    let nodes = nodes(count)
    let overlay = overlay(nodes)
    for node in nodes {
      let neighbours = overlay.neighbours(of: node)
      #expect(neighbours.count <= Limits.neighbours)
      #expect(neighbours.count >= min(count - 1, 2))
      #expect(!neighbours.contains(node))
      for other in neighbours { #expect(overlay.neighbours(of: other).contains(node)) }
    }
  }

  @Test(arguments: [2, 10, 100, 1_000])
  func `a flood reaches everyone in about a logarithm of hops`(count: Int) {
    let nodes = nodes(count, seed: 9)
    let overlay = overlay(nodes)
    var reached: Set = [nodes[0]]
    var edge = [nodes[0]]
    var hops = 0
    while !edge.isEmpty {
      edge = edge.flatMap { overlay.neighbours(of: $0) }.filter { reached.insert($0).inserted }
      if !edge.isEmpty { hops += 1 }
    }
    #expect(reached.count == count)
    #expect(hops <= 8)
  }

  @Test func `the order of arrival does not matter, and who has gone leaves no trace`() {
    let nodes = nodes(40)
    var other = overlay(nodes.reversed() + self.nodes(5, seed: 77))
    for node in self.nodes(5, seed: 77) { other.remove(node) }
    other.remove(nodes[3])
    other.remove(nodes[3])
    other.insert(nodes[3])
    other.insert(nodes[3])
    let first = overlay(nodes)
    #expect(nodes.allSatisfy { first.neighbours(of: $0) == other.neighbours(of: $0) })
  }

  @Test func `a sorted list keeps its order and holds each once`() {
    let nodes = nodes(50)
    var list: [NodeID] = []
    for node in nodes + nodes { list.insertSorted(node) }
    #expect(list == nodes.sorted())
    #expect(nodes.allSatisfy { list.containsSorted($0) })
    for node in nodes.dropFirst(25) {
      list.removeSorted(node)
      list.removeSorted(node)
    }
    #expect(list == nodes.prefix(25).sorted())
  }

  @Test func `agreement counts only who is in the view`() {
    var agreement = Agreement()
    agreement.insert(0)
    agreement.insert(9)
    agreement.insert(Agreement.members)
    #expect(agreement.bits == [1, 2])
    #expect(agreement.count(limit: 9) == 1)
    let isNew = agreement.formUnion([0, 0, 4])
    let isOld = agreement.formUnion([1])
    #expect(isNew && !isOld)
    #expect(agreement.count(limit: 100) == 3)
  }
}
