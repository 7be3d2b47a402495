import MusterProtocol
import MusterState

/// Datagrams between the socket and the peer, those first that somebody waits for.
///
/// What they say is sealed, but its length tells enough: pings, answers, heartbeats and
/// accusations are short, and the knowledge of a whole cluster comes in long ones, each with
/// several signatures to check. A newcomer on a busy machine has seconds of that before it, and
/// must not seem dead meanwhile. UDP promises no order, so nobody can miss it.
struct Inbox {
  /// The longest datagram that goes first: an answer with the largest common agreement is shorter.
  static let shortBytes = 320
  /// Long ones given to the peer between two looks at the socket.
  static let share = 16

  private var urgent: [Datagram] = []
  private var patient: [Datagram] = []
  private var taken = 0
  /// Long datagrams that there was no room for; repair asks for what was in them.
  private(set) var dropped: UInt64 = 0

  var hasMore: Bool { !urgent.isEmpty || taken < patient.count }

  mutating func add(_ datagrams: [Datagram]) {
    for datagram in datagrams {
      if datagram.bytes.count <= Self.shortBytes {
        urgent.append(datagram)
      } else if patient.count - taken < Limits.waitingDatagrams {
        patient.append(datagram)
      } else {
        dropped += 1
      }
    }
  }

  /// All short ones, in the order of arrival.
  mutating func takeUrgent() -> [Datagram] {
    defer { urgent = [] }
    return urgent
  }

  /// Some of the long ones, in the order of arrival.
  mutating func takeShare() -> [Datagram] {
    let share = Array(patient[taken...].prefix(Self.share))
    taken += share.count
    if taken == patient.count {
      patient = []
      taken = 0
    } else if taken >= Limits.waitingDatagrams {
      patient.removeFirst(taken)
      taken = 0
    }
    return share
  }
}
