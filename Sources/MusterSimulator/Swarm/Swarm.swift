import MusterProtocol
import MusterState

/// Draws a whole ordeal from one number: how many machines, which faults and how hard, what
/// operators do and when. Then everything that ails the cluster stops, and it has to become whole.
///
/// After FoundationDB's swarm testing: each seed switches most faults off, so that those that are
/// on reach further than all of them together would.
package struct Swarm {
  /// What can be switched on.
  package enum Fault: String, Hashable, Sendable, CaseIterable {
    case partition, oneway, partial, loss, late, duplicate, delay, bandwidth, clog
    case crash, written, phase, coup, disk, pause, clock, starve, share, services, operators
    case multicast
    /// Machines that were not planned come later.
    case join
    /// Operators change what they want, again and again.
    case goals
    /// The majority of the voters is lost for good, and an operator recovers the rest.
    case recovery

    /// Drawn last and by dice of their own, so that a seed without them is the run that it was.
    fileprivate static let drawnLast: Set<Fault> = [.join, .goals, .recovery]
  }

  package struct Options: Sendable {
    /// Drawn when `nil`: mostly small.
    package var nodes: Int?
    /// Which faults may be drawn.
    package var faults: Set<Fault> = Set(Fault.allCases)
    /// How long faults go on; drawn when `nil`.
    package var ordeal: TimeSpan?
    /// Faults that every seed has.
    package var certain: Set<Fault> = []
    package var extras = Extras()
    /// Mistakes planted on every machine.
    package var planted: PlantedBugs = []
    /// Mistakes planted on one machine: a member that lies.
    package var insider: PlantedBugs = []

    package init() {}
  }

  /// How long a cluster may take to become whole again.
  package static func patience(nodes: Int) -> TimeSpan {
    .seconds(nodes <= 10 ? 60 : 120)
  }

  private var dice: SimulatedDice
  let options: Options
  var scenario: Scenario
  private var faults: [Fault] = []
  /// Each machine is down, paused or well until then.
  private var busyUntil: [TimeSpan] = []
  private var departures = 0
  var versions = 0
  private(set) var begins = TimeSpan.zero
  private(set) var ends = TimeSpan.zero

  private init(seed: UInt64, options: Options) {
    dice = SimulatedDice(seed: seed ^ 0x5357_4152_4d21)
    self.options = options
    scenario = Scenario(nodes: 1)
    scenario.seed = seed
  }

  /// The ordeal of a seed.
  package static func scenario(seed: UInt64, options: Options = Options()) -> Scenario {
    var swarm = Swarm(seed: seed, options: options)
    swarm.draw()
    return swarm.scenario
  }

  private mutating func draw() {
    scenario.nodes = options.nodes ?? drawnSize
    busyUntil = Array(repeating: .zero, count: scenario.nodes)
    scenario.expect = UInt32(scenario.nodes)
    if scenario.nodes > 3, chance(80) { scenario.expect -= 1 }
    for fault in Fault.allCases where !Fault.drawnLast.contains(fault) {
      let isDrawn = chance(300) && options.faults.contains(fault)
      if isDrawn || options.certain.contains(fault) { faults.append(fault) }
    }
    let isQuietAtFirst = chance(700)
    begins = isQuietAtFirst ? .seconds(8) : .zero
    ends = begins + (options.ordeal ?? .milliseconds(Int64(within(20_000...80_000))))
    // A departure before the cluster is founded would leave the gate waiting for ever.
    departures = isQuietAtFirst ? Self.bearableDepartures(of: Int(scenario.expect)) : 0
    begin()
    drawOrdeal()
    drawNewcomers()
    drawGoals()
    add(ends, .calm)
    drawWayOut()
    let deadline = drawLostMajority() ?? ends + Self.patience(nodes: scenario.nodes)
    if options.planted.contains(.noTime) {
      // Without time nobody steps back for anybody: only safety is left to be seen.
      scenario.duration = ends
    } else {
      scenario.expectations = [Scenario.Expectation(.by(deadline), .whole)]
    }
    scenario.sortSteps()
  }

  private var drawnSize: Int {
    mutating get {
      switch dice.below(100) {
      case 0..<3: 1
      case 3..<9: 2
      case 9..<31: 3
      case 31..<43: 4
      case 43..<75: 5
      case 75..<93: Int(within(6...9))
      case 93..<99: Int(within(10...20))
      default: Int(within(21...50))
      }
    }
  }

  /// A minority of the voters that the size gives: more could be gone before the register hears
  /// of it, and only an operator recovers from that.
  private static func bearableDepartures(of nodes: Int) -> Int {
    nodes >= 7 ? 3 : nodes >= 5 ? 2 : nodes >= 3 ? 1 : 0
  }

  // MARK: - Beginning

  private mutating func begin() {
    let all = Array(0..<scenario.nodes)
    if !options.planted.isEmpty { add(.zero, .plant(options.planted, .all)) }
    if !options.insider.isEmpty {
      add(.zero, .plant(options.insider, .nodes([Int(within(0...UInt64(scenario.nodes - 1)))])))
    }
    if faults.contains(.clock) {
      for node in all {
        scenario.clockOffsets[node] = .milliseconds(Int64(within(0...10_000_000)))
        let rate = Int64(
          within(UInt64(SimulatedClock.slowest)...UInt64(SimulatedClock.fastest)))
        if chance(600) { add(.zero, .clock(.nodes([node]), rate: rate)) }
      }
    }
    if faults.contains(.services) {
      scenario.habits.fetchFailsPerMille = within(0...300)
      scenario.habits.startFailsPerMille = within(0...100)
      scenario.habits.crashesPerMille = within(0...300)
      scenario.habits.stopHangsPerMille = within(0...200)
    }
    let isTogether = chance(500)
    for node in all {
      let late = isTogether ? within(0...20) : within(0...2_000)
      add(.milliseconds(Int64(late)), .start(.nodes([node])))
    }
    if options.extras.corrupts { add(begins + .seconds(9), .share(.corrupt, .all)) }
    if faults.contains(.operators) || chance(500) {
      // Something to run: an upgrade is where most promises meet.
      release(at: begins + .milliseconds(Int64(within(0...5_000))))
    }
  }

  private mutating func release(at time: TimeSpan) {
    versions += 1
    let node = Scenario.Target.nodes([anyone])
    add(time, .operate(.release("\(versions)"), on: node))
    add(time + .milliseconds(200), .operate(Self.change(to: versions), on: node))
  }

  /// Every way to upgrade has its turn; the number decides, so that no draw is spent on it.
  private static func change(to version: Int) -> Scenario.Operation {
    switch version % 4 {
    case 0: .upgrade("\(version)", UpgradeOptions(batch: .percent(40), policy: .abort))
    case 1: .version("\(version)")
    case 2: .upgrade("\(version)", UpgradeOptions(batch: .count(1)))
    default: .upgrade("\(version)", UpgradeOptions(stopsFirst: true))
    }
  }

  // MARK: - Ordeal

  private mutating func drawOrdeal() {
    drawWeather()
    let events = faults.filter { !Self.weather.contains($0) }
    guard !events.isEmpty else { return }
    let pace = within(800...8_000)
    var time = begins
    while true {
      time = time + .milliseconds(Int64(within(50...2 * pace)))
      guard time < ends else { return }
      inflict(events[Int(dice.below(UInt64(events.count)))], at: time)
    }
  }

  /// What holds for the whole time.
  private static let weather: Set<Fault> = [
    .loss, .late, .duplicate, .delay, .bandwidth, .services,
  ]

  private mutating func drawWeather() {
    if faults.contains(.loss) { add(begins, .loss(perMille: within(10...450))) }
    if faults.contains(.late) { add(begins, .late(perMille: within(5...150))) }
    if faults.contains(.duplicate) { add(begins, .duplicate(perMille: within(5...200))) }
    if faults.contains(.delay) {
      let delay = TimeSpan.milliseconds(Int64(within(1...60)))
      add(begins, .delay(delay, jitter: .milliseconds(Int64(within(1...100)))))
    }
    if faults.contains(.bandwidth) {
      let each = within(3_000...40_000)
      add(begins, .bandwidth(bytesPerSecond: Int(each) * max(1, scenario.nodes / 4)))
    }
  }

  private mutating func inflict(_ fault: Fault, at time: TimeSpan) {
    let span = TimeSpan.milliseconds(Int64(within(200...15_000)))
    switch fault {
    case .partition, .oneway, .partial, .clog, .multicast: split(fault, at: time, for: span)
    case .crash, .written, .disk: crash(fault, at: time, for: span)
    case .phase: crashInPhase(at: time, for: span)
    case .coup: usurp(at: time)
    case .pause:
      guard let node = someone(at: time, for: span) else { return }
      let target = chance(400) ? Scenario.Target.leader : .nodes([node])
      add(time, .pause(target, clockStands: options.extras.clocksStand || chance(250)))
      add(time + span, .resume(.all))
    case .clock:
      let rate = within(UInt64(SimulatedClock.slowest)...UInt64(SimulatedClock.fastest))
      add(time, .clock(.nodes([anyone]), rate: Int64(rate)))
    case .starve:
      let node = anyone
      add(time, .starve(.nodes([node]), .milliseconds(Int64(within(5...900)))))
      add(time + span, .starve(.nodes([node]), .zero))
    case .share:
      let kinds: [Scenario.ShareFault] = [.full, .lost, .readOnly, .stale]
      add(time, .share(kinds[Int(dice.below(4))], chance(300) ? .all : .nodes([anyone])))
      add(time + span, .share(.ready, .all))
    case .operators: operate(at: time)
    case .loss, .late, .duplicate, .delay, .bandwidth, .services, .join, .goals, .recovery: break
    }
  }

  /// Machines that are told the address of one member, at some time of the ordeal. Their dice are
  /// their own, so that a seed without them is the run that it was; nothing else befalls them but
  /// what befalls all.
  private mutating func drawNewcomers() {
    guard options.faults.contains(.join) else { return }
    var dice = SimulatedDice(seed: scenario.seed ^ 0x4e45_5743_4f4d_4552)
    guard dice.below(1_000) < 150 || options.certain.contains(.join) else { return }
    // Who goes for good can let nobody in.
    let gone = scenario.steps.compactMap { step -> Int? in
      switch step.action {
      case .operate(.leave, on: .nodes(let leavers)): leavers.first
      case .operate(.forget(let node), _): node
      default: nil
      }
    }
    let members = (0..<scenario.nodes).filter { !gone.contains($0) }
    for _ in 0...dice.below(3) {
      let time = begins + dice.upTo(ends - begins)
      let via = members[Int(dice.below(UInt64(members.count)))]
      add(time, .join(.nodes([scenario.nodes]), via: via))
      scenario.nodes += 1
    }
  }

  private mutating func split(_ fault: Fault, at time: TimeSpan, for span: TimeSpan) {
    let all = Array(0..<scenario.nodes)
    switch fault {
    case .partition:
      var groups: [[Int]] = chance(200) ? [[], [], []] : [[], []]
      for node in all { groups[Int(dice.below(UInt64(groups.count)))].append(node) }
      groups.removeAll(where: \.isEmpty)
      add(time, .partition(groups))
    case .oneway:
      let victim: Scenario.Target = chance(500) ? .leader : .nodes([anyone])
      add(time, chance(500) ? .cut(from: victim, to: .all) : .cut(from: .all, to: victim))
    case .partial:
      let share = within(100...600)
      for from in all {
        for to in all where from != to && chance(share) {
          add(time, .cut(from: .nodes([from]), to: .nodes([to])))
        }
      }
    case .clog:
      add(time, .clog(from: .nodes([anyone]), to: chance(500) ? .all : .nodes([anyone]), span))
      return
    case .multicast:
      let groups = [all.filter { $0 % 2 == 0 }, all.filter { $0 % 2 == 1 }]
      add(time, .multicast(chance(500) ? nil : groups.filter { !$0.isEmpty }))
      add(time + span, .multicast([all]))
      return
    default: return
    }
    add(time + span, .heal)
  }

  private mutating func crash(_ fault: Fault, at time: TimeSpan, for span: TimeSpan) {
    if fault == .crash, chance(100) {
      for node in 0..<scenario.nodes {
        busyUntil[node] = max(busyUntil[node], time + .seconds(1))
        add(time, .crash(.nodes([node])))
        add(time + .milliseconds(Int64(within(10...900))), .restart(.nodes([node]), .plain))
      }
      return
    }
    guard let node = someone(at: time, for: span) else { return }
    var how = fault == .written ? Scenario.Restart.written : .plain
    if options.extras.restartsWithoutState, chance(500) { how = .withoutState }
    if fault == .disk {
      guard departures > 0 else { return }
      departures -= 1
      how = .withoutDisk
      busyUntil[node] = ends
    }
    add(time, .crash(.nodes([node])))
    add(time + span, .restart(.nodes([node]), how))
  }

  /// The leader goes down in a phase of a plan, just before or just after its commit.
  private mutating func crashInPhase(at time: TimeSpan, for span: TimeSpan) {
    let phase = Plan.Phase.allCases[Int(dice.below(UInt64(Plan.Phase.allCases.count)))]
    let action: Scenario.Action =
      chance(700) ? .crash(.leader) : .pause(.leader, clockStands: options.extras.clocksStand)
    scenario.steps.append(
      Scenario.Step(.phase(phase, isCommitted: chance(500), after: time), action))
    release(at: time)
    // All, but not whoever is to join later.
    add(time + .seconds(3) + span, .start(.nodes(Array(0..<scenario.nodes))))
    add(time + .seconds(3) + span, .resume(.all))
  }

  /// The leader is cut off, and everyone else restarts behind its back.
  private mutating func usurp(at time: TimeSpan) {
    add(time, .cut(from: .leader, to: .all))
    add(time, .cut(from: .all, to: .leader))
    add(time + .milliseconds(1), .restart(.followers, .plain))
    add(time + .milliseconds(Int64(within(4_000...12_000))), .heal)
  }

  private mutating func operate(at time: TimeSpan) {
    let node = Scenario.Target.nodes([anyone])
    guard !options.extras.deafensWhoStepsDown else { return stepDownDeaf(at: time) }
    switch dice.below(10) {
    case 0..<3: release(at: time)
    case 3..<5:
      let key = "k\(dice.below(3))"
      add(time, .operate(.set(key: key, value: "\(time.milliseconds)"), on: node))
    case 5..<7: add(time, .operate(.data(key: "k", value: "\(time.milliseconds)"), on: node))
    case 7:
      guard departures > 0, let leaver = someone(at: time, for: ends - time) else { return }
      departures -= 1
      add(time, .operate(.leave, on: .nodes([leaver])))
    case 8:
      guard departures > 0, let gone = someone(at: time, for: ends - time) else { return }
      departures -= 1
      add(time, .crash(.nodes([gone])))
      add(time + .seconds(6), .operate(.forget(gone), on: node))
    default:
      let successor = anyone
      add(time, .operate(chance(500) ? .stepDown : .handOver(successor), on: .leader))
    }
  }

  // MARK: - Chance

  mutating func add(_ time: TimeSpan, _ action: Scenario.Action) {
    scenario.steps.append(Scenario.Step(.at(time), action))
  }

  private mutating func within(_ range: ClosedRange<UInt64>) -> UInt64 {
    range.lowerBound + dice.below(range.upperBound - range.lowerBound + 1)
  }

  private mutating func chance(_ perMille: UInt64) -> Bool { dice.below(1_000) < perMille }

  private var anyone: Int {
    mutating get { Int(dice.below(UInt64(scenario.nodes))) }
  }

  /// A machine that nothing else has befallen then.
  private mutating func someone(at time: TimeSpan, for span: TimeSpan) -> Int? {
    let node = anyone
    guard busyUntil[node] <= time else { return nil }
    busyUntil[node] = time + span
    return node
  }
}
