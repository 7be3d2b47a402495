import MusterProtocol
import MusterState

/// Every bound in `Limits` holds, and no node passes a record on more often than it has taken one.
struct LimitsKept: Checker {
  let name = "limits-kept"

  mutating func lookAround(in simulation: Simulation) throws(Violation) {
    if simulation.largestDatagram > Limits.datagramBytes {
      throw broken(simulation, "a datagram has \(simulation.largestDatagram) bytes")
    }
    for index in simulation.sample {
      let node = simulation.nodes[index]
      guard let running = node.running else { continue }
      for row in running.core.occupancy where row.count > row.limit {
        throw broken(
          simulation, "\(node.name) holds \(row.count) \(row.table); the limit is \(row.limit)")
      }
      let counters = running.core.counters
      if counters.recordsForwarded > counters.recordsApplied {
        throw broken(
          simulation,
          "\(node.name) passed on \(counters.recordsForwarded) records and took "
            + "\(counters.recordsApplied)")
      }
    }
  }
}
