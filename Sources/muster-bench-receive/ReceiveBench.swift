import MusterSystem

/// Measures what one core does with datagrams: the side of the receiver alone, or a flood for an
/// agent that runs elsewhere. `scripts/bench receive` uses both.
@main
enum ReceiveBench {
  static let usage = """
    usage: muster-bench-receive path [ROUNDS]
           muster-bench-receive flood SOURCE ADDRESS:PORT PER-SECOND SECONDS HINT…
      path   per second of processor time: signatures verified alone, fresh records taken,
             forged and replayed datagrams dropped; one JSON object
      flood  sends forged datagrams that show these hints (16 digits: the beginning of a
             member's identity) in turn
    """

  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "path": endProcess(path(rounds: arguments.dropFirst().first.flatMap(Int.init) ?? 5))
    case "flood": endProcess(Flood(arguments.dropFirst()).map { $0.run() } ?? misused())
    default: endProcess(misused())
    }
  }

  private static func misused() -> Int32 {
    print(usage)
    return 2
  }

  /// The measures take turns, so that all of them meet the machine in the same moods.
  private static func path(rounds: Int) -> Int32 {
    guard rounds > 0, var pair = PeerPair() else { return misused() }
    var lines: [String] = []
    for _ in 0..<rounds {
      let fresh = pair.freshRecords(2_000)
      let figures: [(String, Double)] = [
        ("verify_alone", pair.verifyAlone(2_000)),
        ("fresh_records", pair.receive(fresh, taking: 1)),
        ("replayed", pair.receive(pair.replays(of: fresh, 100_000), taking: 64)),
        ("forged_pair", pair.receive(pair.forged(100_000, isPair: true), taking: 64)),
        ("forged_cluster", pair.receive(pair.forged(100_000, isPair: false), taking: 64)),
      ]
      lines.append(
        "{" + figures.map { "\"\($0.0)\": \(Int64($0.1))" }.joined(separator: ", ") + "}")
    }
    print("{\"rounds\": [\(lines.joined(separator: ",\n"))],\n \"applied\": \(pair.applied)}")
    return 0
  }
}
