import MusterProtocol
import MusterState

/// What each action of a scenario does to the machines and the network.
extension ScenarioRun {
  /// What an action makes a machine do is a turn of it like any other, and looked at like one.
  mutating func carryOut(_ action: Scenario.Action) throws(Violation) {
    switch action {
    case .start(let target): try each(target) { $0.start($1) }
    case .join(let target, let via):
      try each(target) { $0.join($1, via: via) }
    case .crash(let target): try each(target) { $0.crash($1) }
    case .restart(let target, let how): try each(target) { $0.restart($1, how) }
    case .lose(let target): try each(target) { $0.lose($1) }
    case .comeBack(let target): try each(target) { $0.comeBack($1) }
    case .pause(let target, let stands):
      try each(target) { run, node in
        guard run.simulation.nodes[node].isRunning else { return }
        run.simulation.pause(node, clockStands: stands)
      }
    case .resume(let target): try each(target) { $0.simulation.resume($1) }
    case .starve(let target, let span):
      try each(target) { $0.simulation.nodes[$1].starvation = span }
    case .clock(let target, let rate):
      try each(target) { $0.simulation.setClockRate($1, rate) }
    case .operate(let operation, let target):
      try each(target) { $0.operate(operation, on: $1) }
    case .plant(let bugs, let target):
      try each(target) { $0.simulation.plant(bugs, on: $1) }
    case .calm: try calm()
    case .share(let fault, let target):
      injure(fault, target)
    default:
      changeNetwork(action)
    }
  }

  private mutating func each(
    _ target: Scenario.Target, _ body: (inout ScenarioRun, Int) -> Void
  ) throws(Violation) {
    for node in resolveDrawing(target) {
      simulation.beginTurn(node)
      affected += 1
      body(&self, node)
      try look()
    }
  }

  /// Who survives is left to chance.
  private mutating func resolveDrawing(_ target: Scenario.Target) -> [Int] {
    guard target == .majority else { return resolve(target) }
    let majority = LostMajority(simulation, lateDisks: lateDisks)
    return majority.victims(&simulation.dice)
  }

  func resolve(_ target: Scenario.Target) -> [Int] {
    switch target {
    case .majority: return []
    case .survivor:
      return LostMajority(simulation, lateDisks: lateDisks).survivor.map { [$0] } ?? []
    case .lost: return returning.map { [$0] } ?? []
    case .nodes(let nodes): return nodes.filter { $0 < simulation.nodes.count }
    case .all: return Array(simulation.nodes.indices)
    case .leader: return leader.map { [$0] } ?? []
    case .followers: return simulation.nodes.indices.filter { $0 != leader }
    case .follower:
      guard let leader,
        let voters = simulation.nodes[leader].running?.core.registerLink?.body.voters
      else { return [] }
      let follower = simulation.nodes.indices.first { index in
        guard index != leader, let id = simulation.nodes[index].running?.core.id else {
          return false
        }
        return voters.contains(id)
      }
      return follower.map { [$0] } ?? []
    }
  }

  /// Who holds a lease; of nobody, who leads without one.
  private var leader: Int? {
    Claims(simulation).holders.first
      ?? simulation.nodes.indices.first {
        simulation.nodes[$0].running?.core.audit.isLeader ?? false
      }
  }

  // MARK: - Machines

  private mutating func start(_ node: Int) {
    guard !simulation.nodes[node].isRunning, !simulation.nodes[node].isLost else { return }
    snapshots[node] = (simulation.nodes[node].disk, simulation.nodes[node].incarnation)
    simulation.boot(node, founds: scenario.expect == 1 && node == 0)
  }

  private mutating func join(_ node: Int, via: Int) {
    guard !simulation.nodes[node].isRunning, !simulation.nodes[node].isLost else { return }
    simulation.boot(node, join: [simulation.nodes[via].address], multicast: false)
  }

  mutating func crash(_ node: Int) {
    guard simulation.nodes[node].isRunning else { return }
    lateDisks[node] = simulation.diskAfterWrite(node)
    simulation.crash(node)
  }

  mutating func restart(_ node: Int, _ how: Scenario.Restart) {
    // What has never run, or is gone for good, is not started again.
    guard simulation.nodes[node].incarnation > 0, !simulation.nodes[node].isLost else { return }
    if simulation.nodes[node].isRunning { crash(node) }
    switch how {
    case .plain: break
    case .written:
      simulation.nodes[node].disk = lateDisks[node] ?? simulation.nodes[node].disk
    case .withoutDisk: simulation.loseDisk(node)
    case .oldDisk:
      if let old = snapshots[node], old.incarnation > 0 {
        simulation.nodes[node].disk = old.disk
        simulation.nodes[node].incarnation = old.incarnation
      }
    case .withoutState: simulation.nodes[node].disk = nil
    }
    lateDisks[node] = nil
    if how != .oldDisk {
      snapshots[node] = (simulation.nodes[node].disk, simulation.nodes[node].incarnation)
    }
    simulation.boot(node)
  }

  private mutating func operate(_ operation: Scenario.Operation, on node: Int) {
    // A process that is held answers no operator.
    guard simulation.nodes[node].isRunning, !simulation.nodes[node].isPaused else { return }
    tickets += 1
    switch operation {
    case .leave: simulation.command(node, .leave, ticket: tickets)
    case .forget(let other):
      let id = simulation.nodes[other].id
      simulation.command(node, .forget(id, authority: nil), ticket: tickets)
    case .set(let key, let value):
      simulation.command(node, .setCluster(key: key, value: value), ticket: tickets)
    case .data(let key, let value):
      simulation.command(node, .setOwn(key: key, value: value), ticket: tickets)
    case .release(let version):
      let digest = SimulatedCryptography(identity: 0, cluster: 1).digest(Array(version.utf8))
      simulation.command(
        node,
        .addRelease(
          ReleaseSource(version: version, source: "file:///releases", archive: digest)),
        ticket: tickets)
    case .repair(let version):
      simulation.command(node, .repairRelease(version), ticket: tickets)
    case .remove(let version):
      simulation.command(node, .removeRelease(version), ticket: tickets)
    case .collect: simulation.command(node, .collect, ticket: tickets)
    case .version(let version):
      simulation.command(node, .setCluster(key: "version", value: version), ticket: tickets)
    case .upgrade(let version, let options):
      simulation.command(node, .upgrade(version, options), ticket: tickets)
    case .steer(let order): simulation.command(node, .steer(order, nil), ticket: tickets)
    case .handOver(let other):
      simulation.command(node, .stepDown(to: simulation.id(other)), ticket: tickets)
    case .stepDown: simulation.command(node, .stepDown(to: nil), ticket: tickets)
    case .recover: recover(on: node, ticket: tickets)
    }
  }

  /// Everything that ails the cluster stops; who should run, runs.
  private mutating func calm() throws(Violation) {
    simulation.network.calm()
    simulation.share.calm()
    for node in simulation.nodes.indices {
      simulation.beginTurn(node)
      simulation.nodes[node].starvation = .zero
      simulation.nodes[node].habits = SimulatedAgent.Habits()
      simulation.resume(node)
      switch simulation.nodes[node].stopped {
      case .left, .forgotten, .cloned: continue
      case .nameTaken, nil: break
      }
      try look()
      simulation.beginTurn(node)
      if !simulation.nodes[node].isRunning, simulation.nodes[node].incarnation > 0,
        simulation.nodes[node].stopped == nil
      {
        restart(node, .plain)
        try look()
      }
    }
  }

  private mutating func injure(_ fault: Scenario.ShareFault, _ target: Scenario.Target) {
    let nodes = Set(resolve(target))
    switch fault {
    case .full: simulation.share.isFull = true
    case .lost: simulation.share.lost.formUnion(nodes)
    case .readOnly: simulation.share.readOnly.formUnion(nodes)
    case .stale: simulation.share.staleness = .seconds(1)
    case .corrupt: simulation.share.corrupt()
    case .ready: simulation.share.calm()
    }
  }

  // MARK: - Network

  private mutating func changeNetwork(_ action: Scenario.Action) {
    switch action {
    case .partition(let groups):
      simulation.network.cut = []
      for left in groups.indices {
        for right in groups.indices where left < right {
          simulation.network.partition(groups[left], groups[right])
        }
      }
    case .cut(let from, let to):
      for link in links(from, to) { simulation.network.cut.insert(link) }
    case .clog(let from, let to, let span):
      for link in links(from, to) { simulation.network.clogged[link] = simulation.now + span }
    case .linkLoss(let from, let to, let loss):
      for link in links(from, to) { simulation.network.linkLoss[link] = loss }
    case .loss(let loss): simulation.network.lossPerMille = loss
    case .duplicate(let share): simulation.network.duplicatedPerMille = share
    case .late(let share): simulation.network.latePerMille = share
    case .delay(let delay, let jitter):
      simulation.network.delay = delay
      simulation.network.jitter = jitter
    case .bandwidth(let bytes): simulation.network.bytesPerSecond = bytes
    case .multicast(let groups):
      simulation.network.allowsMulticast = groups != nil
      simulation.network.multicastZone = [:]
      for (zone, nodes) in (groups ?? []).enumerated() {
        for node in nodes { simulation.network.multicastZone[node] = zone + 1 }
      }
    case .heal: simulation.network.heal()
    default: preconditionFailure("carried out by `carryOut`")
    }
  }

  private func links(
    _ from: Scenario.Target, _ to: Scenario.Target
  ) -> [SimulatedNetwork.Link] {
    let receivers = resolve(to)
    return resolve(from).flatMap { sender in
      receivers.filter { $0 != sender }.map { SimulatedNetwork.Link(sender, $0) }
    }
  }
}

extension Scenario.Action {
  /// Whether there may be nobody whom it is for.
  var isForWhomeverThereIs: Bool {
    switch self {
    case .lose(.majority), .comeBack(.lost), .operate(.recover, on: .survivor): true
    default: false
    }
  }

  /// The kind of thing, for the count of faults.
  package var kind: String {
    switch self {
    // What ends a fault is none.
    case .share(.ready, _), .starve(_, .zero): return "heal"
    case .multicast(let groups?) where groups.count < 2: return "heal"
    default: break
    }
    return String(Scenario.text(self).prefix { $0 != " " })
  }
}
