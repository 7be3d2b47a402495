/// What a peer has counted since its start. Everything that is dropped or refused is here, by
/// reason; `/metrics` shows each.
package struct Counters: Hashable, Sendable {
  package var datagramsReceived: UInt64 = 0
  package var datagramsSent: UInt64 = 0
  package var bytesReceived: UInt64 = 0
  package var bytesSent: UInt64 = 0
  package var multicastsSent: UInt64 = 0
  package var recordsApplied: UInt64 = 0
  package var recordsForwarded: UInt64 = 0
  package var signaturesVerified: UInt64 = 0
  package var probesSent: UInt64 = 0
  package var probesFailed: UInt64 = 0
  package var suspicionsRefuted: UInt64 = 0
  package var repairs: UInt64 = 0
  package var elections: UInt64 = 0
  package var commits: UInt64 = 0
  /// How often the clock was found to have stood still.
  package var clockStops: UInt64 = 0
  /// Heartbeats and promises that this node handed to relays, and passed on for others.
  package var relaysAsked: UInt64 = 0
  package var relayed: UInt64 = 0
  package var dropped: [UInt64] = Array(repeating: 0, count: DropReason.allCases.count)

  /// Sealed datagrams to members, by what they carried first.
  package var sent: [UInt64] = Array(repeating: 0, count: FramePart.allCases.count)

  package init() {}

  package func count(of part: FramePart) -> UInt64 { sent[part.rawValue] }
  package mutating func drop(_ reason: DropReason) { dropped[reason.rawValue] += 1 }
  package func count(of reason: DropReason) -> UInt64 { dropped[reason.rawValue] }
}

/// Why a datagram, or a part of one, changed nothing. See "What is refused" in `proto/README.md`.
package enum DropReason: Int, CaseIterable, Sendable {
  case truncated
  case oversized
  case unknownKind
  case foreignCluster
  case unsealable
  case unknownSender
  case replayed
  case malformed
  case badSignature
  case badCookie
  case staleIncarnation
  case recordLimit
  case memberLimit
  case equivocation
  case uncertified
  case staleTerm
  case notObserver
  case forgotten
  case rateLimited
  case nameTaken
  case misrouted

  /// The label of the metric.
  package var name: String {
    switch self {
    case .truncated: "truncated"
    case .oversized: "oversized"
    case .unknownKind: "unknown-kind"
    case .foreignCluster: "foreign-cluster"
    case .unsealable: "unsealable"
    case .unknownSender: "unknown-sender"
    case .replayed: "replayed"
    case .malformed: "malformed"
    case .badSignature: "bad-signature"
    case .badCookie: "bad-cookie"
    case .staleIncarnation: "stale-incarnation"
    case .recordLimit: "record-limit"
    case .memberLimit: "member-limit"
    case .equivocation: "equivocation"
    case .uncertified: "uncertified"
    case .staleTerm: "stale-term"
    case .notObserver: "not-observer"
    case .forgotten: "forgotten"
    case .rateLimited: "rate-limited"
    case .nameTaken: "name-taken"
    case .misrouted: "misrouted"
    }
  }
}
