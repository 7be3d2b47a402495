/// Who believes whom to be there, kept from what members say: asking all about all would take
/// longer than the simulation.
struct Board {
  private let size: Int
  private var believed: [Bool]
  private var seenBy: [Int]
  private var sees: [Int]

  init(_ size: Int) {
    self.size = size
    believed = Array(repeating: false, count: size * size)
    seenBy = Array(repeating: 0, count: size)
    sees = Array(repeating: 0, count: size)
  }

  /// The first so many know each other.
  mutating func form(_ members: Int) {
    for observer in 0..<members {
      for subject in 0..<members where subject != observer { note(observer, subject, true) }
    }
  }

  mutating func see(_ sighting: Sighting) {
    switch sighting.state {
    case .alive: note(sighting.observer, sighting.subject, true)
    case .dead: note(sighting.observer, sighting.subject, false)
    case .suspect, .updated: break
    }
  }

  private mutating func note(_ observer: Int, _ subject: Int, _ isThere: Bool) {
    let place = observer * size + subject
    guard observer != subject, believed[place] != isThere else { return }
    believed[place] = isThere
    seenBy[subject] += isThere ? 1 : -1
    sees[observer] += isThere ? 1 : -1
  }

  func isBelieved(_ subject: Int, by observer: Int) -> Bool { believed[observer * size + subject] }

  /// How many others believe that this member is there, and how many this one believes in.
  func seen(_ subject: Int) -> Int { seenBy[subject] }
  func seeing(_ observer: Int) -> Int { sees[observer] }
}

extension Board {
  /// How many of these believe that this member is there.
  func seen(_ subject: Int, by observers: [Int]) -> Int {
    observers.count { isBelieved(subject, by: $0) }
  }
}
