import MusterProtocol
import MusterState
import MusterSystem

/// What an agent stands on, found fit before anything is sent: the cluster file, its own state
/// with the count of this start on disk, its sockets, the loop and the worker.
package final class AgentGround {
  package let options: AgentOptions
  /// The daemon's version, for people.
  package let software: String
  package let log: Log
  package let cluster: ClusterFile
  package let loop: EventLoop
  /// For the node's own disk. The release store, which waits for networks, needs one of its own.
  package let worker: WorkerThread
  package let signals: SteeringSignals
  package let state: NodeState
  let sockets: AgentSockets

  package var node: NodeID { state.node }
  package var cryptography: SodiumCryptography { state.cryptography }
  /// Where others reach this node.
  package var address: Address { sockets.address }

  /// The port of the read-only HTTP face, where others reach it at the host that they know this
  /// node by; `nil` when it listens elsewhere, or its port is not known beforehand.
  var reachablePort: UInt16? {
    guard let http = options.http, http.port != 0 else { return nil }
    let isAnyHost = http.host == Bytes16.zero || http.isV4 && http.v4 == 0
    return isAnyHost || http.host == address.host || http.host == options.bind.host
      ? http.port : nil
  }

  /// Checks and takes everything. To be called before any other thread is started, as signals
  /// are held from here on.
  package static func open(
    _ options: AgentOptions, software: String, log: Log
  ) throws(AgentError) -> AgentGround {
    try checkName(options.name)
    let cluster: ClusterFile
    do throws(ClusterFileError) { cluster = try ClusterFile.read(options.clusterFile) } catch {
      throw .cluster(error)
    }
    // A busy port must not count as a start.
    let sockets = try AgentSockets.open(options, log: log)
    let state: NodeState
    do throws(StateError) {
      state = try NodeState.open(
        options.stateDirectory, cluster: cluster,
        shared: options.isLocal ? "" : options.sharedDirectory)
    } catch {
      throw .state(error)
    }
    do throws(SystemError) {
      let signals = try SteeringSignals.take()
      let loop = try EventLoop()
      return AgentGround(
        options, software, log, cluster, loop, try WorkerThread(loop: loop), signals, state,
        sockets)
    } catch {
      throw .system(error)
    }
  }

  private init(
    _ options: AgentOptions, _ software: String, _ log: Log, _ cluster: ClusterFile,
    _ loop: EventLoop, _ worker: WorkerThread, _ signals: consuming SteeringSignals,
    _ state: consuming NodeState, _ sockets: AgentSockets
  ) {
    self.options = options
    self.software = software
    self.log = log
    self.cluster = cluster
    self.loop = loop
    self.worker = worker
    self.signals = signals
    self.state = state
    self.sockets = sockets
  }

  private static func checkName(_ name: String) throws(AgentError) {
    let bytes = Array(name.utf8)
    let isFit =
      !bytes.isEmpty && bytes.count <= Limits.nodeNameBytes
      && bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
    if !isFit {
      throw .option(
        "--name \"\(name.prefix(80))\" cannot name a node: use at most \(Limits.nodeNameBytes) "
          + "visible ASCII characters, such as ci/0")
    }
  }

  /// What the peer is told once.
  package func peerConfiguration() -> PeerConfiguration {
    guard let seed = Bytes32(Sodium.randomBytes(32)) else { preconditionFailure("32 bytes") }
    var join = options.join
    for remembered in PeersFile(path: state.peersPath).read() where !join.contains(remembered) {
      join.append(remembered)
    }
    return PeerConfiguration(
      cluster: cluster.id, clusterName: cluster.name, expect: cluster.expect,
      authority: cluster.authority, name: options.name, incarnation: state.incarnation,
      isFreshIdentity: state.isFresh, address: address, join: join.filter { $0 != address },
      usesMulticast: options.multicast != nil, founds: options.founds, software: software,
      priority: options.leaderPriority, seed: seed)
  }
}
