import MusterProtocol
import MusterState

/// Writes the steps of the leader's rules as JSON lines, for the model to follow. See "The model"
/// in `proto/README.md`.
///
/// What others show is written when it changes, so that a trace stays small.
package struct RuleTrace: Sendable {
  private struct Known: Sendable {
    var live: [NodeID] = []
    var alive: [NodeID] = []
    var cards: [NodeID: RuleStep.Seen] = [:]
  }

  package private(set) var lines: [String] = []
  private var known: [NodeID: Known] = [:]

  /// The first line says what all steps have in common.
  package init(expect: UInt32, timing: Timing) {
    let times: [(String, TimeSpan)] = [
      ("promise", timing.promise), ("heartbeat", timing.heartbeat),
      ("stagger", timing.campaignStagger), ("jitter", timing.campaignJitter),
      ("candidate_min", timing.candidateTimeoutMinimum),
      ("candidate_max", timing.candidateTimeoutMaximum), ("settle", timing.settle),
      ("seal", timing.seal), ("settle_crowded", timing.settleCrowded),
      ("seal_crowded", timing.sealCrowded),
    ]
    lines.append(
      object([
        ("expect", "\(expect)"), ("window", "\(timing.heartbeatWindow)"),
        ("timing", object(times.map { ($0, "\($1.nanoseconds)") })),
      ]))
  }

  package mutating func add(_ step: RuleStep, of node: NodeID, founds: Bool) {
    var before = known[node] ?? Known()
    let isBoot = step.inputs.contains {
      if case .boot = $0 { true } else { false }
    }
    if isBoot { before = Known() }
    var members: [(String, String)] = [("n", text(node)), ("t", "\(step.at.nanoseconds)")]
    if !step.inputs.isEmpty { members.append(("in", array(step.inputs.map(input)))) }
    if isBoot, founds { members.append(("founds", "1")) }
    let live = step.seen.filter(\.isLive).map(\.node)
    let alive = step.seen.filter(\.isAlive).map(\.node)
    if live != before.live { members.append(("ring", nodes(live))) }
    if alive != before.alive { members.append(("alive", nodes(alive))) }
    var cards: [NodeID: RuleStep.Seen] = [:]
    for seen in step.seen where seen.shown != nil {
      var card = seen
      // Who is alive is written by itself.
      (card.isLive, card.isAlive) = (false, false)
      cards[seen.node] = card
    }
    let changed = Set(cards.keys).union(before.cards.keys).sorted().filter {
      cards[$0] != before.cards[$0]
    }
    if !changed.isEmpty {
      let texts = changed.map { (String($0.description.prefix(16)), card(cards[$0])) }
      members.append(("cards", object(texts)))
    }
    if step.isLeaving { members.append(("leaving", "1")) }
    if step.isLeftOut { members.append(("left_out", "1")) }
    members.append(("out", outcome(step.outcome)))
    lines.append(object(members))
    known[node] = Known(live: live, alive: alive, cards: cards)
  }

  // MARK: - Values

  private func input(_ input: RuleStep.Input) -> String {
    switch input {
    case .boot(let held, let isFresh, let priority):
      array([text("boot"), outcome(held), isFresh ? "1" : "0", "\(priority)"])
    case .heartbeat(let leader, let term, let number):
      array([text("heartbeat"), text(leader), "\(term)", "\(number)"])
    case .promise(let voter, let term, let number):
      array([text("promise"), text(voter), "\(term)", "\(number)"])
    case .persisted: array([text("persisted")])
    case .resigned(let at): array([text("resigned"), "\(at.nanoseconds)"])
    case .clockStood(let at): array([text("clock_stood"), "\(at.nanoseconds)"])
    case .handOver(let successor): array([text("hand_over"), text(successor)])
    case .fetched(let entries, let isTrusted):
      array([text("fetched"), array(entries.map(entry)), isTrusted ? "1" : "0"])
    case .proposal(let voters, let roster, let isSealed, let body):
      array([
        text("proposal"), nodes(voters), nodes(roster), isSealed ? "1" : "0", text(body),
      ])
    }
  }

  private func outcome(_ outcome: RuleStep.Outcome) -> String {
    var members: [(String, String)] = [
      ("founding", outcome.founding.map { text($0.description) } ?? "null"),
      ("term", "\(outcome.term)"), ("vote", text(outcome.vote)), ("role", "\(outcome.role)"),
      ("version", version(outcome.version)), ("digest", text(outcome.digest)),
      ("voters", nodes(outcome.voters)), ("sealed", outcome.isSealed ? "1" : "0"),
      ("committed", version(outcome.committed)), ("resigned", "\(outcome.resigned)"),
      ("successor", text(outcome.successor)),
      ("bound_until", "\(outcome.boundUntil.nanoseconds)"),
      ("lease_until", outcome.leaseUntil.map { "\($0.nanoseconds)" } ?? "null"),
      ("campaign_at", outcome.campaignAt.map { "\($0.nanoseconds)" } ?? "null"),
      ("hold_off_until", "\(outcome.holdOffUntil.nanoseconds)"),
      ("candidate_until", "\(outcome.candidateUntil.nanoseconds)"),
      ("writing", outcome.isWriting ? "1" : "0"),
    ]
    let bound = outcome.boundTo.map {
      array([text($0), "\(outcome.boundTerm)", "\(outcome.boundNumber)"])
    }
    members.append(("bound", bound ?? "null"))
    return object(members)
  }

  private func card(_ seen: RuleStep.Seen?) -> String {
    guard let seen, let shown = seen.shown else { return "null" }
    return array([
      shown.founding.map { text($0.description) } ?? "null", "\(shown.term)", text(shown.vote),
      seen.isVoteSigned ? "1" : "0",
      shown.digest.map { array([version(shown.version), text($0)]) } ?? "null",
      version(shown.committed), "\(shown.role)", seen.isFree ? "1" : "0", "\(shown.resigned)",
      proof(seen.proof), "\(seen.expect)", seen.isLeaving ? "1" : "0", shown.isSealed ? "1" : "0",
      "\(seen.priority)", text(shown.successor),
    ])
  }

  private func entry(_ entry: RuleStep.Entry) -> String {
    array([
      version(entry.version), text(entry.digest), text(entry.parent),
      text(entry.founding.description), nodes(entry.voters), nodes(entry.roster),
      entry.isSealed ? "1" : "0", text(entry.proposer), proof(entry.proof), text(entry.body),
      entry.isSigned ? "1" : "0",
    ])
  }

  private func proof(_ proof: RuleStep.Proof?) -> String {
    proof.map { array(["\($0.term)", text($0.leader), nodes($0.voters)]) } ?? "null"
  }

  private func version(_ version: RegisterVersion) -> String {
    array(["\(version.term)", "\(version.count)"])
  }

  /// The first half of an identifier tells any two apart, and keeps their order.
  private func text(_ node: NodeID?) -> String {
    node.map { text(String($0.description.prefix(16))) } ?? "null"
  }

  private func text(_ digest: Digest?) -> String {
    digest.map { text(String(hexadecimal($0.bytes.bytes).prefix(16))) } ?? "null"
  }

  private func text(_ plain: String) -> String { "\"\(plain)\"" }
  private func nodes(_ nodes: [NodeID]) -> String { array(nodes.map { text($0) }) }
}

private func array(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }

private func object(_ members: [(String, String)]) -> String {
  "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}
