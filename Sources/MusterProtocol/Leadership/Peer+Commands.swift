import MusterState

/// Requests of this node's operator that wait for the leader's committed answer.
struct Asking: Sendable {
  struct Question: Sendable {
    var ticket: UInt64
    var nonce: UInt64
    var action: RequestCard.Action
    var expires: Instant
  }

  /// The first is in this node's record; one at a time.
  var questions: [Question] = []
  var isShown = false
  var count: UInt32 = 0
  /// Own data that is answered once it is durable.
  var unwritten: [UInt64] = []

  var deadline: Instant? { questions.map(\.expires).min() }
}

/// A goodbye: published, then waited for until the register no longer contains this node.
struct Leaving: Sendable {
  var hasBegun = false
  var hasSaidGoodbye = false
  var ticket: UInt64 = 0
  var giveUpAt: Instant?

  var deadline: Instant? { giveUpAt }
}

extension Peer {
  mutating func obey(_ command: Command, ticket: UInt64) {
    switch command {
    case .setOwn(let key, let value): setOwn(key, value, ticket)
    case .setCluster(let key, let value):
      guard isWellFormed(key, value) else {
        refuse(ticket, malformedSetting)
        return
      }
      ask(.set(Setting(key: key, value: value)), ticket)
    case .addRelease(let release), .follow(let release):
      guard isWellFormed(release) else {
        refuse(
          ticket,
          "a version is letters, digits and . _ + -, at most 64; a source and its at most "
            + "\(Limits.mirrors) mirrors fit into \(Limits.valueBytes) bytes together")
        return
      }
      if case .follow = command {
        ask(.follow(release), ticket)
      } else {
        ask(.addRelease(release), ticket)
      }
    case .removeRelease(let version), .repairRelease(let version), .inspect(let version):
      guard isVersion(version) else {
        refuse(ticket, "a version is letters, digits and . _ + -, at most 64")
        return
      }
      switch command {
      case .removeRelease: ask(.removeRelease(version), ticket)
      case .repairRelease: ask(.repairRelease(version), ticket)
      default: ask(.inspect(version), ticket)
      }
    case .collect: ask(.collect, ticket)
    case .upgrade(let version, let options):
      guard isVersion(version) else {
        refuse(ticket, "a version is letters, digits and . _ + -, at most 64")
        return
      }
      ask(.upgrade(version, options), ticket)
    case .steer(let order, let plan): ask(.steer(order, plan), ticket)
    case .releaseHold(let signature): releaseHold(signature, ticket)
    case .forget(let node, let authority): ask(.forget(node, authority: authority), ticket)
    case .stepDown(let successor): askToStepDown(successor, ticket)
    case .recover(let recovery, let isForced):
      coordination.recovery = PendingRecovery(
        recovery: recovery, isForced: isForced, ticket: ticket)
      coordination.isDirty = true
    case .leave: leave(ticket)
    }
  }

  private func isWellFormed(_ key: String, _ value: String) -> Bool {
    !key.isEmpty && key.utf8.count <= Limits.keyBytes && value.utf8.count <= Limits.valueBytes
  }

  /// What is added must fit into a record, and thirty-two of them into the register.
  private func isWellFormed(_ release: ReleaseSource) -> Bool {
    let sources = [release.source] + release.mirrors
    return isVersion(release.version) && release.mirrors.count <= Limits.mirrors
      && sources.reduce(0) { $0 + $1.utf8.count } <= Limits.valueBytes
      && release.signer.utf8.count <= Limits.keyBytes
  }

  private var malformedSetting: String {
    "a key is 1 to \(Limits.keyBytes) bytes and a value at most \(Limits.valueBytes)"
  }

  mutating func refuse(_ ticket: UInt64, _ reason: String) {
    effects.append(.reply(ticket: ticket, .refused(reason)))
  }

  // MARK: - Own data

  private mutating func setOwn(_ key: String, _ value: String, _ ticket: UInt64) {
    guard isWellFormed(key, value) else {
      refuse(ticket, malformedSetting)
      return
    }
    var settings = durable.relations.filter { $0.key != key }
    if !value.isEmpty { settings.append(Setting(key: key, value: value)) }
    settings.sort { $0.key < $1.key }
    guard RelationContent(settings: settings).encoded.count <= Limits.recordContentBytes else {
      refuse(
        ticket,
        "a node's keys and values fit \(Limits.recordContentBytes) bytes together; "
          + "delete some with an empty value")
      return
    }
    durable.relations = settings
    coordination.isDirty = true
    asking.unwritten.append(ticket)
  }

  /// What was set here is on disk now: only then may anybody see it, for a crash would unsay it.
  mutating func answerWritten() {
    guard !asking.unwritten.isEmpty else { return }
    publishRelations()
    for ticket in asking.unwritten { effects.append(.reply(ticket: ticket, .done)) }
    asking.unwritten = []
  }

  mutating func publishRelations() {
    guard !durable.relations.isEmpty || ownContents[.data] != nil else { return }
    publish(.data, RelationContent(settings: durable.relations).encoded)
  }

  // MARK: - Asking the leader

  private mutating func ask(_ action: RequestCard.Action, _ ticket: UInt64) {
    guard asking.questions.count < Limits.answers else {
      refuse(ticket, "\(Limits.answers) requests of this node are waiting already")
      return
    }
    asking.questions.append(
      Asking.Question(
        ticket: ticket, nonce: 0, action: action, expires: now + timing.requestTimeout))
    showQuestion()
  }

  /// The term says which leader is meant: a successor is not asked to step down again.
  private mutating func askToStepDown(_ successor: NodeID?, _ ticket: UInt64) {
    guard let leader = leaderHint else {
      refuse(
        ticket, "nobody leads now; 'muster leader --explain' shows what an election waits for")
      return
    }
    let term = leader == id ? durable.term : card(of: leader)?.term ?? durable.term
    ask(.stepDown(term: term, to: successor), ticket)
  }

  private mutating func showQuestion() {
    guard !asking.isShown, var question = asking.questions.first else { return }
    asking.count += 1
    question.nonce = configuration.incarnation.counter << 32 | UInt64(asking.count)
    asking.questions[0] = question
    asking.isShown = true
    coordination.isDirty = true
    publish(
      .request, RequestCard(nonce: question.nonce, action: question.action).encoded)
  }

  /// Looks for the answer in the committed register; a time-out is an answer too.
  mutating func askingDue() {
    while let question = asking.questions.first {
      let answer = committedBody?.answers.last {
        $0.node == id && $0.nonce == question.nonce && asking.isShown
      }
      if let answer {
        let reply: Reply = answer.refusal.isEmpty ? .done : .refused(answer.refusal)
        effects.append(.reply(ticket: question.ticket, reply))
      } else if now >= question.expires {
        let reason =
          durable.founding == nil
          ? "the cluster is not founded: waiting for \(waitingFor)"
          : "no leader has answered; 'muster status' shows who votes"
        effects.append(.reply(ticket: question.ticket, .timedOut(reason)))
      } else {
        return
      }
      asking.questions.removeFirst()
      asking.isShown = false
      publish(.request, RequestCard(nonce: question.nonce, action: nil).encoded)
      showQuestion()
    }
  }

  // MARK: - Leaving

  private mutating func leave(_ ticket: UInt64) {
    guard !leaving.hasBegun else {
      refuse(ticket, "this node is leaving already")
      return
    }
    leaving.hasBegun = true
    leaving.ticket = ticket
    leaving.giveUpAt = now + timing.leaveTimeout
    if coordination.role == .leader { note(.resigned(at: now)) }
    resign()
    coordination.isDirty = true
  }

  /// Done when services are stopped and the register has let this node go, or has had its time.
  mutating func leavingDue() {
    guard leaving.hasBegun, !leaving.hasSaidGoodbye, let giveUpAt = leaving.giveUpAt else {
      return
    }
    let isLetGo = !(committedBody?.roster.contains(id) ?? false)
    let isStopped = status.running == nil
    guard isLetGo && isStopped || now >= giveUpAt else { return }
    leaving.hasSaidGoodbye = true
    publish(.member, ownCard(hasLeft: true).encoded)
    effects.append(.reply(ticket: leaving.ticket, .done))
    stop(.left)
  }
}
