import MusterDecisions
import MusterState

extension FormedState {
  /// The members' identities, sorted.
  package var identities: [NodeID] { ids }

  /// What each member's disk holds. Who does not vote has written the same as everyone else.
  package func disks() -> [NodeID: [UInt8]] {
    var disks: [NodeID: [UInt8]] = [:]
    var common: [UInt8]?
    for id in ids {
      let isVoter = voters.contains(id)
      let disk = (isVoter ? nil : common) ?? durable(of: id).encoded
      if !isVoter { common = disk }
      disks[id] = disk
    }
    return disks
  }
}

extension Peer {
  /// A member of a formed cluster, in the middle of its life: not to be started any more.
  package init(formed state: FormedState, as member: NodeID) {
    guard let founder = state.founders[member] else {
      preconditionFailure("only members of a formed cluster are formed with it")
    }
    do throws(PeerError) {
      try self.init(
        configuration: founder.configuration, durable: nil, cryptography: founder.cryptography,
        at: state.formedAt)
    } catch {
      preconditionFailure("no durable state was given that could be unreadable")
    }
    now = state.now
    store = state.store
    members = state.members
    ring = state.ring
    ringFingerprint = state.ringFingerprint
    overlay = state.overlay
    senders = state.senders
    coordinationCards = state.coordinationCards
    workCards = state.workCards
    chunks = state.chunks
    agreement = state.agreement
    repair.changedAt = state.formedAt + .seconds(10)
    for (name, version, content) in state.contents(of: id, founder) {
      ownVersions[name] = version
      ownContents[name] = content
    }
    durable = state.durable(of: id)
    formCoordination(state)
    duty = MusterDecisions.duty(
      of: id, committed: state.sealed.body, term: durable.committed.term, fetches: false)
    formProbes(state)
    contacting.beaconsSent = timing.beaconFastCount
    contacting.nextRecontact = now + generator.upTo(timing.recontactInterval)
    if configuration.usesMulticast {
      contacting.nextBeacon = now + generator.upTo(timing.beaconQuiet)
    }
    deadline = earliestDeadline()
  }

  private mutating func formCoordination(_ state: FormedState) {
    coordination.isDirty = false
    coordination.quarantineUntil = state.formedAt
    coordination.entry = state.sealed
    coordination.committedEntry = state.sealed
    coordination.digest = state.digests[2]
    coordination.history = Array(zip(state.digests, state.entries).map { ($0, $1) })
    coordination.ticket = 4
    coordination.wrote = durable
    coordination.shownLeader = state.leader
    coordination.shownTerm = 1
    coordination.shownRoles = state.shownRoles
    coordination.shownRolesOf = Coordination.Shown(
      founding: state.sealed.body.founding, version: state.sealed.version)
    coordination.shownSealed = true
    coordination.shownVoters = voters
    guard state.voters.contains(id) else { return }
    let sentAt = state.now - FormedState.heartbeatAge
    coordination.bound = Coordination.Bound(
      leader: state.leader, term: 1, number: FormedState.heartbeat)
    coordination.boundUntil = sentAt + timing.promise
    coordination.wakeAt = coordination.boundUntil
    guard id == state.leader else { return }
    coordination.role = .leader
    coordination.certificate = state.certificate
    coordination.electedAt = state.formedAt + .seconds(5)
    coordination.number = FormedState.heartbeat
    coordination.sentAt = [FormedState.heartbeat: sentAt]
    for voter in state.voters where voter != id {
      coordination.promised[voter] = FormedState.heartbeat
    }
    coordination.nextHeartbeat = sentAt + timing.heartbeat
    coordination.wakeAt = coordination.nextHeartbeat
  }

  /// Observers take turns: the first comes in some part of an interval, the others an interval
  /// behind each other. Subject and observers know the same times.
  private mutating func formProbes(_ state: FormedState) {
    for subject in subjects {
      guard let rank = observers(of: subject, wide: false).firstIndex(of: id) else { continue }
      prober.targets[subject] = Prober.Target(
        next: firstProbe(of: subject) + timing.probeInterval * Int64(rank), probe: nil)
    }
    for (rank, observer) in observers(of: id, wide: false).enumerated() {
      prober.planned.append(
        (observer, firstProbe(of: id) + timing.probeInterval * Int64(rank)))
    }
    for neighbour in overlay.neighbours(of: id).prefix(2) {
      prober.hear(neighbour, at: now)
    }
  }

  private func firstProbe(of subject: NodeID) -> Instant {
    let part = mixed(subject.bytes.low) % UInt64(timing.probeInterval.nanoseconds)
    return now + TimeSpan(nanoseconds: Int64(part))
  }
}
