import MusterProtocol
import MusterState

extension ClusterView {
  /// What `muster leader --json` prints.
  package var leaderJson: Json {
    let leadership = leadership
    return [
      "leader": .text(leadership.leader.map { name(of: $0) }),
      "leader_id": .text(leadership.leader?.description),
      "term": .count(leadership.term),
      "valid": .bool(hasValidLease),
      "held_here": .bool(holdsLease),
      "effective": .bool(leadership.isEffective),
      "remaining_ms": Json.milliseconds(leadership.leaseRemaining),
      "promise_ms": Json.milliseconds(leadership.promiseRemaining),
      "quarantine_ms": Json.milliseconds(leadership.quarantineRemaining),
      "guarantee_ms": .integer(leadership.guarantee.milliseconds),
      "believed": basisJson,
      "register": [
        "known": .string(register.description), "committed": .string(committed.description),
        "term": .count(register.term), "count": .count(register.count),
        "digest": .text(leadership.registerDigest?.description),
      ],
      "majority": .count(leadership.majority),
      "voters": .array(leadership.voters.map { voterJson($0) }),
      "obstacles": .array(leadership.obstacles.map { .string($0) }),
      "node": .string(name),
    ]
  }

  private var basisJson: Json {
    func names(_ votes: [NodeID]) -> Json { .array(votes.map { .string(name(of: $0)) }) }
    return switch leadership.basis {
    case nil: .null
    case .elected(let votes): ["because": "elected", "votes": names(votes)]
    case .certified(let votes): ["because": "certified", "votes": names(votes)]
    case .register: ["because": "register", "votes": []]
    }
  }

  private func voterJson(_ voter: LeaderView.Voter) -> Json {
    [
      "name": .string(name(of: voter.id)),
      "id": .string(voter.id.description),
      "state": .text(voter.state?.name),
      "leader": .bool(voter.id == leadership.leader),
      "priority": .count(voter.priority),
      "term": voter.term.map { .count($0) } ?? .null,
      "vote": .text(voter.vote.map { name(of: $0) }),
      "register": .text(voter.register?.description),
      "current": .bool(voter.holdsRegister),
      "free": .bool(voter.isFree),
      "promised_to": .text(voter.promisedTo.map { name(of: $0) }),
      "promise_ms": Json.milliseconds(voter.promiseRemaining),
      "resigned": .bool(voter.hasResigned),
    ]
  }
}

extension Json {
  static func milliseconds(_ span: TimeSpan?) -> Json {
    span.map { .integer($0.milliseconds) } ?? .null
  }
}
