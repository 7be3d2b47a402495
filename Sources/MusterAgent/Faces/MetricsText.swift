/// Prometheus' text format, version 0.0.4: every metric with its help and type.
struct MetricsText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  enum Kind: String {
    /// Only grows; its name ends in `_total`.
    case counter
    case gauge
  }

  /// One line of a metric.
  struct Sample {
    var labels: [(name: String, value: String)] = []
    var value: String

    init(_ value: some BinaryInteger) { self.value = String(value) }
    init(_ value: Bool) { self.value = value ? "1" : "0" }

    /// A time in the base unit, from nanoseconds, without passing through floating point.
    init(seconds nanoseconds: Int64) {
      let (whole, rest) = abs(nanoseconds).quotientAndRemainder(dividingBy: 1_000_000_000)
      let digits = String(rest)
      value =
        (nanoseconds < 0 ? "-" : "") + "\(whole)."
        + String(repeating: "0", count: 9 - digits.count) + digits
    }

    func labelled(_ name: String, _ value: String) -> Sample {
      var sample = self
      sample.labels.append((name, value))
      return sample
    }
  }

  private(set) var text = ""

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
    precondition(
      name.hasSuffix("_total") == (kind == .counter), "a counter's name says that it is one")
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }
      text += name + (labels.isEmpty ? "" : "{" + labels.joined(separator: ",") + "}")
      text += " " + sample.value + "\n"
    }
  }

  mutating func add(_ name: String, _ kind: Kind, _ help: String, _ sample: Sample) {
    add(name, kind, help, [sample])
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
