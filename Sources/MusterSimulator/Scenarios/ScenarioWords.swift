import MusterProtocol
import MusterState

/// The words that scenario statements are made of: numbers, times, machines, groups.
extension ScenarioReader {
  func failure(_ text: String) -> Failure { Failure(line: line, text: text) }

  mutating func next(_ wanted: String) throws(Failure) -> Substring {
    guard let word = words.popFirst() else {
      throw failure("the line ends where \(wanted) belongs")
    }
    return word
  }

  mutating func demand(_ word: Substring) throws(Failure) {
    let found = try next("'\(word)'")
    guard found == word else { throw failure("'\(found)' stands where '\(word)' belongs") }
  }

  mutating func unsigned() throws(Failure) -> UInt64 {
    let word = try next("a number")
    guard let value = UInt64(word) else { throw failure("'\(word)' is no whole number") }
    return value
  }

  mutating func number(_ range: ClosedRange<Int>) throws(Failure) -> Int {
    let word = try next("a number")
    guard let value = Int(word), range.contains(value) else {
      throw failure(
        "'\(word)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  mutating func span() throws(Failure) -> TimeSpan {
    let word = try next("a time such as 5s or 300ms")
    guard let span = Self.span(word) else {
      throw failure("'\(word)' is no time; write a whole number and us, ms, s, m or h")
    }
    return span
  }

  /// Reads `300ms`, `5s`, `2m`, `1h`; up to a thousand hours.
  package static func span(_ word: Substring) -> TimeSpan? {
    let units: [(String, Int64)] = [
      ("ms", 1_000_000), ("us", 1_000), ("ns", 1), ("s", 1_000_000_000), ("m", 60_000_000_000),
      ("h", 3_600_000_000_000),
    ]
    for (unit, length) in units where word.hasSuffix(unit) {
      guard let count = Int64(word.dropLast(unit.utf8.count)), count >= 0 else { return nil }
      let (value, isTooLong) = count.multipliedReportingOverflow(by: length)
      return isTooLong || value > 3_600_000_000_000_000 ? nil : TimeSpan(nanoseconds: value)
    }
    return nil
  }

  mutating func percent() throws(Failure) -> UInt64 {
    let word = try next("a percentage")
    let parts = word.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard word.last == "%", parts.count <= 2, let whole = UInt64(parts.first ?? ""), whole <= 100,
      let tenths = parts.count == 2 ? UInt64(parts[1]) : 0, tenths < 10
    else { throw failure("'\(word)' is no percentage; write 10% or 2.5%") }
    return min(1_000, whole * 10 + tenths)
  }

  /// `1126/1024`, or a change in per cent such as `+10%`.
  mutating func rate() throws(Failure) -> Int64 {
    let word = try next("a rate")
    if word.hasSuffix("/1024"), let rate = Int64(word.dropLast(5)), (512...2_048).contains(rate) {
      return rate
    }
    if word.last == "%", let change = Int64(word.dropLast()), (-50...100).contains(change) {
      return SimulatedClock.exact + SimulatedClock.exact * change / 100
    }
    throw failure("'\(word)' is no rate; write +5%, -10% or 1100/1024")
  }

  mutating func pair() throws(Failure) -> (key: String, value: String) {
    let word = try next("key=value")
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw failure("'\(word)' is no key=value") }
    return (String(parts[0]), String(parts[1]))
  }

  mutating func node() throws(Failure) -> Int {
    let word = try next("a node")
    return try node(word)
  }

  func node(_ word: Substring) throws(Failure) -> Int {
    guard let node = Scenario.node(named: word), node < scenario.nodes else {
      let last = Scenario.name(of: max(0, scenario.nodes - 1))
      throw failure("'\(word)' is no node; there are a to \(last)")
    }
    return node
  }

  mutating func target() throws(Failure) -> Scenario.Target {
    switch words.first {
    case "leader":
      words = words.dropFirst()
      return .leader
    case "follower":
      words = words.dropFirst()
      return .follower
    case "followers":
      words = words.dropFirst()
      return .followers
    case "all":
      words = words.dropFirst()
      return .all
    case "majority":
      words = words.dropFirst()
      return .majority
    case "survivor":
      words = words.dropFirst()
      return .survivor
    case "lost":
      words = words.dropFirst()
      return .lost
    case "{": return .nodes(try group())
    default: return .nodes([try node()])
    }
  }

  mutating func link() throws(Failure) -> (Scenario.Target, Scenario.Target) {
    let from = try target()
    try demand("->")
    return (from, try target())
  }

  mutating func group() throws(Failure) -> [Int] {
    try demand("{")
    var nodes: [Int] = []
    while true {
      let word = try next("'}'")
      if word == "}" { return nodes }
      nodes.append(try node(word))
    }
  }

  mutating func groups() throws(Failure) -> [[Int]] {
    var groups = [try group()]
    while words.first == "|" {
      words = words.dropFirst()
      groups.append(try group())
    }
    return groups
  }
}
