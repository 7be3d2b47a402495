import MusterProtocol
import MusterState

/// A record that anyone holds was signed by its author, and what one life of an observer knows of
/// an author's record never goes back.
struct GenuineRecords: Checker {
  let name = "genuine-records"
  private struct Key: Hashable {
    var observer: Int
    var life: Int
    var author: NodeID
    var record: RecordName
  }
  private struct Known: Hashable {
    var counter: UInt64
    var version: UInt64
  }
  private var stamps: [Key: Known] = [:]
  /// Records whose signature was checked already.
  private var genuine: Set<[UInt8]> = []

  mutating func lookAround(in simulation: Simulation) throws(Violation) {
    var keys: [NodeID: PublicKey] = [:]
    let nodes = simulation.nodes
    for node in nodes { keys[node.id] = node.cryptography.publicKey }
    for index in simulation.sample {
      guard let running = nodes[index].running else { continue }
      for record in running.core.records {
        let name = "\(nodes[index].name) holds \(record.name.text) of \(record.author.short)"
        let mark = Array(record.signature.bytes.prefix(16)) + record.content
        if !genuine.contains(mark) {
          let key = keys[record.author] ?? simulation.formerKeys[record.author]
          guard let key,
            record.isSigned(
              by: key, cluster: simulation.cluster, verifier: nodes[index].cryptography)
          else { throw broken(simulation, "\(name), which its author never signed") }
          if genuine.count > 200_000 { genuine = [] }
          genuine.insert(mark)
        }
        let key = Key(
          observer: index, life: nodes[index].life, author: record.author, record: record.name)
        let known = Known(counter: record.stamp.counter, version: record.stamp.version)
        if let old = stamps[key],
          known.counter < old.counter
            || known.counter == old.counter && known.version < old.version
        {
          throw broken(simulation, "\(name), which went back")
        }
        stamps[key] = known
      }
    }
  }
}
