import MusterProtocol

/// The parts of Lifeguard, each of which can be left out: without all of them it is SWIM with a
/// suspicion time of its own.
package struct LifeguardParts: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// A member that misses answers probes more slowly, and asks its go-betweens for nacks.
  package static let probe = LifeguardParts(rawValue: 1)
  /// Suspicion starts long and shrinks with every independent accuser.
  package static let suspicion = LifeguardParts(rawValue: 2)
  /// A suspect is told with the very ping that probes it.
  package static let buddy = LifeguardParts(rawValue: 4)

  package static let all: LifeguardParts = [.probe, .suspicion, .buddy]
}

/// The published defaults for a local network, and what a comparison switches.
package struct ReferenceSettings: Hashable, Sendable {
  package var parts = LifeguardParts.all
  package var probeInterval = TimeSpan.seconds(1)
  package var probeTimeout = TimeSpan.milliseconds(500)
  package var indirectChecks = 3
  /// A probe that nobody answers by datagram is tried once more over a stream.
  package var pingsByStream = true
  /// α of the papers.
  package var suspicionMultiplier: Int64 = 4
  /// β of the papers.
  package var suspicionMaximum: Int64 = 6
  package var gossipInterval = TimeSpan.milliseconds(200)
  package var gossipNodes = 3
  package var gossipToTheDead = TimeSpan.seconds(30)
  package var retransmitMultiplier = 4
  package var pushPullInterval = TimeSpan.seconds(30)
  /// Local health is at most this.
  package var awarenessMaximum = 7
  package var packetBytes = 1_400
  /// A newcomer whose first exchange was lost asks again.
  package var joinRetry = TimeSpan.seconds(30)
  package init() {}

  /// How often each update is sent in a cluster of so many.
  package func transmissions(_ count: Int) -> Int {
    var digits = 1
    var power = 10
    while power < count + 1 {
      power *= 10
      digits += 1
    }
    return retransmitMultiplier * digits
  }

  /// How long a member that leaves stays to pass its goodbye on.
  package func leaveDelay(_ count: Int) -> TimeSpan {
    gossipInterval * Int64((transmissions(count) + gossipNodes - 1) / gossipNodes + 1)
  }

  /// The shortest time that a suspect has.
  package func suspicionMinimum(_ count: Int) -> TimeSpan {
    let scale = max(1_000, Logarithm.nanosOfTen(UInt64(max(1, count))) / 1_000_000)
    return TimeSpan(nanoseconds: suspicionMultiplier * scale * probeInterval.nanoseconds / 1_000)
  }

  /// Independent accusers that shorten a suspicion to its minimum.
  package func confirmations(_ count: Int) -> Int {
    let wanted = Int(suspicionMultiplier) - 2
    return parts.contains(.suspicion) && count - 2 >= wanted ? max(0, wanted) : 0
  }

  /// How long a suspicion runs in all after so many confirmations.
  package func suspicionTime(_ count: Int, confirmed: Int) -> TimeSpan {
    let minimum = suspicionMinimum(count)
    let wanted = confirmations(count)
    guard wanted > 0 else { return minimum }
    let maximum = minimum * suspicionMaximum
    // ln(c + 1) / ln(k + 1), in thousand-millionths.
    let share =
      Logarithm.nanosOfTen(UInt64(confirmed + 1)) * 1_000_000
      / (Logarithm.nanosOfTen(UInt64(wanted + 1)) / 1_000)
    let span = (maximum - minimum).nanoseconds / 1_000_000
    let milliseconds =
      maximum.nanoseconds / 1_000_000 - (span * share + 999_999_999) / 1_000_000_000
    return max(minimum, .milliseconds(milliseconds))
  }

  /// Large clusters exchange whole states more rarely.
  package func pushPull(_ count: Int) -> TimeSpan {
    guard count > 32 else { return pushPullInterval }
    var factor: Int64 = 1
    var size = 32
    while size < count {
      size *= 2
      factor += 1
    }
    return pushPullInterval * factor
  }
}
