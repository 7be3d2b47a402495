import MusterProtocol
import MusterState

/// Every bound in `Limits` holds, and no node passes a record on more often than it has taken one.
struct LimitsKept: Checker {
  let name = "limits-kept"

  mutating func lookAround(in simulation: Simulation) throws(Violation) {
    if simulation.largestDatagram > Limits.datagramBytes {
      throw broken(simulation, "a datagram has \(simulation.largestDatagram) bytes")
    }
    for node in simulation.nodes {
      guard let peer = node.peer else { continue }
      for row in peer.occupancy where row.count > row.limit {
        throw broken(
          simulation, "\(node.name) holds \(row.count) \(row.table); the limit is \(row.limit)")
      }
      if peer.counters.recordsForwarded > peer.counters.recordsApplied {
        throw broken(
          simulation,
          "\(node.name) passed on \(peer.counters.recordsForwarded) records and took "
            + "\(peer.counters.recordsApplied)")
      }
    }
  }
}
