import MusterProtocol

/// One machine's clock: it starts anywhere, runs a little fast or slow, and may stand still while
/// a hypervisor holds the machine. Rates are 1,024ths, whole numbers, so that every machine
/// computes the same times.
package struct SimulatedClock: Sendable {
  /// The rate of true time.
  package static let exact: Int64 = 1_024
  /// The bound on the rate error that the lease is proven for, ρ = 0.10: see "Lease" in
  /// `proto/README.md`.
  package static let slowest: Int64 = 922
  package static let fastest: Int64 = 1_126

  private var trueBase = Instant.zero
  private var localBase: Instant
  private var rate: Int64 = exact
  private(set) var isStanding = false

  package init(offset: TimeSpan = .zero) { localBase = .zero + offset }

  /// What this clock shows at a true time.
  package func local(at time: Instant) -> Instant {
    if isStanding { return localBase }
    return localBase + TimeSpan(nanoseconds: (time - trueBase).nanoseconds * rate / Self.exact)
  }

  /// The first true time at which this clock shows `local`; what is past is now.
  package func trueTime(of local: Instant) -> Instant {
    let ahead = (local - localBase).nanoseconds
    guard ahead > 0 else { return trueBase }
    return trueBase + TimeSpan(nanoseconds: (ahead * Self.exact + rate - 1) / rate)
  }

  package mutating func setRate(_ rate: Int64, at time: Instant) {
    rebase(at: time)
    self.rate = rate
  }

  package mutating func stand(at time: Instant) {
    rebase(at: time)
    isStanding = true
  }

  package mutating func goOn(at time: Instant) {
    guard isStanding else { return }
    isStanding = false
    trueBase = time
  }

  private mutating func rebase(at time: Instant) {
    let shown = local(at: time)
    localBase = shown
    trueBase = time
  }
}
