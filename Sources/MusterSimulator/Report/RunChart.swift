import MusterProtocol

/// The picture of one run: a row a machine over time, and above them what was done to the cluster.
///
/// Lengths are whole tenths of a unit of the picture, so that every machine draws the same bytes.
struct RunChart {
  private static let width: Int64 = 12_000
  private static let left: Int64 = 640
  private static let right: Int64 = 120
  private static let laneHeight: Int64 = 150

  private let recorder: RunRecorder
  private let span: Int64
  private let lanes: [ChartLane]
  private let rowHeight: Int64
  private let rowsTop: Int64
  private let bottom: Int64

  init(_ recorder: RunRecorder) {
    self.recorder = recorder
    span = max(1, recorder.end.nanoseconds)
    lanes = ChartLane.lanes(
      recorder, width: Self.width - Self.left - Self.right, span: max(1, recorder.end.nanoseconds))
    rowHeight = recorder.rows.count <= 12 ? 320 : recorder.rows.count <= 25 ? 240 : 200
    rowsTop = 60 + Int64(lanes.count) * Self.laneHeight + 60
    bottom = rowsTop + Int64(recorder.rows.count) * rowHeight
  }

  var svg: String {
    let height = bottom + 290
    var parts = [
      "<svg class=\"chart\" viewBox=\"0 0 \(Self.units(Self.width)) \(Self.units(height))\" "
        + "role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">",
      "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
        + "patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" class=\"up\"/>"
        + "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"5\" stroke=\"currentColor\" "
        + "stroke-opacity=\".45\" stroke-width=\"1.4\"/></pattern></defs>",
    ]
    parts += axis
    parts += lanes.enumerated().flatMap { draw($1, at: 60 + Int64($0) * Self.laneHeight) }
    parts += recorder.rows.indices.flatMap { draw(recorder.rows[$0], at: top(of: $0)) }
    parts += shades
    parts += violation
    parts.append("</svg>")
    return parts.joined(separator: "\n")
  }

  // MARK: - Places

  private func x(_ time: Instant) -> Int64 {
    let inner = Self.width - Self.left - Self.right
    let (high, low) = time.nanoseconds.multipliedFullWidth(by: inner)
    return Self.left + span.dividingFullWidth((high, low)).quotient
  }

  private func top(of row: Int) -> Int64 { rowsTop + Int64(row) * rowHeight }

  /// Tenths as a decimal number.
  static func units(_ tenths: Int64) -> String {
    tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }

  private func box(
    _ kind: String, _ from: Instant, _ to: Instant, _ y: Int64, _ height: Int64, _ title: String
  ) -> String {
    let begin = x(from)
    let width = max(8, x(to) - begin)
    return "<rect class=\"\(kind)\" x=\"\(Self.units(begin))\" y=\"\(Self.units(y))\" "
      + "width=\"\(Self.units(width))\" height=\"\(Self.units(height))\">"
      + "<title>\(RunPage.escaped(title)), \(seconds(from)) to \(seconds(to)) s</title></rect>"
  }

  private func line(_ kind: String, _ x: Int64, _ from: Int64, _ to: Int64) -> String {
    "<path class=\"\(kind)\" d=\"M\(Self.units(x)) \(Self.units(from))V\(Self.units(to))\"/>"
  }

  private func text(
    _ kind: String, _ x: Int64, _ y: Int64, _ text: String, anchor: String = "start"
  ) -> String {
    "<text class=\"\(kind)\" x=\"\(Self.units(x))\" y=\"\(Self.units(y))\" "
      + "text-anchor=\"\(anchor)\">\(RunPage.escaped(text))</text>"
  }

  // MARK: - Axis

  private static let steps: [Int64] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 18_000_000, 36_000_000, 86_400_000, 360_000_000,
  ]

  private var axis: [String] {
    let milliseconds = span / 1_000_000
    let step = Self.steps.first { milliseconds / $0 <= 12 } ?? 3_600_000_000
    var parts: [String] = []
    var time: Int64 = 0
    while time <= milliseconds {
      let place = x(.zero + .milliseconds(time))
      parts.append(line("grid", place, 60, bottom + 40))
      parts.append(text("axis", place, bottom + 160, Self.label(time), anchor: "middle"))
      time += step
    }
    return parts
  }

  private static func label(_ milliseconds: Int64) -> String {
    switch milliseconds {
    case 0: return "0"
    case ..<120_000 where milliseconds % 1_000 != 0:
      return "\(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
    case ..<120_000: return "\(milliseconds / 1_000) s"
    case ..<7_200_000:
      let rest = milliseconds / 1_000 % 60
      return "\(milliseconds / 60_000) min" + (rest == 0 ? "" : " \(rest)")
    default:
      let rest = milliseconds / 60_000 % 60
      return "\(milliseconds / 3_600_000) h" + (rest == 0 ? "" : " \(rest)")
    }
  }

  // MARK: - Lanes

  private func draw(_ lane: ChartLane, at y: Int64) -> [String] {
    var parts: [String] = []
    if !lane.name.isEmpty {
      parts.append(text("lane", Self.left - 60, y + 105, lane.name, anchor: "end"))
    }
    for item in lane.items {
      let place = x(item.from)
      switch item.kind {
      case .deed, .calm:
        parts.append(line(item.kind == .calm ? "calm" : "deed", place, y + 20, y + 130))
      default:
        parts.append(box(item.style, item.from, item.to, y + 15, 120, item.text))
      }
      if !item.label.isEmpty { parts.append(text("", place + 25, y + 108, item.label)) }
    }
    return parts
  }

  /// Closed links shade everything that they are about.
  private var shades: [String] {
    recorder.bands.bands.compactMap { band in
      switch band.kind {
      case .cut:
        box("cut", band.from, band.to, rowsTop - 30, bottom - rowsTop + 40, band.label)
      case .calm: line("calm", x(band.from), rowsTop - 30, bottom + 10)
      default: nil
      }
    }
  }

  // MARK: - Rows

  private func draw(_ row: RunRecorder.Row, at y: Int64) -> [String] {
    let height = rowHeight - 50
    let strip = height / 4
    var parts = [text("name", Self.left - 60, y + height * 65 / 100, row.name, anchor: "end")]
    for stretch in row.life.stretches {
      guard let kind = Self.style(stretch.value) else { continue }
      parts.append(
        box(kind, stretch.from, stretch.to, y, height - strip - 10, "\(row.name) \(kind)"))
    }
    for stretch in row.reputation.stretches {
      guard let kind = Self.style(stretch.value) else { continue }
      parts.append(
        box(
          kind, stretch.from, stretch.to, y + height - strip, strip,
          "\(row.name): others see it \(kind)"))
    }
    parts += draw(leadershipOf: row, y + 10, height - strip - 30)
    for commit in row.commits { parts.append(line("commit", x(commit), y, y + height - strip)) }
    return parts
  }

  private func draw(
    leadershipOf row: RunRecorder.Row, _ y: Int64, _ height: Int64
  ) -> [String] {
    var parts: [String] = []
    for stretch in row.leading.stretches {
      guard let term = stretch.value else { continue }
      parts.append(
        box("leading", stretch.from, stretch.to, y, height, "\(row.name) leads in term \(term)"))
    }
    for lease in row.leases where lease.to > lease.from {
      parts.append(
        box("lease", lease.from, lease.to, y, height, "\(row.name): lease in term \(lease.term)"))
      let label = "\(lease.term)"
      if x(lease.to) - x(lease.from) > Int64(label.utf8.count) * 55 + 50 {
        // Behind the tick of the commit that a leader begins with.
        parts.append(text("term", x(lease.from) + 35, y + height / 2 + 32, label))
      }
    }
    return parts
  }

  private static func style(_ life: RunRecorder.Life) -> String? {
    switch life {
    case .absent: nil
    case .up: "up"
    case .paused: "paused"
    case .down: "down"
    case .gone: "gone"
    }
  }

  private static func style(_ reputation: RunRecorder.Reputation) -> String? {
    switch reputation {
    case .unknown: nil
    case .divided: "divided"
    case .alive: "alive"
    case .suspect: "suspect"
    case .dead: "dead"
    case .left: "left"
    }
  }

  private var violation: [String] {
    guard let violation = recorder.violation else { return [] }
    let place = x(violation.at)
    let isLate = place > Self.width / 2
    return [
      line("violation", place, 40, bottom + 40),
      text(
        "wrong", isLate ? place - 30 : place + 30, bottom + 260,
        "\(violation.checker): \(violation.text)", anchor: isLate ? "end" : "start"),
    ]
  }
}
