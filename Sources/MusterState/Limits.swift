/// Every bound of the protocol, in one place. What happens at each of them is said here and in
/// `proto/README.md` under "Limits"; reaching one is counted, never silent.
package enum Limits {
  /// The largest datagram sent or accepted, in bytes: fits IPv6's minimum link without fragments.
  package static let datagramBytes = 1_232

  /// The largest content of one record. A larger one is refused where it is published.
  package static let recordContentBytes = 1_000

  /// The longest record name.
  package static let recordNameBytes = 64

  /// Records one author may have. Further names of that author are refused and counted.
  package static let recordsPerAuthor = 64

  /// The longest node name, in UTF-8 bytes.
  package static let nodeNameBytes = 63

  /// Members held at once, of any state. A newcomer beyond it is refused and counted.
  package static let members = 16_384

  /// The largest value kept as a tree of chunks, such as the register's body.
  package static let treeBytes = 65_536

  /// What a leader leaves free in a register, for the certificate of its successor.
  package static let certificateMargin = 1_024

  /// The content of one chunk.
  package static let chunkBytes = 1_000

  /// Chunks kept for others, at most; the oldest that nothing refers to go first.
  package static let chunks = 8_192

  /// Voters of the register, at most.
  package static let voters = 7

  /// Nodes in the roster: as many as fit into the register, twice, beside a plan. Further members
  /// take part in everything but roles; status and a metric show them without one.
  package static let roster = 1_500

  /// Waves of one plan. With more participants than that, more of them move together.
  package static let waves = 256

  /// Releases that the register names; adding one more is refused until one is removed.
  package static let releases = 32

  /// Cluster-wide settings; setting one more key is refused.
  package static let settings = 64

  /// The longest key and value of relation data and of settings.
  package static let keyBytes = 64
  package static let valueBytes = 512

  /// Why something was refused or given up, as the register says it; what is longer is cut.
  package static let reasonBytes = 400

  /// Nodes that one refusal names; of the others it gives the number.
  package static let namedNodes = 3

  /// Members up to which nothing is spared.
  package static let smallCluster = 32

  /// Observers that probe each member.
  package static let observers = 4

  /// Observers whose accusations give a verdict within the short window; further ones keep silent.
  package static let accusers = 3

  /// Probes that an observer lets fail in a row before it accuses without a second one's word.
  package static let probesAlone = 2

  /// Suspects at one time that are judged as if each were alone; more are given longer.
  package static let suspectsAtOnce = 4

  /// How often a suspect is told directly, by those who watch it, before a verdict.
  package static let suspicionReminders: Int64 = 3

  /// Neighbours to which a new record is forwarded at once.
  package static let neighbours = 6

  /// Rings of the overlay on which news is passed on while hundreds find each other, one way.
  package static let gatheringRings = 2

  /// Buckets of the state's fingerprint.
  package static let buckets = 64

  /// The replay window of a pair of members, in datagrams.
  package static let replayWindow = 1_024

  /// Long datagrams read from a socket that wait for their turn; more are dropped and counted.
  package static let waitingDatagrams = 1_024

  /// First contacts under way at once; further ones wait.
  package static let contacts = 64

  /// How often the author of a beacon is greeted, for five minutes: it may hear nothing at first,
  /// and nobody may hear it again.
  package static let beaconTries = 64

  /// Strangers answered in one second from which on a newcomer is sent on to its neighbours: one
  /// member cannot tell everything to all of them.
  package static let welcomesAlone = 8

  /// Registers in a row that admit newcomers at once; then they are admitted together.
  package static let admissionsAtOnce: Int64 = 4

  /// Tries of a given address before they become rarer.
  package static let contactTriesAtOnce = 10

  /// Authors of beacons that a node which knows nobody greets at once.
  package static let greetingsAlone = 3

  /// Turns in a tenth of a second that pass records on at once; what comes then is put together.
  package static let forwardsAtOnce = 4

  /// Comparisons under way that are begun again, and how often.
  package static let comparisons = 8
  /// Probes of each target in a row that nobody has answered, before a node believes that it is
  /// alone.
  package static let probesInSolitude = 10

  /// Probes of one member that are remembered, and pings it takes to find it unfit.
  package static let pathProbes = 32
  package static let unfitAsks = 20
  package static let comparisonTries = 8

  /// Digests sent in answer to one question.
  package static let digestsTold = 32

  /// Records sent in answer to one question.
  package static let recordsTold = 1_120

  /// Records that changed within seconds and are offered to whoever differs; more are compared.
  package static let news = 24
  package static let newsLossy = 96

  /// Questions after one change to neighbours that have not agreed yet.
  package static let agreementQuestions = 3
  package static let agreementQuestionsLossy = 50

  /// Neighbours that have to show the same state before no more are asked where much is lost.
  package static let confirmations = 3

  /// Datagrams of strangers answered a second; more are dropped and counted.
  package static let strangerAnswersPerSecond = 2_000

  /// Tags of authentic datagrams under the cluster key that are remembered against replay.
  package static let tags = 4_096

  /// Records of one author forwarded a second, and the burst above it. What exceeds that waits
  /// for repair, so that one member cannot make all the others work.
  package static let forwardsPerSecond = 5
  package static let forwardBurst = 20

  /// Voters' registers kept, to certify a chain to members that were away.
  package static let registers = 64

  /// Members that pass a heartbeat or a promise on at once, where the direct way is cut.
  package static let relays = 2

  /// Relayed heartbeats and promises taken of one member a second; more are dropped, counted.
  package static let relaysPerSecond = 32

  /// Certificates whose verdict is remembered.
  package static let verdicts = 64

  /// Foundings that a node has left and still remembers.
  package static let foundingsLeft = 16

  /// Recoveries that a register names, so that nodes which were away find their way; the oldest
  /// goes. Foundings that one of them may absorb.
  package static let recoveries = 8
  package static let absorbed = 4

  /// Mirrors of one release; a request with more is malformed.
  package static let mirrors = 4

  /// Releases that a node without a shared directory offers to others; the oldest are left out.
  package static let offers = 8

  /// Files handed on to others at once, and how many of these leave no room for one who has only
  /// begun; what exceeds it is told to come again, and counted.
  package static let filesServed = 8
  package static let filesServedBusy = 4

  /// Bytes a second that one of them may take at most, and at least: who is slower is cut off.
  package static let servedMost: Int64 = 64 << 20
  package static let servedLeast: Int64 = 32 << 10

  /// Peers that are asked for one release, one after the other, before the source is.
  package static let peersAsked = 8

  /// Copies of one release that are ordered by themselves after corrupt ones. What is found
  /// corrupt again is then the fault of the storage or of who reads it, and for the operator.
  package static let repairs: UInt32 = 3

  /// Releases that a collection names as being run.
  package static let kept = 64

  /// What a node says of a release that it has looked at; longer text is cut.
  package static let verdictBytes = 160

  /// Seconds for which a mute participant of a plan is waited for, where operators say so.
  package static let acknowledgementSeconds: ClosedRange<Int64> = 5...86_400

  /// Seconds between two looks for a new version: at least, where nothing is said, and at most.
  package static let indexSeconds: ClosedRange<Int64> = 10...604_800
  package static let indexSecondsUsual: Int64 = 300

  /// Answers to operators' requests kept in the register.
  package static let answers = 64
}
