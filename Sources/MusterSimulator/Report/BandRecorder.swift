import MusterProtocol

/// What ailed a cluster from when to when, and what its operators did, in the words of the
/// scenario.
struct BandRecorder: Sendable {
  enum Kind: Sendable {
    /// Links are closed: drawn across all machines.
    case cut
    case trouble
    /// Something that was done at one moment.
    case deed
    case calm
  }

  struct Band: Hashable, Sendable {
    var kind: Kind
    var text: String
    var from: Instant
    var to: Instant
    /// More of the same kind that began at the same moment.
    var others = 0

    var label: String { others == 0 ? text : "\(text) and \(others) more" }
  }

  private(set) var bands: [Band] = []
  /// Everything that was done, in order.
  private(set) var deeds: [(at: Instant, text: String)] = []
  private var open: [(key: String, index: Int)] = []

  mutating func note(_ action: Scenario.Action, at now: Instant) {
    let text = Scenario.text(action)
    deeds.append((now, text))
    switch action {
    case .partition:
      close(at: now) { $0 == "cut" }
      begin(.cut, "cut", text, now)
    case .cut: begin(.cut, "cut", text, now)
    case .heal: close(at: now) { $0 == "cut" || $0 == "clog" }
    case .clog(_, _, let span):
      begin(.trouble, "clog", text, now)
      if let last = open.last { bands[last.index].to = now + span }
    case .calm:
      close(at: now) { $0 != "clock" }
      bands.append(Band(kind: .calm, text: text, from: now, to: now))
    case .loss(let share): become("loss", share > 0, text, now)
    case .duplicate(let share): become("duplicate", share > 0, text, now)
    case .late(let share): become("late", share > 0, text, now)
    case .bandwidth(let bytes): become("bandwidth", bytes > 0, text, now)
    case .delay: become("delay", true, text, now)
    case .linkLoss(let from, let to, let share): become("loss \(from) \(to)", share > 0, text, now)
    case .multicast(let groups): become("multicast", groups.map { $0.count > 1 } ?? true, text, now)
    case .share(.ready, _): close(at: now) { $0 == "share" }
    case .share: begin(.trouble, "share", text, now)
    case .starve(let target, let span): become("starve \(target)", span > .zero, text, now)
    case .clock(let target, let rate):
      become("clock \(target)", rate != SimulatedClock.exact, text, now)
    case .operate, .plant, .join, .lose, .comeBack:
      bands.append(Band(kind: .deed, text: text, from: now, to: now))
    // The rows show these.
    case .start, .crash, .restart, .pause, .resume: break
    }
  }

  mutating func end(at time: Instant) {
    close(at: time) { _ in true }
    for index in bands.indices { bands[index].to = min(bands[index].to, time) }
  }

  /// Replaces what held under this key.
  private mutating func become(_ key: String, _ isOn: Bool, _ text: String, _ now: Instant) {
    close(at: now) { $0 == key }
    if isOn { begin(.trouble, key, text, now) }
  }

  private mutating func begin(_ kind: Kind, _ key: String, _ text: String, _ now: Instant) {
    let word = text.prefix { $0 != " " }
    // Many at one moment are one thing to look at: a partial partition is dozens of cuts.
    let same = open.last { bands[$0.index].from == now && bands[$0.index].text.hasPrefix(word) }
    if let same {
      bands[same.index].others += 1
      return
    }
    open.append((key, bands.count))
    bands.append(Band(kind: kind, text: text, from: now, to: Instant(nanoseconds: .max)))
  }

  private mutating func close(at now: Instant, _ isMeant: (String) -> Bool) {
    for (key, index) in open where isMeant(key) { bands[index].to = min(bands[index].to, now) }
    open.removeAll { isMeant($0.key) }
  }
}
