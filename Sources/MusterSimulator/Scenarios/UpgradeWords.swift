import MusterState

/// The words about upgrades, read and written.
extension ScenarioReader {
  /// `batch 2`, `batch 40%`, `stop-first` and `abort-if-mute`, in any order; none: all at once.
  mutating func upgradeOptions() throws(Failure) -> UpgradeOptions {
    var options = UpgradeOptions()
    while let word = words.first, word != "on" {
      words = words.dropFirst()
      switch word {
      case "batch": options.batch = try batch()
      case "stop-first": options.stopsFirst = true
      case "abort-if-mute": options.policy = .abort
      default:
        throw failure(
          "'\(word)' is no word of an upgrade; there are batch, stop-first, "
            + "abort-if-mute and on")
      }
    }
    return options
  }

  private mutating func batch() throws(Failure) -> UpgradeOptions.Batch {
    let word = try next("how many move together")
    if word.last == "%", let share = UInt8(word.dropLast()), (1...100).contains(share) {
      return .percent(share)
    }
    guard let count = UInt32(word), count > 0 else {
      throw failure("'\(word)' is no batch; write 2 or 40%")
    }
    return .count(count)
  }

  mutating func planOrder() throws(Failure) -> PlanOrder {
    let word = try next("pause, resume or abort")
    guard let order = PlanOrder.allCases.first(where: { $0.name == word }) else {
      throw failure("'\(word)' is nothing to tell a plan; there are pause, resume and abort")
    }
    return order
  }
}

extension Scenario {
  static func text(_ options: UpgradeOptions) -> String {
    var text = ""
    switch options.batch {
    case .all: break
    case .count(let count): text += " batch \(count)"
    case .percent(let share): text += " batch \(share)%"
    }
    if options.stopsFirst { text += " stop-first" }
    if options.policy == .abort { text += " abort-if-mute" }
    return text
  }
}
