import Foundation
import MusterProtocol
import MusterSimulator
import MusterState
import Testing

/// One fault at an event of an upgrade, at every such event in turn: the upgrade ends complete or
/// rolled back, and every promise is kept.
@Suite struct UpgradeOrdealTests {
  /// `MUSTER_EVERY_EVENT=1` tries every event of the run and not only a share of the notable ones.
  private static let isComplete = ProcessInfo.processInfo.environment["MUSTER_EVERY_EVENT"] == "1"
  private static let points = 8

  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let options: UpgradeOptions
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "at once", options: UpgradeOptions()),
    Case(name: "in waves", options: UpgradeOptions(batch: .count(2))),
    Case(name: "stop first", options: UpgradeOptions(stopsFirst: true)),
  ]

  @Test(arguments: cases, UpgradeOrdeal.Fault.allCases)
  func `whoever fails, whenever`(_ way: Case, _ fault: UpgradeOrdeal.Fault) throws {
    let ordeal = UpgradeOrdeal(seed: 11, options: way.options)
    let all = try ordeal.points()
    #expect(Set(all.map(\.phase)).count >= 4, "\(Set(all.map(\.phase)).sorted())")
    let chosen = Self.isComplete ? all : Self.share(of: all.filter(\.isNotable))
    var slowest = TimeSpan.zero
    var ends: [String: Int] = [:]
    var runs = 0
    for point in chosen {
      for node in Set([point.node, point.leader]).sorted() {
        let outcome = try ordeal.run(fault, of: node, at: point)
        runs += 1
        ends[outcome.version, default: 0] += 1
        guard let after = outcome.wholeAfter else {
          Issue.record("\(fault) of \(node) at \(point): \(outcome.missing)")
          continue
        }
        #expect(["1", "2"].contains(outcome.version), "\(fault) of \(node) at \(point)")
        slowest = max(slowest, after)
      }
    }
    print(
      "ordeal: \(way.name), \(fault.rawValue): \(runs) runs of \(all.count) events, slowest "
        + "\(slowest.milliseconds) ms after the heal, ended on \(ends.sorted { $0.key < $1.key })")
  }

  /// Evenly over each phase, so that a short one is tried, too.
  private static func share(of notable: [UpgradeOrdeal.Point]) -> [UpgradeOrdeal.Point] {
    let phases = Set(notable.map(\.phase)).sorted()
    return phases.flatMap { phase in
      let own = notable.filter { $0.phase == phase }
      let step = max(1, own.count * phases.count / points)
      return own.indices.filter { $0.isMultiple(of: step) }.map { own[$0] }
    }
  }
}
