import Glibc
import MusterAgent
import MusterProtocol
import MusterReleases
import MusterState
import MusterSystem
import Testing

/// A store without releases.
private final class EmptyStore: ReleaseStoring {
  func offer(_ verified: [ReleaseReference]) -> ReleaseOffer? { nil }
  var storageState: String { "ready" }
  var volume: StorageVolume? { nil }
  var onStorageChange: (() -> Void)?
  func fetch(
    _ order: FetchOrder, progress: @escaping (FetchProgress) -> Void,
    completion: @escaping (Result<ReleaseReference, StoreFailure>) -> Void
  ) {}
  func cancelFetch() {}
  func verify(
    _ reference: ReleaseReference, completion: @escaping (Result<Void, StoreFailure>) -> Void
  ) {}
  func collect(keeping: [ReleaseReference], term: UInt64) {}
  func inspect(
    _ reference: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void
  ) {}
  func read(
    _ index: IndexOrder, completion: @escaping (Result<ReleaseSource, StoreFailure>) -> Void
  ) {}
  func free(
    allBut versions: [String], keeping: [ReleaseReference], term: UInt64,
    completion: @escaping (Bool) -> Void
  ) {}
  func collect(_ order: CollectOrder, completion: @escaping (String) -> Void) {}
  func tidy(term: UInt64) {}
  func learn(_ sources: [ReleaseSource], term: UInt64) {}
  var isLocal: Bool { false }
  var progress: FetchProgress? { nil }
  func cancelCollect() {}
  var onDamage: ((ReleaseReference) -> Void)?
  func expect(_ current: ReleaseReference?) {}
  func path(of reference: ReleaseReference) -> String { reference.directoryName }
}

/// A supervisor that takes its time to stop.
private final class SlowServices: ServiceRunning {
  let loop: EventLoop
  var isStopped = false
  var report = ServiceReport()
  var onChange: (() -> Void)?
  var beforeRestart: ((@escaping () -> Void) -> Void)?
  init(loop: EventLoop) { self.loop = loop }
  func apply(_ goal: ServiceGoal?) {
    loop.schedule(after: 1_000_000) { [self] in
      isStopped = true
      report = ServiceReport()
      onChange?()
    }
  }
}

@Suite struct DriverAgentTests {
  private let scratch: DriverScratch
  private let lines = DriverLines()

  init() throws {
    scratch = try DriverScratch()
    try scratch.write("cluster", driverCluster().render())
  }

  /// A group of this process's own keeps other tests' beacons away.
  private let group = Address(
    v4: 0xef4d_0000 | UInt32(getpid() & 0xffff), port: UInt16(40_000 + getpid() % 20_000))

  private func options(
    _ last: UInt32, state: String = "state", bind: Address? = nil
  ) -> AgentOptions {
    AgentOptions(
      clusterFile: scratch.place("cluster"), name: "ci/\(last)",
      stateDirectory: scratch.place(state), sharedDirectory: scratch.place("shared"),
      bind: bind ?? Address(v4: 0x7f00_0000 | last, port: 0), multicast: group,
      controlSocket: scratch.place("control"))
  }

  private func ground(_ options: AgentOptions) throws -> AgentGround {
    try AgentGround.open(options, software: "test", log: lines.log())
  }

  private func failure(_ options: AgentOptions) -> String {
    let error = #expect(throws: AgentError.self) { _ = try ground(options) }
    return error?.description ?? ""
  }

  @Test func `two nodes hear each other's beacons from where the other is reached`() throws {
    let loop = try EventLoop()
    let log = lines.log()
    let first = try AgentSockets.open(options(41), log: log)
    let second = try AgentSockets.open(options(42), log: log)
    var heard: [String] = []
    for sockets in [first, second] {
      try sockets.watch(on: loop) { waiting in
        heard += waiting.map { "\($0.bytes) from \($0.source)" }
      }
    }
    first.sendToGroup([1])
    first.flush()
    // Both sockets of the group hear it, the sender's own among them.
    #expect(try driverWait(loop) { heard.count == 2 })
    #expect(heard == Array(repeating: "[1] from \(first.address)", count: 2))
    second.send([2], to: first.address)
    second.flush()
    #expect(try driverWait(loop) { heard.last == "[2] from \(second.address)" })
    #expect(first.sendsDropped == 0)
    first.unwatch(on: loop)
    second.unwatch(on: loop)
  }

  @Test func `a flood gives other descriptors their turn`() throws {
    let loop = try EventLoop()
    let sender = try AgentSockets.open(options(43), log: lines.log())
    let receiver = try AgentSockets.open(options(44), log: lines.log())
    let flood = AgentSockets.batch + 150
    var turns: [Int] = []
    try receiver.watch(on: loop) { turns.append($0.count) }
    // On a busy machine the kernel may drop some: then a flood that arrives whole is tried for.
    for _ in 0..<3 where turns.reduce(0, +) != flood {
      turns = []
      for _ in 0..<flood { sender.send([1], to: receiver.address) }
      sender.flush()
      _ = try driverWait(loop) { turns.reduce(0, +) == flood }
    }
    #expect(turns.reduce(0, +) == flood)
    #expect(turns.first == AgentSockets.batch)
    receiver.unwatch(on: loop)
  }

  @Test func `what cannot be sent is counted and said once`() throws {
    let sockets = try AgentSockets.open(options(45), log: lines.log())
    let six = Address(host: Bytes16(high: 0, low: 1), port: 9)
    var heard = 0
    let loop = try EventLoop()
    try sockets.watch(on: loop) { heard += $0.count }
    for address in [six, sockets.address, six, sockets.address] { sockets.send([1], to: address) }
    sockets.flush()
    #expect(sockets.sendsDropped == 2)
    #expect(lines.lines.count == 1)
    #expect(try driverWait(loop) { heard == 2 }, "what can be sent is, all the same")
    sockets.unwatch(on: loop)
  }

  @Test func `an agent starts, and ends in good order when it is told to`() throws {
    let ground = try ground(options(46))
    #expect(ground.peerConfiguration().isFreshIdentity)
    let services = SlowServices(loop: ground.loop)
    services.report = ServiceReport(
      running: ReleaseReference(version: "1", manifest: Digest(.zero), repair: 0))
    let agent = try Agent(ground, store: EmptyStore(), services: services)
    // To this thread: the test's other threads do not hold the signal.
    pthread_kill(pthread_self(), SIGHUP)
    pthread_kill(pthread_self(), SIGTERM)
    #expect(try agent.serve() == Agent.ExitCode.done)
    #expect(services.isStopped)
    #expect(lines.contains("SIGHUP is ignored"))
    #expect(lines.contains("stopping services"))
    var reply: Reply?
    agent.submit(.leave) { reply = $0 }
    #expect(reply == .refused("this agent is ending"))
  }

  // MARK: What stands in the way

  @Test func `a busy port is one clear line, and no start is counted`() throws {
    let sockets = try AgentSockets.open(options(47), log: lines.log())
    let message = failure(options(47, bind: sockets.address))
    #expect(message.hasPrefix("cannot listen on \(sockets.address): another process has this port"))
    #expect(try Files.mode(of: scratch.place("state")) == nil)
  }

  @Test func `a foreign address is one clear line`() {
    let address = Address(v4: 0xc000_0201, port: 7_946)
    #expect(failure(options(48, bind: address)).contains("no interface of this machine has"))
  }

  @Test func `a missing, foreign or exposed cluster file is one clear line`() throws {
    _ = try ground(options(49))
    try scratch.write("cluster", driverCluster(9).render())
    #expect(failure(options(49)).contains("belongs to cluster \(driverCluster().id)"))
    try scratch.write("cluster", driverCluster().render(), mode: 0o644)
    #expect(failure(options(49)).contains("chmod 600"))
    try Files.remove(scratch.place("cluster"))
    #expect(failure(options(49)).contains("muster init"))
  }

  @Test func `a state directory in use is one clear line`() throws {
    let held = try ground(options(50))
    #expect(failure(options(51)).contains("is in use by another agent"))
    #expect(held.peerConfiguration().incarnation.counter == 1)
  }

  @Test func `options that reach nobody are refused`() throws {
    let everywhere = Address(v4: 0, port: 7_946)
    #expect(failure(options(52, bind: everywhere)).contains("add --advertise"))
    #expect(failure(options(52, bind: group)).contains("is a multicast group"))
    var changed = options(52)
    changed.advertise = everywhere
    #expect(failure(changed).contains("--advertise 0.0.0.0:7946 reaches nobody"))
    changed = options(52)
    changed.multicast = Address(v4: 0x7f00_0001, port: 7_946)
    #expect(failure(changed).contains("--multicast 127.0.0.1:7946 is no group"))
    changed = options(52)
    changed.multicast = Address(host: Bytes16(high: 0xff15 << 48, low: 1), port: 7_946)
    #expect(failure(changed).contains("of different families"))
    changed = options(52)
    changed.interface = "none0"
    #expect(failure(changed).contains("there is no interface none0"))
    changed = options(52)
    changed.name = "a b"
    #expect(failure(changed).contains("cannot name a node"))
    #expect(try Files.mode(of: scratch.place("state")) == nil)
  }

  @Test func `remembered peers are looked for first of all`() throws {
    var first = options(53)
    first.join = [Address(v4: 0x7f00_0001, port: 1)]
    _ = try ground(first)
    let remembered = Address(v4: 0x7f00_0001, port: 2)
    try PeersFile(path: scratch.place("state/peers")).write([remembered, first.join[0]])
    let configuration = try ground(first).peerConfiguration()
    #expect(configuration.join == [first.join[0], remembered])
    #expect(configuration.incarnation.counter == 2)
    #expect(!configuration.isFreshIdentity)
    #expect(configuration.usesMulticast)
    #expect(configuration.expect == 4)
  }
}
