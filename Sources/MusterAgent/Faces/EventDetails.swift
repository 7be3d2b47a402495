import MusterProtocol
import MusterState

/// What one event of the protocol looks like in JSON.
struct EventDetails {
  var kind: String
  /// The node that the event is about; `nil`: the one that reports it.
  var node: NodeID?
  var details: [JsonMember] = []

  /// - Parameter name: what people call a node.
  init(_ event: Event, name: (NodeID) -> String) {
    switch event {
    case .memberAlive(let id, _, let via):
      self.init("member-alive", id, [JsonMember("via", .string(via.rawValue))])
    case .memberSuspect(let id, _, let by):
      self.init("member-suspect", id, [JsonMember("by", .string(name(by)))])
    case .memberDead(let id, _, let accusers):
      self.init("member-dead", id, [JsonMember("accusers", .count(accusers))])
    case .memberLeft(let id, _): self.init("member-left", id)
    case .memberForgotten(let id): self.init("member-forgotten", id)
    case .memberUnfit(let id, _): self.init("member-unfit", id)
    case .recordUpdated(let id, let record):
      self.init("record-updated", id, [JsonMember("record", .string(record))])
    case .nameConflict(let taken, let holder, let claimant):
      self.init(
        "name-conflict", holder,
        [
          JsonMember("name", .string(taken)),
          JsonMember("claimant", .string(claimant.description)),
        ])
    case .equivocation(let id): self.init("equivocation", id)
    case .clockStood(let span):
      self.init("clock-stood", nil, [JsonMember("for_ms", .integer(span.milliseconds))])
    case .ruleStep: self.init("rule-step", nil)
    case .roleChanged(let id, let role):
      self.init("role-changed", id, [JsonMember("role", .text(role?.name))])
    case .acknowledged(let id, let plan, let acknowledgement):
      self.init(
        "acknowledged", id,
        [
          JsonMember("acknowledgement", .string(acknowledgement.name)),
          JsonMember("plan", .string(plan.description)),
        ])
    case .leaderChanged, .founded, .joined, .sealed, .registerCommitted, .planChanged,
      .releaseChanged, .clusterConflict, .recovered:
      self.init(cluster: event, name: name)
    }
  }

  /// Events about the cluster as a whole.
  private init(cluster event: Event, name: (NodeID) -> String) {
    switch event {
    case .leaderChanged(let leader, let term):
      self.init(
        "leader-changed", leader,
        [
          JsonMember("leader", .text(leader.map(name))), JsonMember("term", .count(term)),
        ])
    case .founded(let founding, let voters):
      self.init(
        "founded", nil,
        [
          JsonMember("founding", .string(founding.description)),
          JsonMember("voters", .array(voters.map { .string(name($0)) })),
        ])
    case .joined(let founding):
      self.init("joined", nil, [JsonMember("founding", .string(founding.description))])
    case .sealed(let founding):
      self.init("sealed", nil, [JsonMember("founding", .string(founding.description))])
    case .clusterConflict(let founding):
      self.init("cluster-conflict", nil, [JsonMember("founding", .string(founding.description))])
    case .recovered(let old, let new, let voter):
      self.init(
        "recovered", voter,
        [
          JsonMember("from", .string(old.description)), JsonMember("to", .string(new.description)),
        ])
    case .registerCommitted(let version):
      self.init("register-committed", nil, [JsonMember("register", .string(version.description))])
    case .planChanged(let plan, let previous): self.init(plan: plan, previous: previous)
    case .releaseChanged(let release): self.init("release-changed", nil, release?.details ?? [])
    case .memberAlive, .memberSuspect, .memberDead, .memberLeft, .memberForgotten,
      .memberUnfit, .recordUpdated, .nameConflict, .equivocation, .roleChanged, .acknowledged,
      .clockStood, .ruleStep:
      preconditionFailure("an event about one node")
    }
  }

  private init(plan: Plan?, previous: Plan.Phase?) {
    var details = [JsonMember("previous", .text(previous?.name ?? "idle"))]
    if let plan {
      details += [
        JsonMember("plan", .string(plan.id.description)),
        JsonMember("from", .text(plan.from?.version)),
        JsonMember("to", .string(plan.to.version)),
        JsonMember("participants", .count(plan.participants.count)),
        JsonMember("overtaken", .count(plan.overtaken.count)),
        JsonMember("wave", .count(UInt64(plan.wave) + 1)),
        JsonMember("waves", .count(UInt64(plan.lastWave) + 1)),
        JsonMember("paused", .bool(plan.isPaused)),
      ]
    }
    self.init("plan-\(plan?.phase.name ?? "idle")", nil, details)
  }

  private init(_ kind: String, _ node: NodeID?, _ details: [JsonMember] = []) {
    self.kind = kind
    self.node = node
    self.details = details
  }
}
