/// Mistakes that tests plant, to see that a checker catches each of them. A release build contains
/// none: there `Peer.plants` is always false.
package struct PlantedBugs: OptionSet, Hashable, Sendable {
  package var rawValue: UInt64
  package init(rawValue: UInt64) { self.rawValue = rawValue }
  private init(bit: UInt64) { rawValue = 1 << bit }

  // The leader.
  package static let leaseFromReceipt = PlantedBugs(bit: 0)
  package static let noDriftMargin = PlantedBugs(bit: 1)
  package static let noQuarantine = PlantedBugs(bit: 2)
  package static let voteWhilePromised = PlantedBugs(bit: 3)
  package static let voterIgnoresRegister = PlantedBugs(bit: 4)
  package static let candidateIgnoresRegister = PlantedBugs(bit: 5)
  package static let manyVotersAtOnce = PlantedBugs(bit: 6)
  package static let changeBeforeCommit = PlantedBugs(bit: 7)
  package static let voteBeforeDisk = PlantedBugs(bit: 8)
  package static let ownLeaderException = PlantedBugs(bit: 9)
  package static let noLeaseCarry = PlantedBugs(bit: 10)
  package static let commitWithoutTerm = PlantedBugs(bit: 11)
  package static let noTermCatchUp = PlantedBugs(bit: 12)
  package static let resignBeforeDrop = PlantedBugs(bit: 13)
  package static let uncertifiedLeader = PlantedBugs(bit: 14)
  package static let termOfAnyone = PlantedBugs(bit: 15)

  /// Every rule about time is off: what is left has to keep the register whole by itself.
  package static let noTime = PlantedBugs(bit: 16)

  /// Nobody compares the clocks, in the simulated driver.
  package static let noClockGuard = PlantedBugs(bit: 17)

  // Recovery.
  package static let noTermLeap = PlantedBugs(bit: 18)
  package static let recoversCommitted = PlantedBugs(bit: 19)

  // Records.
  package static let unverifiedRecord = PlantedBugs(bit: 20)
  package static let lowerIncarnation = PlantedBugs(bit: 21)
  package static let forwardAgain = PlantedBugs(bit: 22)
  package static let deadForEver = PlantedBugs(bit: 23)
  /// What was worked out about suspects is not forgotten when somebody else accuses one.
  package static let staleAlarm = PlantedBugs(bit: 24)

  // Plans.
  package static let actsOnUncommitted = PlantedBugs(bit: 30)
  package static let stopsNotDurable = PlantedBugs(bit: 31)
  package static let acknowledgesBeforeStop = PlantedBugs(bit: 32)
  package static let acknowledgesAnyPlan = PlantedBugs(bit: 33)
  package static let startsUnadmitted = PlantedBugs(bit: 34)
  package static let fetchInStaleTerm = PlantedBugs(bit: 35)

  // The store, in the simulated agent.
  package static let unverifiedRelease = PlantedBugs(bit: 40)
  package static let inPlaceRelease = PlantedBugs(bit: 41)

  // A member that lies: what an honest cluster must stand.
  package static let insiderForgesRecords = PlantedBugs(bit: 50)
  package static let insiderClaimsLeadership = PlantedBugs(bit: 51)
  package static let insiderInflatesTerm = PlantedBugs(bit: 52)
  package static let insider: PlantedBugs = [
    .insiderForgesRecords, .insiderClaimsLeadership, .insiderInflatesTerm,
  ]
}

extension Peer {
  /// Whether a test has planted this mistake here.
  @inline(__always)
  func plants(_ bug: PlantedBugs) -> Bool {
    #if MUSTER_PLANTED_BUGS
      return configuration.planted.contains(bug)
    #else
      return false
    #endif
  }
}
