/// How a measured whole number is shown.
enum Unit: Hashable, Sendable {
  /// Microseconds, shown as seconds.
  case time
  /// Thousandths, shown with one digit.
  case rate
  case count

  func text(_ value: Int64) -> String {
    switch self {
    case .time: Self.decimal(value, 1_000_000, digits: 3)
    case .rate: Self.decimal(value, 1_000, digits: 1)
    case .count: String(value)
    }
  }

  static func decimal(_ value: Int64, _ scale: Int64, digits: Int) -> String {
    let sign = value < 0 ? "-" : ""
    var unit: Int64 = 1
    for _ in 0..<digits { unit *= 10 }
    let rounded = (value.magnitude * UInt64(unit) + UInt64(scale) / 2) / UInt64(scale)
    let whole = rounded / UInt64(unit)
    guard digits > 0 else { return sign + String(whole) }
    let rest = String(rounded % UInt64(unit))
    return "\(sign)\(whole).\(String(repeating: "0", count: digits - rest.count))\(rest)"
  }
}

/// What must hold of a row.
enum Target: Hashable, Sendable {
  case atMost(Int64)
  case atLeast(Int64)
  /// Ours in thousandths of the reference's.
  case ratio(Int64)
  /// In hundred-thousandths of SWIM's.
  case ofSwim(Int64)

  func isMet(_ values: [Side: Int64]) -> Bool {
    guard let ours = values[.ours] else { return false }
    switch self {
    case .atMost(let bound): return ours <= bound
    case .atLeast(let bound): return ours >= bound
    case .ratio(let bound): return values[.reference].map { ours * 1_000 <= $0 * bound } ?? false
    case .ofSwim(let bound): return values[.swim].map { ours * 100_000 <= $0 * bound } ?? false
    }
  }

  func text(_ unit: Unit) -> String {
    switch self {
    case .atMost(let bound): "<= \(unit.text(bound))"
    case .atLeast(let bound): ">= \(unit.text(bound))"
    case .ratio(let bound): "<= \(Unit.decimal(bound, 10, digits: 0)) %"
    case .ofSwim(let bound): "<= \(Unit.decimal(bound, 1_000, digits: 1)) % of swim"
    }
  }
}

/// Values of one contestant at one setting, by name, of all seeds.
struct Measured: Sendable {
  private(set) var values: [String: [Int64]] = [:]

  subscript(_ name: String) -> [Int64] {
    get { values[name] ?? [] }
    set { values[name] = newValue }
  }

  mutating func add(_ name: String, _ value: Int64) { values[name, default: []].append(value) }

  mutating func merge(_ other: Measured) {
    for (name, more) in other.values { values[name, default: []] += more }
  }

  func quantile(_ name: String, perMille: Int) -> Int64? {
    let sorted = self[name].sorted()
    guard !sorted.isEmpty else { return nil }
    return sorted[max(0, (sorted.count * perMille + 999) / 1_000 - 1)]
  }

  func median(_ name: String) -> Int64? { quantile(name, perMille: 500) }
  func late(_ name: String) -> Int64? { quantile(name, perMille: 990) }
  func least(_ name: String) -> Int64? { self[name].min() }
  func most(_ name: String) -> Int64? { self[name].max() }
  func sum(_ name: String) -> Int64? { self[name].isEmpty ? nil : self[name].reduce(0, +) }
  func mean(_ name: String) -> Int64? {
    sum(name).map { $0 / Int64(self[name].count) }
  }
}

/// One line of the table: how it follows from what was measured, and what must hold of it.
struct RowRule: Sendable {
  var title: String
  var unit: Unit
  var value: @Sendable (Measured) -> Int64?
  var targets: [Target]

  init(
    _ title: String, _ unit: Unit, _ targets: [Target] = [],
    _ value: @escaping @Sendable (Measured) -> Int64?
  ) {
    self.title = title
    self.unit = unit
    self.targets = targets
    self.value = value
  }
}

/// One column of a case.
enum Side: String, Hashable, Sendable, CaseIterable {
  case ours, reference, swim
}

/// One run of one contestant.
struct BenchJob: Sendable {
  var setting: String
  var side: Side
  var seed: UInt64
  var kind: ContestantKind
  var measure: @Sendable (ContestantKind, UInt64) -> Measured

  func run() -> Measured { measure(kind, seed) }
}

/// An experiment: its runs, and the lines that come of them.
struct BenchCase: Sendable {
  var name: String
  var title: String
  var jobs: [BenchJob]
  /// Whether all settings together are shown too, as the setting `all`.
  var hasTotal = false
  /// By setting.
  var rows: @Sendable (String) -> [RowRule]
}

extension RowRule {
  /// For settings that only show where a total comes from.
  var withoutTargets: RowRule {
    var rule = self
    rule.targets = []
    return rule
  }
}

extension BenchCase {
  /// Where ours does not run, nothing can be met.
  var withoutTargets: BenchCase {
    var bench = self
    bench.title += "; published, of SWIM: FP 1.53 %, FP- 1.89 %, packets 110.6 %, bytes 98.0 %"
    bench.rows = { [rows] setting in rows(setting).map(\.withoutTargets) }
    return bench
  }
}
