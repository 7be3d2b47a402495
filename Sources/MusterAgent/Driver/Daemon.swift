import MusterProtocol
import MusterReleases
import MusterState
import MusterSystem

/// The whole daemon: the agent with its release store, its supervisor and its faces, joined.
package final class Daemon {
  private let agent: Agent
  package let history: EventHistory
  private let store: SharedReleases
  private var faces: AgentFaces?

  /// Runs until the node leaves, is told to end, or cannot go on.
  ///
  /// - Returns: the process's exit code. Errors are written to the log in one line each.
  package static func run(_ options: AgentOptions, services: [ServiceDefinition]) -> Int32 {
    let log = Log(
      format: options.logFormat, level: options.logLevel, node: options.name,
      write: { StandardStream.error.write($0) })
    do throws(AgentError) {
      let ground = try AgentGround.open(
        try absolute(options), software: MusterVersion.current, log: log)
      let daemon = try Daemon(ground, services: services)
      return try daemon.serve()
    } catch {
      log.error("\(error)")
      return Agent.ExitCode.failed
    }
  }

  /// Services run in directories of their own, and are told where releases and state are.
  private static func absolute(_ options: AgentOptions) throws(AgentError) -> AgentOptions {
    var options = options
    do throws(SystemError) {
      options.stateDirectory = try Files.absolute(options.stateDirectory)
      if !options.isLocal {
        options.sharedDirectory = try Files.absolute(options.sharedDirectory)
      }
    } catch {
      throw .system(error)
    }
    return options
  }

  private init(_ ground: AgentGround, services: [ServiceDefinition]) throws(AgentError) {
    let options = ground.options
    history = EventHistory(node: ground.node, name: options.name)
    let cryptography = ground.cryptography
    do throws(SystemError) {
      let local = "\(ground.state.directory)/local"
      if options.isLocal { try Files.makeDirectory(local, mode: 0o755) }
      store = try SharedReleases(
        shared: options.isLocal ? local : options.sharedDirectory, isLocal: options.isLocal,
        port: ground.reachablePort,
        publisher: SharedReleases.Publisher(
          cluster: ground.cluster.id, node: ground.node,
          fetchProgram: "\(try OwnProgram.directory())/muster-fetch",
          sign: { cryptography.sign($0) }), loop: ground.loop, log: ground.log)
    } catch {
      throw .system(error)
    }
    let supervisor = ServiceSupervisor(
      definitions: services, stateDirectory: ground.state.directory, loop: ground.loop)
    // What an agent that was killed left behind would hold the ports of its successor.
    let killed = supervisor.killLeftovers()
    if killed > 0 {
      ground.log.warning("\(killed) processes of the agent before this one were still there")
    }
    agent = try Agent(ground, store: store, services: supervisor)
    store.peers = { [unowned agent] in PeerCopies(of: $0, in: agent.view) }
    supervisor.onEvent = { [unowned self, log = ground.log] service, event in
      log.add(event.level, "\(service): \(event.message)")
      // What is being started does not run yet, and is what is wanted.
      let release = supervisor.report.running ?? supervisor.wanted
      if let local = LocalEvent(service, event, version: release?.version) {
        history.record(local)
      }
    }
    agent.onEvent = { [history] in history.record($0) }
    agent.onJournalEnd = { [history] in history.record(.journalEnded(reason: $0)) }
    agent.onStep = { [history] in history.record(LocalEvent($0)) }
    do throws(HttpError) {
      faces = try AgentFaces(
        interior: self, loop: ground.loop, controlSocket: options.controlSocket,
        http: options.http, served: store.served)
    } catch {
      throw .face(error)
    }
  }

  private func serve() throws(AgentError) -> Int32 {
    history.record(.agentStarted(software: MusterVersion.current))
    let code = try agent.serve()
    faces?.close()
    return code
  }
}

extension Daemon: AgentInterior {
  package var view: ClusterView { agent.view }
  package var now: Instant { agent.now }
  package var overflow: DatagramOverflow { agent.overflow }

  package func inspect(
    _ copy: ReleaseReference,
    completion: @escaping (Result<ReleaseInspection, StoreFailure>) -> Void
  ) {
    store.inspect(copy, completion: completion)
  }

  package func manifest(
    of copy: ReleaseReference, completion: @escaping (Result<Manifest, StoreFailure>) -> Void
  ) {
    store.manifest(of: copy, completion: completion)
  }

  package func submit(
    _ command: MusterProtocol.Command, completion: @escaping (Reply) -> Void
  ) {
    agent.submit(command, completion: completion)
  }
}

extension LocalEvent {
  init(_ step: ReleaseStep) {
    switch step {
    case .fetching(let release):
      self = .releaseFetching(
        version: release.version, source: SourceText.withoutPassword(release.source))
    case .published(let reference): self = .releasePublished(reference)
    case .verified(let reference): self = .releaseVerified(reference)
    case .failed(let version, let reason): self = .releaseFailed(version: version, reason: reason)
    case .collected(let outcome): self = .releasesCollected(outcome: outcome)
    case .storage(let state): self = .storageChanged(state: state)
    }
  }

  /// What the history keeps of a service: its states, not its output.
  init?(_ service: String, _ event: ServiceEvent, version: String?) {
    switch event {
    case .started: self = .serviceStarting(name: service, version: version ?? "")
    case .ready: self = .serviceReady(name: service, version: version ?? "")
    case .notReady(let reason): self = .serviceUnready(name: service, reason: reason)
    case .failed(let reason, let retry):
      self = .serviceFailed(name: service, reason: reason, isFinal: retry == nil)
    case .ended(let status, let restart):
      self = .serviceFailed(
        name: service, reason: "ended with \(status)", isFinal: restart == nil)
    case .stopping: self = .serviceStopping(name: service)
    case .stopped: self = .serviceStopped(name: service, status: "stopped")
    case .reloaded, .draining, .drainFailed, .killed, .output, .outputDropped: return nil
    }
  }
}
