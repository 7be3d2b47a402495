/// What the leader commits: who votes, who takes part, what should run. See
/// `proto/README.md`, "Register".
package struct RegisterBody: Hashable, Sendable {
  package var founding: FoundingID
  /// The length of a voter's promise, fixed when the cluster is founded.
  package var promiseMilliseconds: UInt32
  /// The planned size of the cluster, for the seal.
  package var expect: UInt32
  /// Sorted; odd in steady state; at most `Limits.voters`.
  package var voters: [NodeID]
  /// Sorted; everyone admitted to run services.
  package var roster: [NodeID]
  /// Sorted; tombstones of identities that an operator declared gone.
  package var forgotten: [NodeID]
  /// Whether founding is finished; final.
  package var sealed: Bool
  /// The job of each node in `roster`, in the same order.
  package var roles: [Role]
  /// Sorted by key; what `muster set --cluster` set.
  package var settings: [Setting]
  /// Sorted by version; what `muster release add` announced.
  package var releases: [ReleaseSource]
  /// What runs now.
  package var current: ReleaseReference?
  /// Releases that are published and stay: the current and the previous one.
  package var published: [ReleaseReference]
  package var plan: Plan?
  /// Answers to operators' requests, oldest first.
  package var answers: [RequestAnswer]
  /// Why the last plan was given up; empty when it was not.
  package var failure: String
  /// How this founding came from others, oldest first; at most `Limits.recoveries`.
  package var recoveries: [Recovery]
  /// A release that is published anew, or could not be.
  package var repair: ReleaseRepair?
  /// The last removal of releases from the shared filesystem.
  package var collection: ReleaseRemoval?
  /// How the next plan is to go; `nil`: everyone at once.
  package var options: UpgradeOptions?
  /// The last order to look at every byte of a release, on all nodes.
  package var inspection: InspectionOrder?

  package init(
    founding: FoundingID, promiseMilliseconds: UInt32, expect: UInt32, voters: [NodeID],
    roster: [NodeID], forgotten: [NodeID] = [], sealed: Bool = false, roles: [Role] = [],
    settings: [Setting] = [], releases: [ReleaseSource] = [], current: ReleaseReference? = nil,
    published: [ReleaseReference] = [], plan: Plan? = nil, answers: [RequestAnswer] = [],
    failure: String = "", recoveries: [Recovery] = [], repair: ReleaseRepair? = nil,
    collection: ReleaseRemoval? = nil, options: UpgradeOptions? = nil,
    inspection: InspectionOrder? = nil
  ) {
    self.founding = founding
    self.promiseMilliseconds = promiseMilliseconds
    self.expect = expect
    self.voters = voters
    self.roster = roster
    self.forgotten = forgotten
    self.sealed = sealed
    self.roles = roles
    self.settings = settings
    self.releases = releases
    self.current = current
    self.published = published
    self.plan = plan
    self.answers = answers
    self.failure = failure
    self.recoveries = recoveries
    self.repair = repair
    self.collection = collection
    self.options = options
    self.inspection = inspection
  }

  /// The job committed for `node`; `nil` outside the roster.
  package func role(of node: NodeID) -> Role? {
    let index = roster.place(of: node)
    guard index < roster.count, roster[index] == node, index < roles.count else { return nil }
    return roles[index]
  }

  /// How many voters are a majority.
  package var majority: Int { voters.count / 2 + 1 }

  package func setting(_ key: String) -> String? {
    settings.first { $0.key == key }?.value
  }
}

/// One cluster-wide key and value.
package struct Setting: Hashable, Sendable {
  package var key: String
  package var value: String
  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// The leader's committed answer to one operator's request.
package struct RequestAnswer: Hashable, Sendable {
  package var node: NodeID
  package var nonce: UInt64
  /// Empty when the request was carried out; otherwise why it was refused, at most
  /// `Limits.reasonBytes`: every node may have something in the way, and the register that says
  /// so must be one that can be read.
  package let refusal: String
  package init(node: NodeID, nonce: UInt64, refusal: String) {
    self.node = node
    self.nonce = nonce
    self.refusal = clipped(refusal, to: Limits.reasonBytes)
  }
}

/// Which version of the register: terms first, then the count within it.
package struct RegisterVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var term: UInt64
  package var count: UInt64

  package init(term: UInt64, count: UInt64) {
    self.term = term
    self.count = count
  }

  package static let none = RegisterVersion(term: 0, count: 0)
  package var description: String { "\(term).\(count)" }

  package static func < (left: RegisterVersion, right: RegisterVersion) -> Bool {
    left.term != right.term ? left.term < right.term : left.count < right.count
  }
}

/// Proof that a node won a term: votes signed by a majority of the voters.
package struct Certificate: Hashable, Sendable {
  package struct Vote: Hashable, Sendable {
    package var voter: NodeID
    package var signature: Signature
    package init(voter: NodeID, signature: Signature) {
      self.voter = voter
      self.signature = signature
    }
  }

  package var term: UInt64
  package var leader: NodeID
  /// Sorted by voter; at most a majority of `Limits.voters`.
  package var votes: [Vote]

  package init(term: UInt64, leader: NodeID, votes: [Vote]) {
    self.term = term
    self.leader = leader
    self.votes = votes
  }
}
