import MusterProtocol
import MusterState

/// One scenario being run: what is due is done, every promise is held against every event, and
/// what is expected is looked for.
package struct ScenarioRun {
  /// How a run ended.
  package struct Outcome: Sendable {
    package var violation: Violation?
    package var events = 0
    package var datagrams = 0
    package var looks = 0
    package var faults: [String: Int] = [:]
    /// From the calm to wholeness, when the scenario has a calm.
    package var wholeAfter: TimeSpan?
    package var elections: UInt64 = 0
    package var commits: UInt64 = 0
    package var time = TimeSpan.zero
  }

  package let scenario: Scenario
  package internal(set) var simulation: Simulation
  package private(set) var trace: RunTrace?
  package private(set) var recorder: RunRecorder?
  package internal(set) var outcome = Outcome()
  private var checkers: Checkers
  private var nextStep = 0
  private var waiting: [Scenario.Step] = []
  private var hopes: Hopes
  private var calmSince: Instant?
  /// Disks of earlier starts, for snapshots that come back.
  var snapshots: [Int: (disk: [UInt8]?, incarnation: UInt64)] = [:]
  /// What a disk would hold if its last write had just ended before the crash.
  var lateDisks: [Int: [UInt8]] = [:]
  var tickets: UInt64 = 1_000
  /// How often a machine was made to do something.
  var affected = 0

  package init(_ scenario: Scenario, traced: Bool = false, drawn: Bool = false) {
    self.scenario = scenario
    simulation = Simulation(seed: scenario.seed, expect: scenario.expect)
    simulation.runsAgents = scenario.runsAgents
    simulation.keepsEvents = false
    simulation.revives = true
    for node in 0..<scenario.nodes { simulation.add(name: Scenario.name(of: node)) }
    for node in 0..<scenario.nodes {
      simulation.nodes[node].habits = scenario.habits
      if let offset = scenario.clockOffsets[node] { simulation.setClock(node, offset: offset) }
    }
    if scenario.isFormed { simulation.form(usesMulticast: scenario.nodes <= 50) }
    trace = traced ? RunTrace() : nil
    recorder = drawn ? RunRecorder() : nil
    checkers = Checkers(withoutTime: scenario.isWithoutTime)
    checkers.assume(simulation)
    hopes = Hopes(scenario)
  }

  /// Runs to the end, or to the first promise that is not kept.
  package mutating func run() -> Outcome {
    do throws(Violation) {
      try runThrough()
      try checkers.lookAround(in: simulation)
      try hopes.end(in: simulation)
    } catch {
      outcome.violation = error
      trace?.note(simulation, "VIOLATION \(error.checker): \(error.text)")
    }
    recorder?.end(simulation, outcome.violation)
    outcome.events = simulation.turns
    outcome.datagrams = simulation.datagrams
    outcome.looks = checkers.looks
    outcome.time = simulation.now - .zero
    for node in simulation.nodes {
      outcome.elections += node.running?.core.counters.elections ?? 0
      outcome.commits += node.running?.core.counters.commits ?? 0
    }
    return outcome
  }

  private mutating func runThrough() throws(Violation) {
    let end = Instant.zero + scenario.end
    while simulation.now < end || nextStep < scenario.steps.count {
      try takeStepsDue()
      if isDone { return }
      var boundary = min(end, hopes.nextLook)
      if nextStep < scenario.steps.count {
        boundary = min(boundary, .zero + scenario.steps[nextStep].time)
      }
      guard boundary > simulation.now || simulation.now < end else { return }
      while simulation.step(upTo: boundary) { try look() }
      try hopes.look(at: simulation)
      noteWholeness()
    }
  }

  /// What became of each expectation so far.
  package var verdicts: [ExpectationVerdict] { hopes.verdicts }

  private var isDone: Bool {
    scenario.duration == nil && hopes.areFulfilled && nextStep == scenario.steps.count
  }

  mutating func look() throws(Violation) {
    trace?.note(simulation)
    recorder?.note(simulation)
    try checkers.look(at: simulation)
    if !waiting.isEmpty { try pullTriggers() }
  }

  private mutating func takeStepsDue() throws(Violation) {
    while nextStep < scenario.steps.count,
      .zero + scenario.steps[nextStep].time <= simulation.now
    {
      let step = scenario.steps[nextStep]
      nextStep += 1
      switch step.trigger {
      case .at: try take(step.action)
      case .phase: waiting.append(step)
      }
    }
  }

  private mutating func take(_ action: Scenario.Action) throws(Violation) {
    trace?.note(simulation, "> \(Scenario.text(action))")
    let before = affected
    try carryOut(action)
    // Nobody was lost, or nobody is left to recover: then nothing was done.
    if affected > before || !action.isForWhomeverThereIs {
      outcome.faults[action.kind, default: 0] += 1
    }
    recorder?.note(action, simulation)
    if action == .calm {
      calmSince = simulation.now
      waiting = []
    }
  }

  /// The phase that the leader holds, proposed or committed.
  private mutating func pullTriggers() throws(Violation) {
    guard let running = simulation.nodes[simulation.turn.node].running,
      running.core.audit.isLeader, let plan = running.core.registerLink?.body.plan
    else { return }
    let isCommitted = running.core.audit.committed == running.core.audit.register
    let due = waiting.firstIndex { step in
      guard case .phase(let phase, let committed, _) = step.trigger else { return false }
      return phase == plan.phase && committed == isCommitted
    }
    guard let due else { return }
    try take(waiting.remove(at: due).action)
  }

  private mutating func noteWholeness() {
    guard let calmSince, outcome.wholeAfter == nil else { return }
    if Wholeness(simulation).missing == nil { outcome.wholeAfter = simulation.now - calmSince }
  }
}
