import MusterProtocol

/// One line above the machines: bands and words that do not overlap.
struct ChartLane {
  struct Item {
    var kind: BandRecorder.Kind
    var style: String
    var text: String
    /// What is written; empty where there is no room.
    var label: String
    var from: Instant
    var to: Instant
  }

  private(set) var name: String
  private(set) var items: [Item] = []
  /// Where the next may begin, in tenths.
  private var free: Int64 = .min

  private init(_ name: String) { self.name = name }

  /// The width of a letter and the most lanes for one sort: more would push the machines off the
  /// page, and the list below has everything.
  private static let letter: Int64 = 54
  private static let most = 7

  static func lanes(_ recorder: RunRecorder, width: Int64, span: Int64) -> [ChartLane] {
    let bands = recorder.bands.bands
    func place(_ time: Instant) -> Int64 {
      span.dividingFullWidth(time.nanoseconds.multipliedFullWidth(by: width)).quotient
    }
    func pack(_ items: [Item], _ name: String) -> [ChartLane] {
      var lanes: [ChartLane] = []
      for var item in items.sorted(by: { $0.from < $1.from }) {
        let begin = place(item.from)
        let written = begin + Int64(item.label.count) * letter + 60
        let end = max(place(item.to) + 20, written)
        if let free = lanes.firstIndex(where: { $0.free <= begin }) {
          lanes[free].add(item, until: end)
        } else if lanes.count < most {
          lanes.append(ChartLane(lanes.isEmpty ? name : ""))
          lanes[lanes.count - 1].add(item, until: end)
        } else {
          item.label = ""
          lanes[lanes.count - 1].add(item, until: lanes[lanes.count - 1].free)
        }
      }
      // What is written near the end would leave the page.
      for lane in lanes.indices { lanes[lane].trim(width, place) }
      return lanes
    }
    return pack(bands.filter { $0.kind == .cut }.map { item($0, "cut-lane") }, "network")
      + pack(bands.filter { $0.kind == .trouble }.map { item($0, "trouble") }, "trouble")
      + pack(bands.filter { $0.kind == .deed || $0.kind == .calm }.map { item($0, "") }, "operator")
      + pack(phases(recorder), "plan")
  }

  private static func item(_ band: BandRecorder.Band, _ style: String) -> Item {
    Item(
      kind: band.kind, style: style, text: band.label, label: band.label, from: band.from,
      to: band.to)
  }

  private static func phases(_ recorder: RunRecorder) -> [Item] {
    recorder.phases.stretches.compactMap { stretch in
      stretch.value.map {
        Item(
          kind: .trouble, style: "plan", text: "plan: \($0)", label: $0, from: stretch.from,
          to: stretch.to)
      }
    }
  }

  private mutating func add(_ item: Item, until end: Int64) {
    items.append(item)
    free = end
  }

  private mutating func trim(_ width: Int64, _ place: (Instant) -> Int64) {
    for index in items.indices {
      let room = (width + 100 - place(items[index].from)) / Self.letter
      let label = items[index].label
      if Int64(label.count) > room {
        items[index].label = room < 4 ? "" : label.prefix(Int(room) - 1) + "…"
      }
    }
  }
}
