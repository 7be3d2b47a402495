import Glibc
import MusterAgent
import MusterReleases
import MusterState
import MusterSystem
import Testing

/// A store in memory: calls are recorded, and the test says how they end.
final class ScriptedStore: ReleaseStoring {
  func offer(_ verified: [ReleaseReference]) -> ReleaseOffer? { nil }
  var calls: [String] = []
  var verifications: [(ReleaseReference, (Result<Void, StoreFailure>) -> Void)] = []
  var advance: (FetchProgress) -> Void = { _ in }
  var progress: FetchProgress? { nil }
  var fetched: (Result<ReleaseReference, StoreFailure>) -> Void = { _ in }
  var storageState = "ready" { didSet { onStorageChange?() } }
  var volume: StorageVolume?
  var onStorageChange: (() -> Void)?
  var onDamage: ((ReleaseReference) -> Void)?
  var collected: (String) -> Void = { _ in }

  func collect(_ order: CollectOrder, completion: @escaping (String) -> Void) {
    calls.append("remove \(order.version) keeping \(order.keep.map(\.version))")
    collected = completion
  }

  func tidy(term: UInt64) {}
  func learn(_ sources: [ReleaseSource], term: UInt64) {}
  var isLocal = false
  var freed: (Bool) -> Void = { _ in }

  var inspections: [(Result<ReleaseInspection, StoreFailure>) -> Void] = []

  func inspect(
    _ reference: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void
  ) {
    calls.append("inspect \(reference.version)")
    inspections.append(completion)
  }

  func read(
    _ index: IndexOrder, completion: @escaping (Result<ReleaseSource, StoreFailure>) -> Void
  ) {
    calls.append("read \(index.url)")
    indices.append(completion)
  }

  var indices: [(Result<ReleaseSource, StoreFailure>) -> Void] = []

  func free(
    allBut versions: [String], keeping: [ReleaseReference], term: UInt64,
    completion: @escaping (Bool) -> Void
  ) {
    calls.append("free all but \(versions) keeping \(keeping.map(\.version)) in term \(term)")
    freed = completion
  }

  func cancelCollect() { calls.append("cancel remove") }

  func fetch(
    _ order: FetchOrder, progress: @escaping (FetchProgress) -> Void,
    completion: @escaping (Result<ReleaseReference, StoreFailure>) -> Void
  ) {
    calls.append("fetch \(order.release.version) in term \(order.term)")
    advance = progress
    fetched = completion
  }

  func cancelFetch() { calls.append("cancel fetch") }

  func verify(
    _ reference: ReleaseReference, completion: @escaping (Result<Void, StoreFailure>) -> Void
  ) {
    calls.append("verify \(reference.version)")
    verifications.append((reference, completion))
  }

  func collect(keeping: [ReleaseReference], term: UInt64) {
    calls.append("collect keeping \(keeping.map(\.version).sorted()) in term \(term)")
  }

  func expect(_ current: ReleaseReference?) {}

  func path(of reference: ReleaseReference) -> String { "/shared/\(reference.version)" }

  /// Ends the oldest verification under way.
  func answer(_ result: Result<Void, StoreFailure>) { verifications.removeFirst().1(result) }
}

/// A supervisor in memory.
final class ScriptedServices: ServiceRunning {
  var goals: [ServiceGoal?] = []
  var report = ServiceReport() { didSet { onChange?() } }
  var onChange: (() -> Void)?
  var beforeRestart: ((@escaping () -> Void) -> Void)?
  func apply(_ goal: ServiceGoal?) { goals.append(goal) }

  var versions: [String] {
    goals.map { $0.map { "\($0.release.version) as \($0.role)" } ?? "stop" }
  }
}

@Suite struct DriverExecutorTests {
  private let scratch: DriverScratch
  let loop: EventLoop
  let store = ScriptedStore()
  let services = ScriptedServices()
  private let lines = DriverLines()
  let executor: Executor
  let statuses: Statuses

  final class Statuses { var all: [LocalStatus] = [] }

  init() throws {
    scratch = try DriverScratch()
    loop = try EventLoop()
    let statuses = Statuses()
    self.statuses = statuses
    executor = Executor(
      loop: loop, store: store, services: services, link: scratch.place("current"),
      context: ServiceContext(cluster: "demo", node: "ci/0"), log: lines.log(),
      patience: 600_000_000, report: { statuses.all.append($0) })
  }

  private static func release(_ version: String) -> ReleaseReference {
    ReleaseReference(version: version, manifest: Digest(.zero), repair: 0)
  }

  let one = release("1.0")
  let two = release("2.0")

  private func order(_ version: String, term: UInt64) -> FetchOrder {
    FetchOrder(
      plan: PlanID(.zero), term: term,
      release: ReleaseSource(version: version, source: "file:///a", archive: Digest(.zero)),
      repair: 0)
  }

  private func link() -> String {
    var buffer = [CChar](repeating: 0, count: 200)
    let count = unsafe readlink(scratch.place("current"), &buffer, 200)
    return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init), as: UTF8.self)
  }

  @Test func `a release is verified before it is started, and linked`() {
    executor.obey(Duty(term: 1, role: .web, run: one))
    #expect(services.goals.isEmpty, "nothing starts unverified")
    #expect(store.calls == ["verify 1.0"])
    store.answer(.success(()))
    #expect(services.versions == ["1.0 as web"])
    #expect(services.goals.last??.directory == "/shared/1.0")
    #expect(link() == "/shared/1.0")
    #expect(statuses.all.last?.verified == [one])
  }

  @Test func `every new duty is verified anew, and an unchanged one does nothing`() {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.success(()))
    executor.obey(Duty(term: 2, role: .worker, run: one, plan: PlanID(.zero)))
    #expect(services.versions == ["1.0 as worker"])
    executor.obey(Duty(term: 2, role: .web, run: one))
    #expect(services.versions == ["1.0 as worker", "stop"])
    store.answer(.success(()))
    #expect(services.versions == ["1.0 as worker", "stop", "1.0 as web"])
    #expect(store.calls == ["verify 1.0", "verify 1.0"])
  }

  @Test func `services stop when nothing should run or no role is given`() {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.success(()))
    executor.obey(Duty(term: 1, role: .worker, run: nil))
    executor.obey(Duty(term: 1, role: nil, run: one))
    #expect(services.versions == ["1.0 as worker", "stop"])
  }

  @Test func `what was verified for an overtaken duty is not started`() {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    executor.obey(Duty(term: 1, role: .worker, run: two))
    store.answer(.success(()))
    #expect(services.goals.isEmpty)
    store.answer(.success(()))
    #expect(services.versions == ["2.0 as worker"])
    executor.obey(Duty(term: 1, role: .worker, run: one))
    executor.obey(Duty(term: 1))
    store.answer(.success(()))
    #expect(services.versions == ["2.0 as worker", "stop"])
  }

  @Test func `a lower term is refused`() {
    executor.obey(Duty(term: 5, role: .worker, run: one))
    store.answer(.success(()))
    executor.obey(Duty(term: 4))
    #expect(services.versions == ["1.0 as worker"])
    #expect(lines.contains("refused an order of term 4: 5 was obeyed already"))
    executor.obey(Duty(term: 5))
    #expect(services.versions == ["1.0 as worker", "stop"])
  }

  @Test func `what does not verify is not started, said, and tried again`() throws {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.failure(StoreFailure(reason: "release 1.0 is corrupt", mayPass: false)))
    #expect(services.goals.isEmpty)
    #expect(statuses.all.last?.failure == "release 1.0 is corrupt")
    #expect(lines.contains("error ci/0: cannot start 1.0-"))
  }

  @Test func `who waits for a copy that is corrupt is started from the next one`() throws {
    func copy(_ number: UInt32) -> Duty {
      Duty(
        term: 1, role: .worker,
        run: ReleaseReference(version: "1.0", manifest: Digest(.zero), repair: number))
    }
    executor.obey(copy(0))
    store.answer(.success(()))
    executor.obey(copy(1))
    #expect(store.verifications.isEmpty, "a further copy is for the next start")
    services.beforeRestart? {}
    store.answer(.failure(StoreFailure(reason: "corrupt", mayPass: false, isCorrupt: true)))
    executor.obey(copy(2))
    try #require(store.verifications.map(\.0.repair) == [2])
    store.answer(.success(()))
    #expect(services.goals.last??.release.repair == 2)
    #expect(statuses.all.last?.failure == "")
  }

  @Test func `what is not visible yet is a failure only when it stays so`() throws {
    for duty in [
      Duty(term: 1, role: .worker, run: one), Duty(term: 1, role: .worker, verify: two),
    ] {
      executor.obey(duty)
      let calls = store.calls.count
      store.answer(.failure(StoreFailure(reason: "not here", mayPass: true)))
      #expect(services.goals.isEmpty)
      #expect(statuses.all.allSatisfy { $0.failure.isEmpty }, "a plan would be given up for it")
      #expect(try driverWait(loop) { store.calls.count == calls + 1 })
      store.answer(.failure(StoreFailure(reason: "not here", mayPass: true)))
      #expect(try driverWait(loop) { store.calls.count == calls + 2 })
      store.answer(.failure(StoreFailure(reason: "not here", mayPass: true)))
      #expect(statuses.all.last?.failure == "not here")
      statuses.all = []
    }
  }

  @Test func `what becomes visible in time is started`() throws {
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.failure(StoreFailure(reason: "not here", mayPass: true)))
    #expect(try driverWait(loop) { store.calls == ["verify 1.0", "verify 1.0"] })
    store.answer(.success(()))
    #expect(services.versions == ["1.0 as worker"])
    #expect(statuses.all.last?.failure == "")
  }

  @Test func `a release is verified ahead, once, and again for its start`() {
    executor.obey(Duty(term: 1, role: .worker, verify: two))
    store.answer(.success(()))
    #expect(statuses.all.last?.verified == [two])
    executor.obey(Duty(term: 2, role: .worker, verify: two))
    #expect(store.calls == ["verify 2.0"])
    executor.obey(Duty(term: 2, role: .worker, run: two))
    #expect(store.calls == ["verify 2.0", "verify 2.0"])
    store.answer(.failure(StoreFailure(reason: "corrupt", mayPass: false)))
    #expect(statuses.all.last?.verified == [])
    #expect(services.goals.isEmpty)
  }

  @Test func `templates are rendered again for what runs, and only then`() {
    executor.update(ServiceContext(cluster: "demo", node: "ci/0", leader: "a"))
    #expect(services.goals.isEmpty)
    executor.obey(Duty(term: 1, role: .worker, run: one))
    store.answer(.success(()))
    executor.update(ServiceContext(cluster: "demo", node: "ci/0", leader: "b"))
    executor.update(ServiceContext(cluster: "demo", node: "ci/0", leader: "b"))
    #expect(services.goals.map { $0?.context.leader } == ["a", "b"])
  }

  @Test func `a fetch is ordered once, reported, and its outcome kept`() {
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    store.advance(FetchProgress(received: 5, total: 10))
    #expect(statuses.all.last?.progress == FetchProgress(received: 5, total: 10))
    store.fetched(.success(two))
    let outcome = FetchOutcome(plan: PlanID(.zero), reference: two, failure: "")
    #expect(statuses.all.last?.fetched == outcome)
    #expect(statuses.all.last?.progress == nil)
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    executor.obey(Duty(term: 3))
    #expect(statuses.all.last?.fetched == outcome)
    #expect(store.calls == ["fetch 2.0 in term 3"])
  }

  @Test func `an order that is withdrawn or replaced is cancelled`() {
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    let late = store.fetched
    executor.obey(Duty(term: 4, fetch: order("2.0", term: 4)))
    executor.obey(Duty(term: 4))
    late(.success(two))
    #expect(
      store.calls == [
        "fetch 2.0 in term 3", "cancel fetch", "fetch 2.0 in term 4", "cancel fetch",
      ])
    #expect(statuses.all.allSatisfy { $0.fetched == nil }, "nobody waits for it any more")
  }

  @Test func `what may pass is fetched again, and what cannot is reported`() throws {
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    store.fetched(.failure(StoreFailure(reason: "no route", mayPass: true)))
    #expect(statuses.all.last?.failure == "no route")
    #expect(statuses.all.last?.fetched == nil)
    #expect(try driverWait(loop) { store.calls.count == 2 })
    store.fetched(.failure(StoreFailure(reason: "wrong checksum", mayPass: false)))
    #expect(
      statuses.all.last?.fetched
        == FetchOutcome(plan: PlanID(.zero), reference: nil, failure: "wrong checksum"))
  }

  @Test func `only who published tidies up, in its own term, when the plan is done`() {
    executor.obey(Duty(term: 3, role: .web, run: one, keep: [one]))
    executor.obey(
      Duty(term: 3, role: .web, run: one, fetch: order("2.0", term: 3), keep: [one]))
    store.fetched(.success(two))
    executor.obey(Duty(term: 3, role: .web, run: one, plan: PlanID(.zero), keep: [one]))
    #expect(!store.calls.contains { $0.hasPrefix("collect") })
    executor.obey(Duty(term: 3, role: .web, run: one, keep: [one]))
    executor.obey(Duty(term: 3, role: .web, run: one, keep: [one]))
    #expect(
      store.calls.filter { $0.hasPrefix("collect") }
        == ["collect keeping [\"1.0\", \"2.0\"] in term 3"])
    executor.obey(Duty(term: 4, role: .web, run: one, keep: [one]))
    #expect(store.calls.count { $0.hasPrefix("collect") } == 1)
  }

  @Test func `status is reported when it changes, and progress ten times a second`() throws {
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    let before = statuses.all.count
    store.advance(FetchProgress(received: 0, total: 1_000))
    let begin = loop.now
    for received in 1...1_000 as ClosedRange<UInt64> {
      store.advance(FetchProgress(received: received, total: 1_000))
    }
    let tenths = (loop.now - begin) / 100_000_000
    #expect(statuses.all.count <= before + 2 + Int(tenths))
    #expect(try driverWait(loop) { statuses.all.last?.progress?.received == 1_000 })
    let now = statuses.all.count
    executor.obey(Duty(term: 3, fetch: order("2.0", term: 3)))
    #expect(statuses.all.count == now, "the same is not said again")
    store.storageState = "full: free some space"
    #expect(statuses.all.count == now + 1)
    #expect(statuses.all.last?.storage == "full: free some space")
  }

  @Test func `the supervisor's report is the node's`() {
    services.report = ServiceReport(
      running: one, role: .web, ready: true, version: "v1.0", failure: "",
      services: [ServiceStatus(name: "proxy", state: .ready, starts: 2)])
    let status = statuses.all.last
    #expect(status?.running == one)
    #expect(status?.runningRole == .web)
    #expect(status?.ready == true)
    #expect(status?.reportedVersion == "v1.0")
    #expect(status?.services.first?.starts == 2)
  }

  @Test func `each step of a release is told in order`() {
    var steps: [ReleaseStep] = []
    executor.onStep = { steps.append($0) }
    let order = order("2.0", term: 1)
    executor.obey(Duty(term: 1, role: .web, fetch: order))
    store.fetched(.success(two))
    executor.obey(Duty(term: 1, role: .web, verify: two))
    store.answer(.success(()))
    executor.obey(Duty(term: 1, role: .web, run: two))
    store.answer(.failure(StoreFailure(reason: "corrupt", mayPass: false)))
    store.storageState = "lost"
    #expect(
      steps == [
        .fetching(order.release), .published(two), .verified(two),
        .failed(version: "2.0", reason: "corrupt"), .storage("lost"),
      ])
  }

  @Test func `ending stops everything and waits for it`() {
    executor.obey(
      Duty(term: 1, role: .worker, run: one, fetch: order("2.0", term: 1)))
    store.answer(.success(()))
    services.report = ServiceReport(running: one, role: .worker)
    var ended = 0
    executor.end { ended += 1 }
    #expect(services.versions == ["1.0 as worker", "stop"])
    #expect(store.calls.last == "cancel fetch")
    #expect(ended == 0)
    executor.obey(Duty(term: 2, role: .worker, run: two))
    services.report = ServiceReport()
    services.report = ServiceReport(version: "")
    #expect(ended == 1)
    #expect(services.versions == ["1.0 as worker", "stop"])
  }
}
