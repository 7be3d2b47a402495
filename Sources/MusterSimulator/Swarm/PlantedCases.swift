#if MUSTER_PLANTED_BUGS
  import MusterProtocol

  /// A mistake, how the swarm is set to find it, and which promise it breaks: a checker that never
  /// fails proves nothing.
  package struct PlantedCase: Sendable {
    package var name: String
    /// Planted on every machine.
    package var planted: PlantedBugs = []
    /// Planted on one machine that lies.
    package var insider: PlantedBugs = []
    /// The checkers that may catch it.
    package var caughtBy: [String]
    /// A seed that catches it, for a quick look.
    package var knownSeed: UInt64 = 1
    package var nodes: Int?
    /// Faults that lead to it soonest; empty: all of them.
    package var faults: Set<Swarm.Fault> = []
    /// Faults that are always on.
    package var certain: Set<Swarm.Fault> = []
    package var extras = Swarm.Extras()

    package var options: Swarm.Options {
      var options = Swarm.Options()
      options.planted = planted
      options.insider = insider
      options.nodes = nodes
      if !faults.isEmpty { options.faults = faults }
      options.certain = certain
      options.extras = extras
      return options
    }

    /// The first seed whose run breaks a promise; `nil` when `limit` seeds do not.
    package func firstSeed(
      from first: UInt64, limit: UInt64
    ) -> (seed: UInt64, violation: Violation)? {
      for seed in first..<first + limit {
        var run = ScenarioRun(Swarm.scenario(seed: seed, options: options))
        if let violation = run.run().violation { return (seed, violation) }
      }
      return nil
    }

    package static let all: [PlantedCase] = leader + recoveries + records + plans

    private static let leader: [PlantedCase] = [
      PlantedCase(
        name: "M1 lease counted from receipt", planted: .leaseFromReceipt,
        caughtBy: ["lease-exclusion", "lease-horizon"], knownSeed: 10, nodes: 5,
        faults: [.late, .partition, .delay],
        certain: [.late, .partition]),
      PlantedCase(
        name: "M2 no margin for the clocks' rates", planted: .noDriftMargin,
        caughtBy: ["lease-exclusion"], knownSeed: 4, nodes: 3,
        faults: [.clock, .partition, .oneway],
        certain: [.clock, .oneway]),
      PlantedCase(
        name: "M3 no quarantine after a restart", planted: .noQuarantine,
        caughtBy: ["lease-exclusion"], knownSeed: 3, faults: [.coup], certain: [.coup]),
      PlantedCase(
        name: "M4 vote while promised", planted: .voteWhilePromised,
        caughtBy: ["promise-kept", "lease-exclusion"], nodes: 5),
      PlantedCase(
        name: "M5 no look at the register, second defence off",
        planted: [.voterIgnoresRegister, .candidateIgnoresRegister, .noTime],
        caughtBy: ["register-chain"], knownSeed: 324, nodes: 5,
        faults: [.partition, .partial, .operators, .loss],
        certain: [.partial, .operators]),
      PlantedCase(
        name: "M6 several voters at once", planted: .manyVotersAtOnce,
        caughtBy: ["register-chain"], knownSeed: 5, faults: [.operators, .crash, .disk],
        certain: [.operators, .disk]),
      PlantedCase(
        name: "M7 change before the commit", planted: [.changeBeforeCommit, .noTime],
        caughtBy: ["register-chain"], knownSeed: 3,
        faults: [.partition, .partial, .operators, .crash, .loss],
        certain: [.partial, .operators]),
      PlantedCase(
        name: "M8 vote shown before it is on disk", planted: .voteBeforeDisk,
        caughtBy: ["durable-before-visible", "vote-once"]),
      PlantedCase(
        name: "M9 disk lost, identity kept", caughtBy: ["vote-once", "register-chain"], nodes: 3,
        faults: [.crash, .partition], certain: [.crash],
        extras: Swarm.Extras(restartsWithoutState: true)),
      PlantedCase(
        name: "M10 an exception for one's own leader", planted: .ownLeaderException,
        caughtBy: ["promise-kept"], knownSeed: 79),
      PlantedCase(
        name: "M11 no lease carry", planted: .noLeaseCarry, caughtBy: ["lease-horizon"],
        knownSeed: 26,
        faults: [.operators, .disk, .crash, .loss], certain: [.operators, .loss]),
      PlantedCase(
        name: "M12 a pause that stops the clock", planted: .noClockGuard,
        caughtBy: ["lease-exclusion"], nodes: 5,
        faults: [.pause], certain: [.pause], extras: Swarm.Extras(clocksStand: true)),
      PlantedCase(
        name: "M13 commit without the term, second defence off",
        planted: [.commitWithoutTerm, .noTermCatchUp, .noTime], caughtBy: ["register-chain"],
        knownSeed: 21,
        nodes: 3, faults: [.partition, .operators, .partial, .late],
        certain: [.partial, .operators, .late]),
      PlantedCase(
        name: "M14 resignation before the lease is dropped", planted: .resignBeforeDrop,
        caughtBy: ["lease-exclusion"], nodes: 5, faults: [.operators, .delay],
        certain: [.operators, .delay], extras: Swarm.Extras(deafensWhoStepsDown: true)),
      PlantedCase(
        name: "uncertified leader", planted: .uncertifiedLeader,
        insider: .insiderClaimsLeadership, caughtBy: ["terms-are-won"], nodes: 9),
      PlantedCase(
        name: "an insider inflates the term", planted: .termOfAnyone,
        insider: .insiderInflatesTerm, caughtBy: ["terms-are-won"], nodes: 9,
        faults: [.crash, .partition], certain: [.crash]),
    ]

    private static let recoveries: [PlantedCase] = [
      PlantedCase(
        name: "a recovery without the leap of the term", planted: .noTermLeap,
        caughtBy: ["terms-are-won"], knownSeed: 265,
        faults: [.recovery, .crash, .partition, .operators],
        certain: [.recovery, .crash, .partition]),
      PlantedCase(
        name: "a recovery of what is committed, not of what is held",
        planted: .recoversCommitted, caughtBy: ["register-chain"], knownSeed: 15,
        faults: [.recovery, .partition, .operators], certain: [.recovery, .partition, .operators]),
    ]

    private static let records: [PlantedCase] = [
      PlantedCase(
        name: "record applied without verification", planted: .unverifiedRecord,
        insider: .insiderForgesRecords, caughtBy: ["genuine-records"], nodes: 9),
      PlantedCase(
        name: "a lower incarnation is trusted", planted: .lowerIncarnation,
        caughtBy: ["genuine-records"], knownSeed: 3,
        faults: [.crash, .partition, .late, .duplicate],
        certain: [.crash, .late]),
      PlantedCase(
        name: "forward without dedup", planted: .forwardAgain, caughtBy: ["limits-kept"]),
      PlantedCase(
        name: "suspicion never refuted", planted: .deadForEver, caughtBy: ["expected"],
        faults: [.partition, .crash, .pause], certain: [.partition]),
    ]

    private static let plans: [PlantedCase] = [
      PlantedCase(
        name: "U1 acts on what is not committed", planted: .actsOnUncommitted,
        caughtBy: ["only-what-is-committed", "stopped-before-start", "one-fetch"],
        faults: [.operators, .partition, .loss], certain: [.operators, .partition]),
      PlantedCase(
        name: "U3 the hold is not durable", planted: .stopsNotDurable,
        caughtBy: ["only-what-is-committed", "stopped-before-start"], knownSeed: 8,
        faults: [.operators, .crash, .services, .loss], certain: [.operators, .crash, .services]),
      PlantedCase(
        name: "U4 acknowledged before the stop", planted: .acknowledgesBeforeStop,
        caughtBy: ["acknowledged-means-stopped", "stopped-before-start"],
        faults: [.operators, .crash], certain: [.operators]),
      PlantedCase(
        name: "U5 acknowledgements of any plan", planted: .acknowledgesAnyPlan,
        caughtBy: ["acknowledged-means-stopped", "stopped-before-start"], knownSeed: 2,
        faults: [.operators],
        certain: [.operators]),
      PlantedCase(
        name: "U7 starts before it is admitted", planted: .startsUnadmitted,
        caughtBy: ["only-what-is-committed"], knownSeed: 4, faults: [.operators, .disk, .crash],
        certain: [.operators, .disk]),
      PlantedCase(
        name: "fetch claimed in a stale term", planted: .fetchInStaleTerm,
        caughtBy: ["one-fetch"], knownSeed: 4, faults: [.operators, .phase, .crash],
        certain: [.operators, .phase]),
      PlantedCase(
        name: "manifest not verified", planted: .unverifiedRelease,
        caughtBy: ["verified-binaries"], faults: [.operators, .crash],
        certain: [.operators, .crash], extras: Swarm.Extras(corrupts: true)),
      PlantedCase(
        name: "U6 release written in place", planted: .inPlaceRelease,
        caughtBy: ["verified-binaries", "one-fetch"], knownSeed: 205,
        faults: [.operators, .crash, .partition, .oneway, .services],
        certain: [.operators, .crash, .services]),
    ]
  }
#endif
