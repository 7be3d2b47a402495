import MusterProtocol
import MusterState

/// What happens to a simulated cluster, and what is expected of it: a value that is drawn from a
/// seed, read from a text file, shrunk, and written as text again.
package struct Scenario: Hashable, Sendable {
  /// What the first comment of a file says.
  package var title = ""
  package var nodes: Int
  /// The planned size; the number of nodes when a file does not say.
  package var expect: UInt32
  /// The seed of chance in the run: delays, losses, the peers' own draws.
  package var seed: UInt64 = 1
  /// How long the run is; `nil`: until all that is expected has come true.
  package var duration: TimeSpan?
  /// Whether machines fetch, verify and run releases.
  package var runsAgents = true
  /// Whether the cluster stands already when the run begins: what happens to a thousand members
  /// need not wait for their forming.
  package var isFormed = false
  /// Machines whose clocks begin elsewhere than zero.
  package var clockOffsets: [Int: TimeSpan] = [:]
  package var habits = SimulatedAgent.Habits()
  /// In the order of time.
  package var steps: [Step] = []
  package var expectations: [Expectation] = []

  /// Whether the rules about time are switched off.
  var isWithoutTime: Bool {
    steps.contains { step in
      if case .plant(let bugs, _) = step.action { bugs.contains(.noTime) } else { false }
    }
  }

  /// When the last thing is done or looked for.
  package var end: TimeSpan {
    if let duration { return duration }
    let looks = expectations.map { expectation in
      switch expectation.time {
      case .at(let time), .by(let time), .during(_, let time): time
      }
    }
    return (steps.map(\.time) + looks).max() ?? .zero
  }

  /// Puts steps in the order of time; what stands first at one time stays first.
  mutating func sortSteps() {
    let order = steps.indices.sorted {
      let (left, right) = (steps[$0].time, steps[$1].time)
      return left != right ? left < right : $0 < $1
    }
    steps = order.map { steps[$0] }
  }

  package init(nodes: Int) {
    self.nodes = nodes
    expect = UInt32(clamping: nodes)
  }

  /// One thing that happens from outside.
  package struct Step: Hashable, Sendable {
    package enum Trigger: Hashable, Sendable {
      case at(TimeSpan)
      /// The first time, not before `after`, that a plan's phase is held by the leader: proposed
      /// only, or committed.
      case phase(Plan.Phase, isCommitted: Bool, after: TimeSpan)
    }

    package var trigger: Trigger
    package var action: Action

    package init(_ trigger: Trigger, _ action: Action) {
      self.trigger = trigger
      self.action = action
    }

    package var time: TimeSpan {
      switch trigger {
      case .at(let time): time
      case .phase(_, _, let after): after
      }
    }
  }

  /// Which machines an action is for.
  package enum Target: Hashable, Sendable {
    case nodes([Int])
    /// Who holds the lease then, or believes to.
    case leader
    /// The first running voter that does not lead.
    case follower
    /// Everyone but the leader.
    case followers
    case all
    /// All voters but a minority, which survives.
    case majority
    /// Who runs and holds the newest register when a majority was lost; nobody once a recovery has
    /// been carried out.
    case survivor
    /// One of the lost, once a recovery has been carried out.
    case lost
  }

  package enum Restart: String, Hashable, Sendable, CaseIterable {
    /// With what was on disk.
    case plain
    /// The write that was under way at the crash had just ended.
    case written
    /// With an empty disk: a new identity.
    case withoutDisk = "without-disk"
    /// With the disk of the start before: a restored snapshot.
    case oldDisk = "old-disk"
    /// With the identity and without the state: no file system does that, a careless operator
    /// does.
    case withoutState = "without-state"
  }

  package enum Action: Hashable, Sendable {
    case start(Target)
    case join(Target, via: Int)
    case crash(Target)
    case restart(Target, Restart)
    /// Gone for good: no start, restart or calm brings it back.
    case lose(Target)
    case comeBack(Target)
    case pause(Target, clockStands: Bool)
    case resume(Target)
    case starve(Target, TimeSpan)
    case clock(Target, rate: Int64)
    case partition([[Int]])
    case cut(from: Target, to: Target)
    case clog(from: Target, to: Target, TimeSpan)
    case linkLoss(from: Target, to: Target, perMille: UInt64)
    case loss(perMille: UInt64)
    case duplicate(perMille: UInt64)
    case late(perMille: UInt64)
    case delay(TimeSpan, jitter: TimeSpan)
    case bandwidth(bytesPerSecond: Int)
    case multicast([[Int]]?)
    case heal
    case calm
    case share(ShareFault, Target)
    case operate(Operation, on: Target)
    case plant(PlantedBugs, Target)
  }

  package enum ShareFault: String, Hashable, Sendable, CaseIterable {
    case full, lost, stale, corrupt, ready
    case readOnly = "read-only"
  }

  /// What an operator does on one machine.
  package enum Operation: Hashable, Sendable {
    case leave
    case forget(Int)
    case set(key: String, value: String)
    case data(key: String, value: String)
    case release(String)
    case repair(String)
    case remove(String)
    case collect
    case version(String)
    case upgrade(String, UpgradeOptions)
    case steer(PlanOrder)
    case stepDown
    case handOver(Int)
    case recover
  }

  package struct Expectation: Hashable, Sendable {
    package enum Time: Hashable, Sendable {
      /// True at this time.
      case at(TimeSpan)
      /// True at some time before this, not before the expectation that stands above it.
      case by(TimeSpan)
      /// True all the time.
      case during(TimeSpan, TimeSpan)
    }

    package enum Claim: Hashable, Sendable {
      /// Exactly one of these holds a lease, and nobody else.
      case leader([Int])
      case noLeader([Int])
      /// The same leader and term as at the beginning of the time.
      case sameLeader
      /// Everyone that runs sees exactly these alive.
      case members([Int])
      case dead(Int)
      case whole
      case running(String)
      case sealed
      case conflict
      case stopped(Int, String)
      case setting(key: String, value: String)
    }

    package var time: Time
    package var claim: Claim
    /// Where it stands, for messages.
    package var line: Int

    package init(_ time: Time, _ claim: Claim, line: Int = 0) {
      self.time = time
      self.claim = claim
      self.line = line
    }
  }

  /// `a` to `z`, then `aa`, `ab` and so on.
  package static func name(of node: Int) -> String {
    var rest = node
    var letters: [UInt8] = []
    repeat {
      letters.append(UInt8(97 + rest % 26))
      rest = rest / 26 - 1
    } while rest >= 0
    return String(decoding: letters.reversed(), as: UTF8.self)
  }

  /// The number of a node by its name; `nil` for anything that is none.
  package static func node(named text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.count <= 3, text.utf8.allSatisfy({ (97...122).contains($0) })
    else { return nil }
    return text.utf8.reduce(0) { $0 * 26 + Int($1 - 96) } - 1
  }
}
