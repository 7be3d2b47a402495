import MusterProtocol
import MusterState

/// A cluster that stands already: for simulations of what happens to a thousand or ten thousand
/// members, whose forming is not the question. See `FormedState`.
package struct FormedCluster: Sendable {
  /// A machine of the cluster.
  package struct Machine: Sendable {
    package var name: String
    package var address: Address
    /// What `SimulatedCryptography` makes the identity from.
    package var identity: UInt64
    /// The random part of its first incarnation.
    package var boot: UInt64

    package init(name: String, address: Address, identity: UInt64, boot: UInt64) {
      self.name = name
      self.address = address
      self.identity = identity
      self.boot = boot
    }
  }

  package static let cluster = ClusterID(Bytes16(high: 0x6d75_7374, low: 1))

  /// In the order of the machines; each is in the middle of its first life and is not started.
  package let peers: [Peer]
  /// What is on each machine's disk.
  package let disks: [[UInt8]]

  package init(
    _ machines: [Machine], seed: UInt64, timing: Timing = Timing(), usesMulticast: Bool = false,
    at now: Instant = .zero
  ) {
    var dice = SimulatedDice(seed: seed)
    let founders = machines.map { machine in
      FormedState.Founder(
        configuration: Self.configuration(
          of: machine, expect: UInt32(machines.count), timing, usesMulticast, &dice),
        cryptography: SimulatedCryptography(identity: machine.identity, cluster: 1))
    }
    let founding = FoundingID(Bytes16(high: dice.next(), low: dice.next()))
    let state = FormedState(founders, founding: founding, at: now)
    let ids = founders.map { $0.cryptography.nodeID(of: $0.cryptography.publicKey) }
    let written = state.disks()
    peers = ids.map { Peer(formed: state, as: $0) }
    disks = ids.map { written[$0] ?? [] }
  }

  /// So many members with names and addresses like a simulation's own.
  package static func peers(
    count: Int, seed: UInt64, timing: Timing = Timing()
  ) -> FormedCluster {
    var dice = SimulatedDice(seed: seed)
    let machines = (0..<count).map { index in
      Machine(
        name: "node/\(index)",
        address: Address(v4: 0x7f4d_0000 + UInt32(index) + 1, port: 7_946),
        identity: dice.next(), boot: dice.next())
    }
    return FormedCluster(machines, seed: dice.next(), timing: timing)
  }

  private static func configuration(
    of machine: Machine, expect: UInt32, _ timing: Timing, _ usesMulticast: Bool,
    _ dice: inout SimulatedDice
  ) -> PeerConfiguration {
    PeerConfiguration(
      cluster: cluster, clusterName: "simulated", expect: expect,
      authority: SimulatedCryptography(identity: 999, cluster: 1).publicKey, name: machine.name,
      incarnation: Incarnation(counter: 1, boot: machine.boot), isFreshIdentity: true,
      address: machine.address, join: [], usesMulticast: usesMulticast, founds: false,
      software: "simulated", timing: timing,
      seed: Bytes32(
        first: Bytes16(high: dice.next(), low: dice.next()),
        second: Bytes16(high: dice.next(), low: dice.next())))
  }
}
