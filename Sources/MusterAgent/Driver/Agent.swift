import MusterProtocol
import MusterState
import MusterSystem

/// The daemon: one peer on one event loop, with the world carried to it and its effects carried
/// out.
package final class Agent {
  /// What the process should exit with; see the exit codes of the command line.
  package enum ExitCode {
    package static let done: Int32 = 0
    package static let failed: Int32 = 1
    package static let refused: Int32 = 4
  }

  /// Time for the last answers to reach their readers.
  private static let farewell: Int64 = 100_000_000
  /// What templates and the file of peers see may lag by so much: changes come in flocks.
  private static let contextDelay: Int64 = 50_000_000
  /// And by so many times what the last look took: a large cluster that forms is no reason to
  /// spend more than a fiftieth of the time on it.
  private static let contextFactor: Int64 = 50
  /// A look that was interrupted has cost less than it took.
  private static let contextCostMost: Int64 = 20_000_000
  private static let rememberDelay: Int64 = 2_000_000_000
  /// When joining, which needs the most memory, is usually over: at first, and once more.
  private static let giveBackDelays: [Int64] = [10_000_000_000, 60_000_000_000]
  /// How often a leader looks for what crashes left on the share.
  private static let tidyInterval: Int64 = 600_000_000_000

  package let ground: AgentGround
  /// Called with each event, in order, after it was logged.
  package var onEvent: ((Event) -> Void)?
  /// Called with each step of this node's releases, in order, after it was logged.
  package var onStep: ((ReleaseStep) -> Void)? {
    didSet { executor.onStep = onStep }
  }

  /// Called when the recording of `--journal` ends before the agent does, after it was logged.
  package var onJournalEnd: ((String) -> Void)?

  private let run: PeerRun
  private let journal: JournalRecorder?
  private let runner: EffectRunner
  private let writer: DurableWriter
  private let executor: Executor
  private var code: Int32?
  private var inbox = Inbox()
  private var isReadingDue = false
  private var isContextDue = false
  private var contextCost: Int64 = 0
  private var isRememberingDue = false

  package var loop: EventLoop { ground.loop }
  package var log: Log { ground.log }
  /// The clock of the instants in `view`.
  package var now: Instant { Instant(nanoseconds: loop.now) }

  package var overflow: DatagramOverflow {
    var overflow = DatagramOverflow()
    overflow.received = inbox.dropped
    overflow.unsent = ground.sockets.sendsDropped
    return overflow
  }

  /// A snapshot of what this node knows.
  package var view: ClusterView { run.view }

  /// - Parameters:
  ///   - store: the releases on the shared directory.
  ///   - services: the supervisor.
  /// - Throws: `peer` when the durable state is not understood; it is untouched.
  package init(
    _ ground: AgentGround, store: any ReleaseStoring, services: any ServiceRunning
  ) throws(AgentError) {
    self.ground = ground
    let configuration = ground.peerConfiguration()
    let file = RegisterFile(
      directory: ground.state.directory, cluster: ground.cluster.id, node: ground.node)
    let run: PeerRun
    journal = try Self.journal(ground)
    do throws(PeerError) {
      let start = Instant(nanoseconds: ground.loop.now)
      let peer = try Peer(
        configuration: configuration, durable: ground.state.durable,
        cryptography: journal?.cryptography ?? ground.cryptography, at: start)
      journal?.begin(configuration, durable: ground.state.durable, at: start)
      run = PeerRun(peer, loop: ground.loop, journal: journal)
    } catch {
      throw .peer(error, path: file.path)
    }
    self.run = run
    let hooks = Hooks()
    writer = DurableWriter(
      file: file, serial: ground.state.registerSerial, counter: ground.state.incarnation.counter,
      worker: ground.worker, persisted: { [unowned run] in run.feed(.persisted(ticket: $0)) },
      failed: { hooks.writeFailed($0) })
    executor = Executor(
      loop: ground.loop, store: store, services: services, link: ground.state.currentPath,
      context: ServiceContext(cluster: ground.cluster.name, node: ground.options.name),
      log: ground.log, report: { [unowned run] in run.feed(.status($0)) })
    runner = EffectRunner(
      outlets: EffectRunner.Outlets(
        send: { [sockets = ground.sockets] in sockets.send($0, to: $1) },
        multicast: { [sockets = ground.sockets] in sockets.sendToGroup($0) },
        persist: { [writer] in writer.write($0, ticket: $1) }, event: { hooks.event($0) },
        duty: { [executor] in executor.obey($0) }, stop: { hooks.stop($0) },
        flush: { [sockets = ground.sockets] in sockets.flush() }))
    run.carryOut = { [runner] in runner.carryOut($0) }
    journal?.onEnd = { [weak self] reason in
      self?.log.warning("recording has ended: \(reason)")
      self?.onJournalEnd?(reason)
    }
    executor.onAnnounced = { [weak self] release, completion in
      self?.submit(.follow(release)) { reply in
        switch reply {
        case .done: completion("")
        case .refused(let reason), .timedOut(let reason): completion(reason)
        }
      }
    }
    hooks.writeFailed = { [weak self] in self?.failDurably($0) }
    hooks.event = { [weak self] in self?.note($0) }
    hooks.stop = { [weak self] in self?.obeyStop($0) }
  }

  private static func journal(_ ground: AgentGround) throws(AgentError) -> JournalRecorder? {
    guard let path = ground.options.journal else { return nil }
    do throws(SystemError) {
      return try JournalRecorder(
        path: path, limit: ground.options.journalLimit << 20, cryptography: ground.cryptography,
        loop: ground.loop)
    } catch {
      throw .journal(error)
    }
  }

  /// Asks the peer; the answer comes once, on the loop's thread, and may come at once.
  package func submit(_ command: MusterProtocol.Command, completion: @escaping (Reply) -> Void) {
    guard code == nil else { return completion(.refused("this agent is ending")) }
    guard let ticket = runner.ticket(for: completion) else {
      return completion(
        .refused("\(EffectRunner.requests) requests wait already: try again later"))
    }
    run.feed(.command(command, ticket: ticket))
  }

  /// Runs until the node has left, is told to end, or cannot go on.
  ///
  /// - Returns: the process's exit code.
  package func serve() throws(AgentError) -> Int32 {
    do throws(SystemError) {
      try ground.sockets.watch(on: loop) { [unowned self] waiting in
        inbox.add(waiting)
        readInbox()
      }
      try loop.watch(ground.signals.number) { [unowned self] in self.takeSignals() }
      log.info(
        "\(ground.options.name) (\(ground.node.short)) of \(ground.cluster.name), start "
          + "\(ground.state.incarnation), on \(ground.address)")
      for delay in Self.giveBackDelays {
        loop.schedule(after: delay) { StartMemory.giveBack() }
      }
      run.feed(.start)
      scheduleTidying()
      try loop.run()
    } catch {
      throw .system(error)
    }
    journal?.close()
    ground.sockets.unwatch(on: loop)
    loop.unwatch(ground.signals.number)
    return code ?? ExitCode.done
  }

  /// Gives the peer what somebody waits for, and a share of the rest; then it is the sockets' turn
  /// again, where more of the former may have come.
  private func readInbox() {
    let urgent = inbox.takeUrgent()
    if !urgent.isEmpty { run.read(urgent, isMore: inbox.hasMore) }
    let share = inbox.takeShare()
    if !share.isEmpty { run.read(share, isMore: inbox.hasMore) }
    guard inbox.hasMore, !isReadingDue else { return }
    isReadingDue = true
    loop.schedule(after: 0) { [weak self] in
      self?.isReadingDue = false
      self?.readInbox()
    }
  }

  // MARK: Events

  private func note(_ event: Event) {
    log.add(event)
    onEvent?(event)
    switch event {
    case .memberAlive:
      scheduleContext()
      scheduleRemembering()
    case .memberDead, .memberLeft, .memberForgotten, .recordUpdated, .leaderChanged,
      .registerCommitted, .roleChanged, .recovered:
      scheduleContext()
    case .memberSuspect, .founded, .joined, .sealed, .planChanged, .acknowledged,
      .releaseChanged, .clusterConflict, .equivocation, .nameConflict, .clockStood, .ruleStep,
      .memberUnfit:
      break
    }
  }

  private func scheduleContext() {
    guard !isContextDue else { return }
    isContextDue = true
    loop.schedule(after: max(Self.contextDelay, contextCost * Self.contextFactor)) { [weak self] in
      guard let self else { return }
      isContextDue = false
      let began = loop.now
      executor.update(ServiceContext(view))
      contextCost = min(loop.now - began, Self.contextCostMost)
    }
  }

  private func scheduleRemembering() {
    guard !isRememberingDue else { return }
    isRememberingDue = true
    loop.schedule(after: Self.rememberDelay) { [weak self] in
      guard let self else { return }
      isRememberingDue = false
      let addresses = view.members.filter { $0.state == .alive && $0.id != ground.node }
        .map(\.address)
      let file = PeersFile(path: ground.state.peersPath)
      // Best effort: without the file, multicast and --join find the others.
      ground.worker.run {
        (try? file.write(addresses)) != nil
      } completion: { _ in
      }
    }
  }

  private func scheduleTidying() {
    loop.schedule(after: Self.tidyInterval) { [weak self] in
      guard let self, code == nil else { return }
      let view = view
      if view.holdsLease, view.isSealed, view.committed.term == view.term {
        executor.tidy(term: view.term)
      }
      scheduleTidying()
    }
  }

  // MARK: Ending

  private func takeSignals() {
    while let signal = (try? ground.signals.next()) ?? nil {
      switch signal {
      case .reload:
        log.warning("SIGHUP is ignored: restart the agent to read its configuration again")
      case .end where code != nil:
        log.warning("ending at once")
        loop.stop()
      case .end:
        log.info("stopping services, then ending; the node stays a member (see `muster leave`)")
        end(ExitCode.done)
      }
    }
  }

  private func obeyStop(_ reason: StopReason) {
    run.halt()
    switch reason {
    case .left:
      log.info("left the cluster")
      end(ExitCode.done)
    case .nameTaken(let name, let holder):
      log.error(
        "the name \(name) is held by the live node \(holder.short): choose another with --name, "
          + "or stop that node")
      end(ExitCode.refused)
    case .cloned:
      log.error(
        "another agent runs with this node's identity, from a copy of its state directory: stop "
          + "one of them, and move its state directory away to join as a new node")
      end(ExitCode.failed)
    case .forgotten:
      log.error(
        "the operator has declared this node gone: move \(ground.state.directory) away to join "
          + "as a new node")
      end(ExitCode.refused)
    }
  }

  /// Nothing may be shown that is not durable: the peer hears and says nothing any more.
  private func failDurably(_ error: SystemError) {
    run.halt()
    runner.halt("this agent cannot write its state and ends")
    log.error("cannot write the state: \(error); make room on that disk and start the agent again")
    end(ExitCode.failed)
    code = ExitCode.failed
  }

  private func end(_ code: Int32) {
    guard self.code == nil else { return }
    self.code = code
    executor.end { [weak self] in
      guard let self else { return }
      runner.halt("this agent has ended")
      run.halt()
      loop.schedule(after: Self.farewell) { [weak self] in self?.loop.stop() }
    }
  }
}

/// What the parts of an agent call before the agent itself is whole.
private final class Hooks {
  var writeFailed: (SystemError) -> Void = { _ in }
  var event: (Event) -> Void = { _ in }
  var stop: (StopReason) -> Void = { _ in }
}
