import MusterState

/// What came of the pings that one observer has lately asked of one member: directly, and through
/// others. An answer counts whenever it comes, so who is slow is not taken for who loses much.
/// See "Unfit members" in `proto/README.md`.
struct PathRecord: Sendable {
  private struct Probe: Sendable {
    /// The sequence of its first ping; the further ones lie in the same sixteen.
    var sequence: UInt32
    var at: Instant
    var asks: UInt8
    var answers: UInt8
  }

  private var probes: [Probe] = []
  /// Since when every probe was answered.
  private(set) var cleanSince: Instant?

  /// A ping was sent for the probe that began with `sequence`.
  mutating func ask(_ sequence: UInt32, at now: Instant) {
    if let last = probes.indices.last, probes[last].sequence == sequence {
      probes[last].asks &+= 1
      probes[last].at = now
      return
    }
    let old = probes.prefix { now - $0.at > Self.memory }.count
    probes.removeFirst(max(old, probes.count + 1 - Limits.pathProbes))
    probes.append(Probe(sequence: sequence, at: now, asks: 1, answers: 0))
  }

  /// - Parameter sequence: what the answer bears: one of the probe's sixteen.
  mutating func answer(_ sequence: UInt32, at now: Instant) {
    guard let place = probes.lastIndex(where: { $0.sequence / 16 == sequence / 16 }) else { return }
    if probes[place].answers < probes[place].asks { probes[place].answers += 1 }
    cleanSince = cleanSince ?? now
  }

  /// A whole probe came to nothing.
  mutating func fail() { cleanSince = nil }

  /// How many pings were asked between two ages, and how many of them were answered.
  private func count(
    from least: TimeSpan, to most: TimeSpan, at now: Instant
  ) -> (asks: Int, answers: Int) {
    var (asks, answers) = (0, 0)
    for probe in probes where now - probe.at >= least && now - probe.at < most {
      asks += Int(probe.asks)
      answers += Int(probe.answers)
    }
    return (asks, answers)
  }

  /// Of many that can be given up three eighths were answered at most, and lately it was no better.
  func isUnfit(asks least: Int, at now: Instant) -> Bool {
    guard probes.count > 2 else { return false }
    let (asks, answers) = count(from: Self.settling, to: Self.memory, at: now)
    guard asks >= least, answers * 8 <= asks * 3 else { return false }
    let lately = count(from: .seconds(1), to: Self.settling, at: now)
    return lately.answers * 2 <= lately.asks
  }

  /// Three quarters or more were answered.
  func isWell(at now: Instant) -> Bool {
    let (asks, answers) = count(from: .seconds(1), to: Self.memory, at: now)
    return asks > 0 && answers * 4 >= asks * 3
  }

  /// Longer than most are suspected before the verdict: who is silent altogether dies of that.
  private static let settling = TimeSpan.seconds(8)
  private static let memory = TimeSpan.seconds(30)
}
