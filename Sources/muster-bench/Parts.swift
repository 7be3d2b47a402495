import MusterProtocol

/// What a contestant's datagrams were sent for, of all members together: says where traffic comes
/// from when there is too much of it.
struct Parts: Sendable {
  /// Datagrams that are not sealed for one member.
  static let contact = "first contact"
  static let names = [contact] + FramePart.allCases.map(\.name)

  private var datagrams: [String: Int] = [:]

  mutating func add(_ counters: Counters) {
    var rest = Int(counters.datagramsSent)
    for part in FramePart.allCases {
      let count = Int(counters.count(of: part))
      datagrams[part.name, default: 0] += count
      rest -= count
    }
    datagrams[Self.contact, default: 0] += rest
  }

  func count(of part: FramePart) -> Int { datagrams[part.name] ?? 0 }

  static func - (left: Parts, right: Parts) -> Parts {
    var rest = left
    for (name, count) in right.datagrams { rest.datagrams[name, default: 0] -= count }
    return rest
  }

  /// As values of a run, in thousandths of a datagram for each of so many.
  func note(in measured: inout Measured, each share: Int64) {
    for name in Self.names {
      guard let count = datagrams[name] else { continue }
      measured.add(Self.value(name), Int64(count) * 1_000 / max(1, share))
    }
  }

  /// Lines below those of a case, where they are asked for.
  static func rows(_ options: BenchOptions) -> [RowRule] {
    guard options.showsParts else { return [] }
    return names.map { name in
      RowRule("  of them: \(name)", .rate) { $0.mean(value(name)) }
    }
  }

  private static func value(_ name: String) -> String { "part " + name }
}
