import MusterState

/// What a peer is told. Together with the time it is all that a peer ever learns.
package enum Input: Sendable {
  /// The driver is ready to carry out effects; the first input of a life.
  case start
  /// A datagram arrived on the unicast or the multicast socket.
  case datagram([UInt8], from: Address)
  /// What waited on a socket: one turn for all costs far less than one for each, and no timer runs
  /// out while its answer waits to be read. `isMore`: others wait still, so nobody is probed or
  /// judged in this turn; the driver must not say so for longer than a second.
  case datagrams([Datagram], isMore: Bool)
  /// `deadline` has come. Early, late or needless timers are harmless.
  case timer
  /// The durable state of this ticket is on disk (written, fsynced, renamed).
  case persisted(ticket: UInt64)
  /// An operator asks; the answer comes as `Effect.reply` with the same ticket.
  case command(Command, ticket: UInt64)
  /// What the agent does and has, in answer to `Effect.duty`.
  case status(LocalStatus)
  /// The clock that this peer is told the time by stood still for about so long while real time
  /// went on: see "Lease" in `proto/README.md`.
  case clockStood(TimeSpan)
}

/// One datagram as it came from a socket.
package struct Datagram: Sendable {
  package var bytes: [UInt8]
  package var source: Address

  package init(_ bytes: [UInt8], from source: Address) {
    self.bytes = bytes
    self.source = source
  }
}

/// What an operator can ask of a node.
package enum Command: Hashable, Sendable {
  /// Sets this node's relation data; an empty value deletes the key.
  case setOwn(key: String, value: String)
  /// Asks the leader to commit a cluster-wide value; `version` starts an upgrade.
  case setCluster(key: String, value: String)
  case addRelease(ReleaseSource)
  /// Takes a release out of the register and its copies off the shared filesystem.
  case removeRelease(String)
  /// Publishes a release that is in use again, under the next number.
  case repairRelease(String)
  /// Removes what nobody needs any more from the shared filesystem.
  case collect
  /// Adds a release and installs it, unless its version is known already.
  case follow(ReleaseSource)
  /// Has every node look at each byte of a published release, and say what it finds.
  case inspect(String)
  /// Like setting the cluster's `version`, and says how to get there.
  case upgrade(String, UpgradeOptions)
  /// Tells the plan under way what to do; `nil`: whichever it is.
  case steer(PlanOrder, PlanID?)
  /// Lets this node run the old release again although a plan has stopped it: for a node that
  /// nobody reaches. Needs the authority's signature over `holdMessage(cluster:node:)`.
  case releaseHold(authority: Signature)
  /// Says goodbye: resigns, publishes `left`, waits to be let go, then `Effect.stop(.left)`.
  case leave
  /// Declares a node gone. A live one needs the authority's signature over
  /// `forgetMessage(cluster:node:)`.
  case forget(NodeID, authority: Signature?)
  /// Asks the leader to hand over: to this node, or to whoever stands first. Done when another
  /// one leads.
  case stepDown(to: NodeID?)
  /// Lets a founding whose majority is lost go on from this node. `force`: even under a leader.
  case recover(Recovery, force: Bool)
}

/// What a peer asks of the world. Effects are carried out in order.
package enum Effect: Sendable {
  case send([UInt8], to: Address)
  case multicast([UInt8])
  /// Write these bytes whole, fsync, rename, fsync the directory; then say `persisted(ticket:)`.
  /// The newest replaces an older one that has not begun; both tickets are then answered.
  /// On an error the driver must stop the process: nothing may be shown that is not durable.
  case persist([UInt8], ticket: UInt64)
  case event(Event)
  case reply(ticket: UInt64, Reply)
  /// What this node should be doing has changed.
  case duty(Duty)
  /// The daemon must end, for this reason.
  case stop(StopReason)
}

/// The end of one command, as the operator is told it.
package enum Reply: Hashable, Sendable {
  case done
  /// What stands in the way, and what to do: one line for people.
  case refused(String)
  /// No leader answered within the time limit.
  case timedOut(String)
}

/// Why a daemon must end; the text for people is the driver's.
package enum StopReason: Hashable, Sendable {
  /// `leave` is complete.
  case left
  /// Another live identity holds this node's name.
  case nameTaken(name: String, holder: NodeID)
  /// Somebody else runs with this identity: a cloned or restored disk.
  case cloned
  /// The cluster's operator has forgotten this identity.
  case forgotten
}

/// Something that happened, for people and for the history. The core never logs.
package enum Event: Hashable, Sendable {
  case memberAlive(NodeID, name: String, via: Discovery)
  case memberSuspect(NodeID, name: String, by: NodeID)
  case memberDead(NodeID, name: String, accusers: Int)
  case memberLeft(NodeID, name: String)
  /// A member that answers too little, or comes and goes, is left out until its observers have
  /// found it well for half a minute. About this node itself: the others leave it out.
  case memberUnfit(NodeID, name: String)
  case memberForgotten(NodeID)
  case recordUpdated(NodeID, name: String)
  case leaderChanged(NodeID?, term: UInt64)
  case founded(FoundingID, voters: [NodeID])
  case joined(FoundingID)
  case sealed(FoundingID)
  case registerCommitted(RegisterVersion)
  case roleChanged(NodeID, role: Role?)
  case planChanged(Plan?, previous: Plan.Phase?)
  case acknowledged(NodeID, plan: PlanID, Acknowledgement)
  case releaseChanged(ReleaseReference?)
  /// Two clusters were founded from one cluster file; nothing moves by itself.
  case clusterConflict(FoundingID)
  /// An author signed two values for one version; it is quarantined.
  case equivocation(NodeID)
  /// Another node's live name was claimed; the newcomer is refused.
  case nameConflict(name: String, holder: NodeID, claimant: NodeID)
  /// This node's clock stood still for so long: it let go of what it had by the clock.
  case clockStood(TimeSpan)
  /// An operator has let another founding continue this node's; `by` is its first voter.
  case recovered(from: FoundingID, to: FoundingID, by: NodeID)
  /// Only where `PeerConfiguration.tracesRules` asks for it.
  case ruleStep(RuleStep)

  /// How a member was found, for the timeline.
  package enum Discovery: String, Hashable, Sendable {
    case multicast, join, gossip
  }
}
