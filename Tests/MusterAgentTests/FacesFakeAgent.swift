import MusterAgent
import MusterProtocol
import MusterReleases
import MusterState
import MusterSystem
import Synchronization
import Testing

/// An agent without a protocol behind it: its view is made by hand.
final class FakeInterior: AgentInterior {
  var view: ClusterView
  let history: EventHistory
  var submitted: [MusterProtocol.Command] = []
  /// How commands are answered.
  var reply = Reply.done
  private let loop: EventLoop

  init(loop: EventLoop, view: ClusterView, historyCapacity: Int) {
    self.loop = loop
    self.view = view
    history = EventHistory(node: view.node, name: view.name, capacity: historyCapacity)
  }

  var now: Instant { Instant(nanoseconds: loop.now) }

  var overflow: DatagramOverflow {
    var overflow = DatagramOverflow()
    overflow.received = 17
    overflow.unsent = 18
    return overflow
  }

  /// How `inspect` is answered.
  var inspection = Result<ReleaseInspection, StoreFailure>.success(ReleaseInspection())

  func inspect(
    _ copy: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void
  ) {
    loop.schedule(after: 1_000_000) { [inspection] in completion(inspection) }
  }

  func manifest(
    of copy: ReleaseReference, completion: @escaping (Result<Manifest, StoreFailure>) -> Void
  ) {
    completion(.failure(StoreFailure(reason: "no disk here", mayPass: true)))
  }

  /// Answers later, as a leader would.
  func submit(
    _ command: MusterProtocol.Command, completion: @escaping (Reply) -> Void
  ) {
    submitted.append(command)
    loop.schedule(after: 10_000_000) { [reply] in completion(reply) }
  }
}

/// The real faces around a fake agent, on a thread of their own.
final class FacesServer: Sendable {
  typealias Job = @Sendable (FakeInterior) -> Void

  let directory: String
  let control: String
  private let port = Mutex<UInt16>(0)
  private let jobs = Mutex<[Job]>([])
  private let isStopping = Atomic(false)
  private let state = Atomic(0)

  var base: String { "http://127.0.0.1:\(port.withLock { $0 })" }

  init(view: ClusterView = Sample.view(), historyCapacity: Int = 1_000) throws {
    directory = try HttpTest.temporaryDirectory()
    control = directory + "/control"
    try HttpTest.Thread { [self] in
      do {
        try serve(view, historyCapacity)
      } catch {
        Issue.record(error)
      }
      state.store(2, ordering: .releasing)
    }.start()
    try #require(HttpTest.eventually { state.load(ordering: .acquiring) != 0 })
  }

  private func serve(_ view: ClusterView, _ historyCapacity: Int) throws {
    let loop = try EventLoop()
    let interior = FakeInterior(loop: loop, view: view, historyCapacity: historyCapacity)
    let faces = try AgentFaces(
      interior: interior, loop: loop, controlSocket: control,
      http: Address(v4: 0x7f00_0001, port: 0))
    port.withLock { $0 = faces.httpPort ?? 0 }
    state.store(1, ordering: .releasing)
    while !isStopping.load(ordering: .acquiring) {
      try loop.turn(limit: 2_000_000)
      let waiting = jobs.withLock { jobs in
        defer { jobs = [] }
        return jobs
      }
      for job in waiting { job(interior) }
    }
    faces.close()
  }

  /// Runs `job` on the agent's thread, and waits for its result.
  func with<Result: Sendable>(
    _ job: @escaping @Sendable (FakeInterior) -> Result
  ) throws -> Result {
    let slot = Slot<Result>()
    jobs.withLock { $0.append { interior in slot.value.withLock { $0 = job(interior) } } }
    #expect(HttpTest.eventually { slot.value.withLock { $0 != nil } })
    return try #require(slot.value.withLock { $0 })
  }

  func stop() {
    isStopping.store(true, ordering: .releasing)
    #expect(HttpTest.eventually { state.load(ordering: .acquiring) == 2 })
    _ = try? HttpTest.run("rm", ["-rf", directory])
  }

  // MARK: - Asking

  func get(_ target: String) throws -> (status: Int, json: Json) {
    let reply = try HttpClient(path: control).send("GET", target)
    return (reply.status, try Json(reading: reply.body))
  }

  func post(_ target: String, _ body: String) throws -> (status: Int, json: Json) {
    let reply = try HttpClient(path: control).send("POST", target, body: Array(body.utf8))
    return (reply.status, try Json(reading: reply.body))
  }
}

private final class Slot<Value: Sendable>: Sendable {
  let value = Mutex<Value?>(nil)
}

/// A cluster of four, of which ci/0 is this node and leads, ci/3 is dead, and 2.10.2 runs.
enum Sample {
  static func id(_ number: UInt64) -> NodeID {
    NodeID(Bytes16(high: number << 56, low: number))
  }

  static let digest = Digest(Bytes32(first: Bytes16(high: 1, low: 2), second: .zero))
  static let release = ReleaseReference(version: "2.10.2", manifest: digest, repair: 0)
  static let founding = FoundingID(Bytes16(high: 7, low: 7))
  static let cluster = ClusterID(Bytes16(high: 0xabcd, low: 1))

  static func member(_ number: UInt64, state: MemberState = .alive) -> MemberView {
    MemberView(
      id: id(number + 1), name: "ci/\(number)",
      address: Address(v4: 0x7f00_000b + UInt32(number), port: 7_946), state: state,
      incarnation: Incarnation(counter: 3, boot: 9), software: "0.1.0", since: .zero,
      role: number == 0 ? .web : .worker, isLeader: number == 0, isVoter: number < 3,
      runningVersion: "2.10.2", isReady: state == .alive, acknowledgement: nil, progress: nil,
      storage: "ready", failure: "",
      services: [ServiceStatus(name: "caddy", state: .ready, starts: 2)],
      data: [Setting(key: "port", value: "80\(number)")])
  }

  static func body() -> RegisterBody {
    RegisterBody(
      founding: founding, promiseMilliseconds: 4_000, expect: 4, voters: [id(1), id(2), id(3)],
      roster: [id(1), id(2), id(3), id(4)], sealed: true,
      roles: [.web, .worker, .worker, .worker],
      settings: [Setting(key: "version", value: "2.10.2")],
      releases: [ReleaseSource(version: "2.10.2", source: "file:///a", archive: digest)],
      current: release, published: [release])
  }

  static func view() -> ClusterView {
    var counters = Counters()
    counters.datagramsReceived = 42
    counters.drop(.replayed)
    return ClusterView(
      node: id(1), name: "ci/0", cluster: cluster, clusterName: "ci", founding: founding,
      isSealed: true, waitingFor: "", term: 5, leader: id(1), leaderIsFresh: true,
      holdsLease: true, leaseRemaining: .milliseconds(1_500),
      register: RegisterVersion(term: 5, count: 8), committed: RegisterVersion(term: 5, count: 7),
      body: body(), members: [member(0), member(1), member(2), member(3, state: .dead)], agree: 3,
      live: 3, convergedSince: .zero, duty: Duty(term: 5, role: .web, run: release),
      counters: counters)
  }
}
