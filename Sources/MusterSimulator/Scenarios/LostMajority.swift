import MusterProtocol
import MusterState

/// Who is lost with a majority, who survives it, and who may recover the cluster. An operator sees
/// all of it before deciding; so does this, on the disks.
struct LostMajority {
  private let simulation: Simulation
  private let lateDisks: [Int: [UInt8]]

  init(_ simulation: Simulation, lateDisks: [Int: [UInt8]]) {
    self.simulation = simulation
    self.lateDisks = lateDisks
  }

  /// The register that acts for a sealed founding, and every later one that somebody holds.
  private struct Ground {
    var founding: FoundingID
    var committed: RegisterBody
    var voters: Set<NodeID>
  }

  private var ground: Ground? {
    let disks = simulation.nodes.compactMap { $0.disk.flatMap { DurableAudit(decoding: $0) } }
    let newest = disks.filter { $0.committedBody?.sealed ?? false }
      .max { $0.committed < $1.committed }
    guard let newest, let body = newest.committedBody else { return nil }
    let later = disks.filter { $0.founding == newest.founding && $0.register >= newest.committed }
    return Ground(
      founding: body.founding, committed: body,
      voters: Set(body.voters + later.flatMap { $0.heldBody?.voters ?? [] }))
  }

  /// All voters but as many as may be lost without harm: of no register can the others be a
  /// majority, not of one that was proposed and may yet be committed either, and not when one of
  /// the lost comes back after the recovery.
  func victims(_ dice: inout SimulatedDice) -> [Int] {
    guard let ground, ground.committed.recoveries.isEmpty else { return [] }
    var survivors = simulation.nodes.indices.filter { index in
      simulation.nodes[index].isRunning
        && ground.committed.voters.contains(simulation.nodes[index].id)
    }
    let bearable = (ground.committed.voters.count - 1) / 2
    while survivors.count > bearable {
      survivors.remove(at: Int(dice.below(UInt64(survivors.count))))
    }
    // Whoever never heard of the seal has nothing to go on from.
    let hasSealed = survivors.contains { index in
      let audit = simulation.nodes[index].running?.core.audit
      return audit?.isSealed ?? false && audit?.founding == ground.founding
    }
    guard hasSealed else { return [] }
    return simulation.nodes.indices.filter { index in
      ground.voters.contains(simulation.nodes[index].id) && !survivors.contains(index)
    }
  }

  /// Of those that run and were not recovered, who holds the newest register; nobody when nothing
  /// was lost, or when a recovery has been written to any disk.
  var survivor: Int? {
    guard simulation.nodes.contains(where: \.isLost), let ground,
      ground.committed.recoveries.isEmpty, !isRecoveredSomewhere
    else { return nil }
    var best: (node: Int, version: RegisterVersion)?
    for index in simulation.nodes.indices where !simulation.nodes[index].isPaused {
      guard let audit = simulation.nodes[index].running?.core.audit, audit.isSealed,
        audit.founding == ground.founding
      else { continue }
      if let known = best, known.version >= audit.register { continue }
      best = (index, audit.register)
    }
    return best?.node
  }

  /// Also where the daemon has not heard yet that the write has ended, or went down before it.
  private var isRecoveredSomewhere: Bool {
    simulation.nodes.indices.contains { index in
      let disks = [
        simulation.nodes[index].disk, simulation.diskAfterWrite(index), lateDisks[index],
      ]
      return disks.contains { disk in
        let audit = disk.flatMap { DurableAudit(decoding: $0) }
        return !(audit?.heldBody?.recoveries.isEmpty ?? true)
      }
    }
  }
}

extension ScenarioRun {
  /// What `muster cluster recover` does there: it looks at what the node holds, and signs.
  mutating func recover(on index: Int, ticket: UInt64) {
    guard let view = simulation.view(index), let founding = view.founding,
      let digest = view.leadership.registerDigest
    else { return }
    let fresh = Bytes16(high: simulation.dice.next(), low: simulation.dice.next())
    var recovery = Recovery(
      from: founding, version: view.register, digest: digest, to: FoundingID(fresh),
      voter: view.node)
    recovery.signature = SimulatedCryptography.authority.sign(
      recovery.message(cluster: simulation.cluster))
    simulation.command(index, .recover(recovery, force: false), ticket: ticket)
  }

  /// It is gone, with all that it has; nothing starts it.
  mutating func lose(_ index: Int) {
    crash(index)
    simulation.nodes[index].isLost = true
  }

  /// It was not gone for ever: here it is, with its disk.
  mutating func comeBack(_ index: Int) {
    simulation.nodes[index].isLost = false
    restart(index, .plain)
  }

  /// One of the lost, once the cluster does without them.
  var returning: Int? {
    guard simulation.nodes.contains(where: { $0.running?.core.isRecovered ?? false }) else {
      return nil
    }
    return simulation.nodes.firstIndex(where: \.isLost)
  }
}
