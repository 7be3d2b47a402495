import MusterDecisions
import MusterState

/// Every timer of the protocol, with the reason for its value. One set of defaults serves every
/// cluster; tests and the simulator may shorten them.
package struct Timing: Hashable, Sendable {
  /// Each member is probed once in this time, by its observers in turn.
  package var probeInterval = TimeSpan.seconds(1)
  /// The longest wait for a direct answer; the measured round trip shortens it.
  package var probeTimeoutMaximum = TimeSpan.milliseconds(500)
  package var probeTimeoutMinimum = TimeSpan.milliseconds(150)
  package var probeTimeoutLossy = TimeSpan.milliseconds(100)
  /// How long an observer's accusation waits for those of others, to be said together.
  package var joining = TimeSpan.milliseconds(500)
  /// Time for a suspect to say that it lives.
  package var refutationWindow = TimeSpan.milliseconds(1_000)
  /// The same when fewer observers than wanted agree.
  package var loneSuspicionWindow = TimeSpan.milliseconds(3_000)
  /// The same when nobody accuses but members that do not observe the subject.
  package var strangerSuspicionWindow = TimeSpan.milliseconds(12_000)
  /// Who comes back from the dead and is dead again within this time is left out.
  package var flapping = TimeSpan.seconds(60)
  /// Who is believed dead, is told so, and still speaks after this time, hears nothing.
  package var deafness = TimeSpan.seconds(5)
  /// Who has heard nobody for so long takes all the others for dead.
  package var solitude = TimeSpan.seconds(30)
  /// For so long a member that is left out has to answer every probe before it is back.
  package var proofOfFitness = TimeSpan.seconds(30)
  /// Who comes back from the dead within this time was slow, and is given longer from then on.
  package var tardinessLimit = TimeSpan.seconds(30)
  /// A turn that comes so much too late shifts every running verdict by the delay.
  package var stallThreshold = TimeSpan.milliseconds(100)
  /// Dead and left members are shown for so long, and re-contacted for ever.
  package var recontactInterval = TimeSpan.seconds(5)
  /// Beacons: at the start, and when the cluster is quiet and complete.
  package var beaconFast = TimeSpan.milliseconds(150)
  package var beaconFastCount = 5
  package var beaconMissing = TimeSpan.seconds(1)
  package var beaconQuiet = TimeSpan.seconds(30)
  /// Between the greetings of beacons, for each member known and each one waiting.
  package var greetingSpread = TimeSpan.milliseconds(2)
  /// First contact with a given address is tried again after this, doubled to the maximum.
  package var contactRetry = TimeSpan.milliseconds(200)
  package var contactRetryMaximum = TimeSpan.seconds(5)
  /// A newcomer has to learn first who observes it: until it has answered once, nothing is held
  /// against it for so long.
  package var introduction = TimeSpan.seconds(3)
  /// A comparison that nothing has come of is begun again after this.
  package var repairRetry = TimeSpan.milliseconds(300)
  /// Between two comparisons with one peer while the state still changes.
  package var repairInterval = TimeSpan.milliseconds(200)
  /// A flood under way is given so long before views are compared.
  package var settling = TimeSpan.milliseconds(50)
  /// Who agrees is asked of a neighbour after this when not everybody has been heard of, doubled
  /// each time; where datagrams are lost, at the second pace, until all neighbours have answered.
  package var agreementInterval = TimeSpan.milliseconds(500)
  package var agreementIntervalLossy = TimeSpan.milliseconds(150)
  /// Records that arrive thick and fast are passed on together, so much later at most.
  package var forwardPause = TimeSpan.milliseconds(50)
  /// The same where hundreds find each other for the first time, for each of them, and at most.
  package var gatheringPause = TimeSpan(nanoseconds: 1_500_000)
  package var gatheringPauseMaximum = TimeSpan.milliseconds(250)
  /// A newcomer that was sent on to its neighbours compares its state with one of them after this:
  /// until then they have heard of it, and floods have brought most of what there is.
  package var introductionPause = TimeSpan.milliseconds(600)
  /// What interests nobody at once waits so long for other news to go with.
  package var idlePause = TimeSpan.milliseconds(500)
  /// Chunks asked for and not come are asked for again, of somebody else.
  package var chunkRetry = TimeSpan.milliseconds(150)

  /// D_V: a voter's promise. See "Lease" in `proto/README.md`: the others follow from it.
  package var promise = TimeSpan.milliseconds(4_000)
  /// D_L = D_V (1 − ρ) / (1 + ρ) with ρ = 0.10.
  package var lease: TimeSpan { promise * 9 / 11 }
  /// H.
  package var heartbeat = TimeSpan.milliseconds(500)
  /// W: heartbeats that may be unanswered.
  package var heartbeatWindow: UInt64 = 5
  /// The guarantee that `isLeader` gives.
  package var guarantee = TimeSpan.milliseconds(2_000)
  package var campaignStagger = TimeSpan.milliseconds(150)
  package var campaignJitter = TimeSpan.milliseconds(100)
  package var candidateTimeoutMinimum = TimeSpan.milliseconds(500)
  package var candidateTimeoutMaximum = TimeSpan.milliseconds(800)
  package var voterStable = TimeSpan.seconds(10)
  package var voterDemotion = TimeSpan.seconds(60)
  /// Founding: when exactly the expected number is seen, and when more are.
  package var settle = TimeSpan.seconds(1)
  package var seal = TimeSpan.seconds(1)
  package var settleCrowded = TimeSpan.seconds(3)
  package var sealCrowded = TimeSpan.seconds(5)
  /// Mere progress of the register is shown after this, for each 64 members, and up to twice that.
  package var leisure = TimeSpan.milliseconds(1_500)
  /// The same while no plan runs: then it is only for those who will have lost all their voters,
  /// and of other voters they have to hear sooner.
  package var idleLeisure = TimeSpan.seconds(300)
  package var voterLeisure = TimeSpan.seconds(10)
  /// Where newcomers keep coming, they are admitted together in such stretches.
  package var admissionPause = TimeSpan.seconds(5)
  /// How long an operator's request waits for a leader.
  package var requestTimeout = TimeSpan.seconds(30)
  /// How long a plan waits for a mute participant before it goes on without it.
  package var acknowledgementTimeout = TimeSpan.seconds(120)
  /// How long a stop may take in `prepare` before the participant is overtaken.
  package var stopTimeout = TimeSpan.seconds(45)
  /// What is added where a participant says how long its own stop may take.
  package var stopMargin = TimeSpan.seconds(5)
  /// How long a leaving node waits to be let go.
  package var leaveTimeout = TimeSpan.seconds(5)

  /// What of it decisions ask for.
  var deliberation: DeliberationLimits {
    DeliberationLimits(
      acknowledgement: acknowledgementTimeout.milliseconds, stop: stopTimeout.milliseconds,
      stopMargin: stopMargin.milliseconds, voterStable: voterStable.milliseconds,
      voterDemotion: voterDemotion.milliseconds)
  }

  package init() {}
}
