import MusterProtocol
import MusterState

extension Log {
  /// Writes what the protocol reports.
  package func add(_ event: Event) {
    let (level, message) = Self.line(for: event)
    add(level, message)
  }

  private static func line(for event: Event) -> (LogLevel, String) {
    switch event {
    case .memberAlive(let node, let name, let via):
      (.info, "\(name) (\(node.short)) is alive, found by \(via.rawValue)")
    case .memberSuspect(let node, let name, let observer):
      (.info, "\(name) (\(node.short)) is suspected by \(observer.short)")
    case .memberDead(let node, let name, let accusers):
      (.warning, "\(name) (\(node.short)) is dead, say \(accusers) observers")
    case .memberLeft(let node, let name):
      (.info, "\(name) (\(node.short)) has left")
    case .memberUnfit(let node, let name):
      (
        .warning,
        "\(name) (\(node.short)) answers too little, or comes and goes: it is left out until it "
          + "has answered for half a minute; look at its network and its load"
      )
    case .memberForgotten(let node):
      (.info, "\(node.short) was declared gone by the operator")
    case .recordUpdated(let node, let name):
      (.debug, "record \(name) of \(node.short) has changed")
    case .nameConflict(let name, let holder, let claimant):
      (
        .warning,
        "\(claimant.short) claims the name \(name) of \(holder.short), which lives: refused"
      )
    case .equivocation(let node):
      (.error, "\(node.short) signed two values for one version: nothing of it is believed")
    case .clockStood(let span):
      (
        .warning,
        "this machine's clock stood still for \(span.milliseconds) ms or the wall clock was set: "
          + "if this node led, it has stepped down"
      )
    case .ruleStep(let step): (.debug, "a step of the rules in term \(step.outcome.term)")
    case .leaderChanged, .founded, .joined, .sealed, .registerCommitted, .roleChanged,
      .planChanged, .acknowledged, .releaseChanged, .clusterConflict, .recovered:
      decisionLine(for: event)
    }
  }

  private static func decisionLine(for event: Event) -> (LogLevel, String) {
    switch event {
    case .leaderChanged(let node, let term):
      (.info, node.map { "\($0.short) leads in term \(term)" } ?? "nobody leads in term \(term)")
    case .founded(let founding, let voters):
      (.info, "the cluster is founded (\(founding)) with \(voters.count) voters")
    case .joined(let founding): (.info, "joined the cluster founded as \(founding)")
    case .sealed(let founding): (.info, "the founding \(founding) is sealed")
    case .registerCommitted(let version): (.debug, "register \(version) is committed")
    case .roleChanged(let node, let role):
      (.info, "the role of \(node.short) is \(role?.name ?? "none")")
    case .planChanged(let plan, let previous):
      (
        .info,
        plan.map { "plan to \($0.to.version): \($0.phase.name)\($0.waveText)" }
          ?? "plan finished after \(previous?.name ?? "nothing")"
      )
    case .acknowledged(let node, _, let acknowledgement):
      (.info, "\(node.short) acknowledges: \(acknowledgement.name)")
    case .releaseChanged(let release):
      (.info, "the current release is \(release?.directoryName ?? "none")")
    case .clusterConflict(let founding):
      (
        .error,
        "another cluster was founded from this cluster file (\(founding)); nothing moves by "
          + "itself: to keep this one, run 'muster cluster recover --force --absorb \(founding) "
          + "--authority KEY' on a node of it; or stop the nodes of one and remove their state"
      )
    case .recovered(let old, let new, let voter):
      (
        .error,
        "the operator has let \(new) continue the founding \(old), from \(voter.short): what was "
          + "committed elsewhere meanwhile is lost, and nothing leads back"
      )
    case .memberAlive, .memberSuspect, .memberDead, .memberLeft, .memberForgotten,
      .memberUnfit, .recordUpdated, .nameConflict, .equivocation, .clockStood,
      .ruleStep:
      preconditionFailure("a matter of membership")
    }
  }
}
