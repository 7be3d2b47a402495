import MusterDecisions
import MusterState

/// A leader's sight to be changed and decided on: five nodes, the first leads.
struct Cluster {
  static let nodes = (1...9).map { NodeID(Bytes16(high: UInt64($0), low: 0)) }
  static let plan = PlanID(Bytes16(high: 7, low: 7))
  static let one = Cluster.source("1.0")
  static let two = Cluster.source("2.0")

  static func source(_ version: String, archive: UInt64 = 1) -> ReleaseSource {
    ReleaseSource(
      version: version, source: "https://releases.example/\(version)",
      archive: Digest(Bytes32(first: Bytes16(high: archive, low: 0), second: .zero)))
  }

  static func reference(_ version: String) -> ReleaseReference {
    ReleaseReference(version: version, manifest: Digest(.zero), repair: 0)
  }

  var body: RegisterBody
  var sight: Observation

  init(count: Int = 5, voters: [Int] = [0, 1, 2]) {
    let members = Array(Self.nodes.prefix(count))
    body = RegisterBody(
      founding: FoundingID(.zero), promiseMilliseconds: 4_000, expect: UInt32(count),
      voters: voters.map { Self.nodes[$0] }.sorted(), roster: members, sealed: true,
      roles: members.enumerated().map { $0.offset == 0 ? .web : .worker })
    sight = Observation(
      leader: Self.nodes[0], term: 3,
      nodes: members.map {
        Observation.Node(
          id: $0, isAlive: true, isLeaving: false, sinceMilliseconds: 1_000, plan: nil,
          acknowledgement: nil, failure: "")
      }, maySeal: false, requests: [], fetched: nil, freshPlan: Self.plan, phaseMilliseconds: 0,
      limits: DeliberationLimits(
        acknowledgement: 120_000, stop: 45_000, voterStable: 10_000, voterDemotion: 60_000))
  }

  /// A cluster on release 1.0 that wants 2.0.
  static func upgrading(phase: Plan.Phase? = nil, hasReference: Bool = true) -> Cluster {
    var cluster = Cluster()
    cluster.body.releases = [one, two]
    cluster.body.current = reference("1.0")
    cluster.body.published = [reference("1.0")]
    cluster.body.settings = [Setting(key: "version", value: "2.0")]
    if let phase {
      cluster.body.plan = Plan(
        id: plan, term: 3, phase: phase, from: reference("1.0"), to: two,
        reference: hasReference ? reference("2.0") : nil, participants: cluster.body.roster,
        overtaken: [])
      if phase == .complete { cluster.body.current = reference("2.0") }
    }
    return cluster
  }

  mutating func each(_ indices: [Int], _ change: (inout Observation.Node) -> Void) {
    for index in indices { change(&sight.nodes[index]) }
  }

  mutating func say(_ acknowledgement: Acknowledgement, _ indices: [Int] = [0, 1, 2, 3, 4]) {
    each(indices) {
      $0.plan = Self.plan
      $0.acknowledgement = acknowledgement
    }
  }

  mutating func die(_ indices: [Int], since: Int64 = 1_000) {
    each(indices) {
      $0.isAlive = false
      $0.sinceMilliseconds = since
    }
  }

  /// What the leader commits next.
  var next: RegisterBody { deliberate(body, seeing: sight) }

  /// Commits until nothing changes.
  mutating func run() {
    for _ in 0..<50 {
      let next = next
      if next == body { return }
      body = next
    }
  }
}
