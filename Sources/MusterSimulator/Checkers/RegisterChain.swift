import MusterProtocol
import MusterState

/// The committed register never forks and never goes back (I4 to I7, I18): one body a version,
/// committed versions on one chain, every new leader on top of all that was committed, and at most
/// one voter's difference between two neighbours. An operator's recovery goes on from what one
/// node holds, under another founding, and takes nothing else with it.
struct RegisterChain: Checker {
  let name = "register-chain"
  private struct Key: Hashable {
    var founding: FoundingID
    var version: RegisterVersion
  }
  private struct Reader: Hashable {
    var id: NodeID
    var founding: FoundingID
  }
  private var links: [Digest: RegisterLink] = [:]
  private var digests: [Key: Digest] = [:]
  private var newest: [FoundingID: RegisterLink] = [:]
  private var heard: [Reader: RegisterVersion] = [:]

  mutating func look(at moment: Moment, in simulation: Simulation) throws(Violation) {
    let audit = moment.audit
    guard let founding = audit.founding else { return }
    if audit.registerDigest != moment.before?.registerDigest || moment.before == nil {
      try noteHeld(by: moment, founding, in: simulation)
    }
    if audit.committed != .none, audit.committed != moment.before?.committed {
      try noteCommitted(by: moment, founding, in: simulation)
    }
    if let shown = moment.shown, shown.founding == founding {
      try noteShown(shown.committed, by: moment, founding, in: simulation)
    }
    if audit.isLeader, !(moment.before?.isLeader ?? false) {
      try noteElected(moment, founding, in: simulation)
    }
  }

  private mutating func noteHeld(
    by moment: Moment, _ founding: FoundingID, in simulation: Simulation
  ) throws(Violation) {
    guard let link = simulation.nodes[moment.node].running?.core.registerLink else { return }
    let key = Key(founding: founding, version: link.version)
    if let other = digests[key], other != link.digest {
      throw broken(simulation, "two bodies have version \(link.version)")
    }
    digests[key] = link.digest
    if links[link.digest] == nil, let parent = link.parent.flatMap({ links[$0] }) {
      if parent.body.founding != founding {
        try noteRecovered(link, from: parent, by: moment, in: simulation)
        links[link.digest] = link
        return
      }
      let changed = Set(parent.body.voters).symmetricDifference(link.body.voters)
      if changed.count > 1 {
        throw broken(
          simulation, "\(changed.count) voters differ from \(parent.version) to \(link.version)")
      }
    }
    links[link.digest] = link
  }

  /// A recovery begins with exactly what it names, and changes nothing but who votes; a plan ends.
  private func noteRecovered(
    _ link: RegisterLink, from parent: RegisterLink, by moment: Moment, in simulation: Simulation
  ) throws(Violation) {
    let name = simulation.nodes[moment.node].name
    guard let recovery = link.body.recoveries.last, recovery.to == link.body.founding,
      recovery.from == parent.body.founding, recovery.digest == parent.digest,
      recovery.version == parent.version, link.body.voters == [recovery.voter]
    else {
      throw broken(simulation, "\(name) holds \(link.version), which no recovery has begun")
    }
    var wanted = parent.body
    wanted.founding = recovery.to
    wanted.voters = [recovery.voter]
    wanted.recoveries = link.body.recoveries
    wanted.plan = nil
    if parent.body.plan != nil { wanted.failure = link.body.failure }
    if link.body != wanted || link.version <= parent.version {
      throw broken(simulation, "\(name) was recovered to more or less than it had")
    }
  }

  private mutating func noteCommitted(
    by moment: Moment, _ founding: FoundingID, in simulation: Simulation
  ) throws(Violation) {
    let version = moment.audit.committed
    guard let digest = digests[Key(founding: founding, version: version)],
      let link = links[digest]
    else {
      throw broken(simulation, "\(version) is committed and nobody ever held it")
    }
    guard let last = newest[founding] else {
      newest[founding] = link
      return
    }
    let (older, newer) = link.version < last.version ? (link, last) : (last, link)
    guard isAncestor(older.digest, of: newer.digest) else {
      throw broken(
        simulation, "the committed registers \(older.version) and \(newer.version) have forked")
    }
    newest[founding] = newer
  }

  /// What a node has shown that it acts on never goes back, across restarts too.
  private mutating func noteShown(
    _ version: RegisterVersion, by moment: Moment, _ founding: FoundingID,
    in simulation: Simulation
  ) throws(Violation) {
    let reader = Reader(id: moment.id, founding: founding)
    if let earlier = heard[reader], version < earlier {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name) went back from \(earlier) to \(version)")
    }
    heard[reader] = version
  }

  private func noteElected(
    _ moment: Moment, _ founding: FoundingID, in simulation: Simulation
  ) throws(Violation) {
    guard let last = newest[founding], last.version.term < moment.audit.term,
      let held = moment.audit.registerDigest
    else { return }
    guard isAncestor(last.digest, of: held) else {
      throw broken(
        simulation,
        "\(simulation.nodes[moment.node].name) was elected in term \(moment.audit.term) "
          + "without the committed register \(last.version)")
    }
  }

  private func isAncestor(_ old: Digest, of new: Digest) -> Bool {
    var next: Digest? = new
    while let digest = next {
      if digest == old { return true }
      next = links[digest]?.parent
    }
    return false
  }
}
