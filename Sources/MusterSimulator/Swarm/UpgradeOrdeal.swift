import MusterProtocol
import MusterState

/// One upgrade of five machines, met by one fault at one chosen event of it.
///
/// The same seed gives the same run up to the fault, so every event of an upgrade can be tried,
/// one after the other.
package struct UpgradeOrdeal: Sendable {
  package enum Fault: String, Hashable, Sendable, CaseIterable {
    case crash, pause, partition
  }

  /// An event of the undisturbed run.
  package struct Point: Hashable, Sendable {
    /// How many events of the upgrade came before it, itself included.
    package var turn: Int
    /// Whose event it was, and who led.
    package var node: Int
    package var leader: Int
    /// Whether it did something that others could notice: an effect was just carried out.
    package var isNotable: Bool
    /// What the leader held to be the phase.
    package var phase: String
  }

  /// How a disturbed run ended.
  package struct Outcome: Hashable, Sendable {
    /// From the heal until everything was as it should be; `nil`: not within the limit.
    package var wholeAfter: TimeSpan?
    package var version: String
    /// What was missing at the end.
    package var missing: String
  }

  /// The fault lasts for so long; after the heal everything must be whole within the other.
  package static let length = TimeSpan.seconds(15)
  package static let limit = TimeSpan.seconds(30)

  package var seed: UInt64
  package var options: UpgradeOptions
  package var machines = 5

  package init(seed: UInt64, options: UpgradeOptions) {
    self.seed = seed
    self.options = options
  }

  /// The events of the undisturbed run, from the operator's command to the end of the plan.
  package func points() throws(Violation) -> [Point] {
    var run = try begin()
    var points: [Point] = []
    var leader = 0
    var hasBegun = false
    while points.count < 20_000 {
      try run.step()
      if let holder = run.leader { leader = holder }
      let plan = run.plan(of: leader)
      hasBegun = hasBegun || plan != nil
      let turn = run.simulation.turn
      points.append(
        Point(
          turn: points.count + 1, node: turn.node, leader: leader,
          isNotable: !turn.events.isEmpty || !turn.deeds.isEmpty,
          phase: plan.map { "\($0.phase.name) \($0.wave)" } ?? "idle"))
      if hasBegun, plan == nil, run.missing(version: "2") == nil { return points }
    }
    throw Violation(
      checker: "upgrade-ordeal", at: run.simulation.now,
      text: "the undisturbed upgrade does not end: \(run.missing(version: "2") ?? "")")
  }

  /// The same run with a fault of `node` just behind `point`.
  package func run(_ fault: Fault, of node: Int, at point: Point) throws(Violation) -> Outcome {
    var run = try begin()
    for _ in 0..<point.turn { try run.step() }
    try run.inflict(fault, on: node)
    try run.advance(to: run.simulation.now + Self.length)
    try run.heal(fault, of: node)
    let healed = run.simulation.now
    while run.simulation.now < healed + Self.limit {
      if run.missing(version: nil) == nil { break }
      try run.advance(to: run.simulation.now + .milliseconds(200))
    }
    try run.checkers.lookAround(in: run.simulation)
    let missing = run.missing(version: nil)
    return Outcome(
      wholeAfter: missing == nil ? run.simulation.now - healed : nil,
      version: run.simulation.nodes[0].agent.status.running?.version ?? "none",
      missing: missing ?? "")
  }

  /// Five machines that run release 1, just after an operator has asked for 2.
  private func begin() throws(Violation) -> UpgradeRun {
    var run = UpgradeRun(seed: seed, machines: machines)
    try run.advance(to: .zero + .seconds(1))
    run.announce("1", on: 0)
    try run.command(.setCluster(key: "version", value: "1"), on: 0)
    let end = run.simulation.now + .seconds(60)
    while run.simulation.now < end, run.missing(version: "1") != nil {
      try run.advance(to: run.simulation.now + .milliseconds(200))
    }
    if let missing = run.missing(version: "1") {
      throw Violation(checker: "upgrade-ordeal", at: run.simulation.now, text: missing)
    }
    run.announce("2", on: 1)
    try run.advance(to: run.simulation.now + .milliseconds(500))
    try run.command(.upgrade("2", options), on: 1)
    return run
  }
}

/// A simulation with all promises held against each event.
private struct UpgradeRun {
  var simulation: Simulation
  var checkers = Checkers()
  private var tickets: UInt64 = 0

  init(seed: UInt64, machines: Int) {
    simulation = Simulation(seed: seed, expect: UInt32(machines))
    simulation.runsAgents = true
    simulation.keepsEvents = false
    simulation.revives = true
    for node in 0..<machines { simulation.add(name: Scenario.name(of: node)) }
    simulation.form(usesMulticast: true)
    checkers.assume(simulation)
  }

  mutating func step() throws(Violation) {
    guard simulation.step(upTo: simulation.now + .seconds(60)) else { return }
    try checkers.look(at: simulation)
  }

  mutating func advance(to end: Instant) throws(Violation) {
    while simulation.step(upTo: end) { try checkers.look(at: simulation) }
  }

  mutating func announce(_ version: String, on node: Int) {
    let digest = SimulatedCryptography(identity: 0, cluster: 1).digest(Array(version.utf8))
    tickets += 1
    simulation.beginTurn(node)
    simulation.command(
      node,
      .addRelease(ReleaseSource(version: version, source: "file:///releases", archive: digest)),
      ticket: tickets)
  }

  mutating func command(_ command: Command, on node: Int) throws(Violation) {
    tickets += 1
    simulation.beginTurn(node)
    simulation.command(node, command, ticket: tickets)
    try checkers.look(at: simulation)
  }

  var leader: Int? { Claims(simulation).holders.first }

  func plan(of node: Int) -> Plan? { simulation.nodes[node].running?.core.committedRegister?.plan }

  func missing(version: String?) -> String? {
    if let missing = Wholeness(simulation).missing { return missing }
    guard let version else { return nil }
    let other = simulation.nodes.first { $0.agent.status.running?.version != version }
    return other.map { "\($0.name) does not run \(version)" }
  }

  private func others(than node: Int) -> [Int] { simulation.nodes.indices.filter { $0 != node } }

  mutating func inflict(_ fault: UpgradeOrdeal.Fault, on node: Int) throws(Violation) {
    simulation.beginTurn(node)
    switch fault {
    case .crash: simulation.crash(node)
    case .pause: simulation.pause(node)
    case .partition: simulation.network.partition([node], others(than: node))
    }
    try checkers.look(at: simulation)
  }

  mutating func heal(_ fault: UpgradeOrdeal.Fault, of node: Int) throws(Violation) {
    simulation.beginTurn(node)
    switch fault {
    case .crash: if simulation.nodes[node].running == nil { simulation.boot(node) }
    case .pause: simulation.resume(node)
    case .partition: simulation.network.heal()
    }
    try checkers.look(at: simulation)
  }
}
