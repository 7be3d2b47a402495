import MusterState

/// Everything that a peer is given once, at its start.
package struct PeerConfiguration: Sendable {
  package var cluster: ClusterID
  package var clusterName: String
  /// The planned size: founding waits for exactly so many.
  package var expect: UInt32
  /// Checks what only an operator may decide.
  package var authority: PublicKey
  package var name: String
  package var incarnation: Incarnation
  /// Whether the identity was made in this start: only then may it vote without a quarantine.
  package var isFreshIdentity: Bool
  /// Where others reach this node.
  package var address: Address
  /// Where to look first.
  package var join: [Address]
  package var usesMulticast: Bool
  /// `agent --found`: founds alone. Needed for, and only useful with, `expect` 1.
  package var founds: Bool
  package var software: String
  /// Higher ones lead first; 0: votes, but never leads.
  package var priority: UInt8
  package var timing: Timing
  /// 256 bits from the system: the seed of the peer's generator. The same seed and inputs give
  /// the same effects, byte for byte.
  package var seed: Bytes32
  /// Mistakes that a test plants; a release build has none to plant.
  package var planted: PlantedBugs = []
  /// Whether each step of the leader's rules is told as an event, for the model to follow.
  package var tracesRules = false

  package init(
    cluster: ClusterID, clusterName: String, expect: UInt32, authority: PublicKey, name: String,
    incarnation: Incarnation, isFreshIdentity: Bool, address: Address, join: [Address],
    usesMulticast: Bool, founds: Bool, software: String,
    priority: UInt8 = LeaderPriority.standard, timing: Timing = Timing(), seed: Bytes32
  ) {
    self.cluster = cluster
    self.clusterName = clusterName
    self.expect = expect
    self.authority = authority
    self.name = name
    self.incarnation = incarnation
    self.isFreshIdentity = isFreshIdentity
    self.address = address
    self.join = join
    self.usesMulticast = usesMulticast
    self.founds = founds
    self.software = software
    self.priority = priority
    self.timing = timing
    self.seed = seed
  }
}
