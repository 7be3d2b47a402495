import Foundation
import MusterProtocol
import MusterSimulator
import Testing

/// The files of `scenarios/`, for users and for regression.
private enum ScenarioFiles {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "scenarios")

  static let names: [String] =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".scenario") }.sorted()

  static func text(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
  }
}

extension Scenario {
  /// Without the numbers of lines, which a text gives and a drawn scenario lacks.
  fileprivate var withoutLines: Scenario {
    var result = self
    for index in result.expectations.indices { result.expectations[index].line = 0 }
    return result
  }
}

@Suite struct ScenarioFileTests {
  @Test func `there are at least twenty, and each says first what it shows`() throws {
    #expect(ScenarioFiles.names.count >= 20)
    for name in ScenarioFiles.names {
      let text = try ScenarioFiles.text(name)
      #expect(text.hasPrefix("# "), "\(name)")
      let scenario = try ScenarioReader.read(text)
      #expect(scenario.title.hasSuffix("."), "\(name)")
      #expect(!scenario.expectations.isEmpty, "\(name)")
    }
  }

  @Test(arguments: ScenarioFiles.names)
  func `every file keeps what it expects`(_ name: String) throws {
    let scenario = try ScenarioReader.read(try ScenarioFiles.text(name))
    var run = ScenarioRun(scenario)
    let outcome = run.run()
    #expect(outcome.violation == nil, "\(name): \(String(describing: outcome.violation))")
    for verdict in run.verdicts {
      guard case .kept = verdict.fate else {
        Issue.record("\(name): \(verdict)")
        continue
      }
    }
    // A trigger that is never pulled shows nothing.
    if name.hasPrefix("leader-crash") { #expect(outcome.faults["crash"] == 1, "\(name)") }
  }

  @Test func `a file that expects too much fails with its line`() throws {
    let text = try ScenarioFiles.text("leader-crash.scenario")
    let scenario = try ScenarioReader.read(text + "\nexpect from 10s to 18s same leader\n")
    var run = ScenarioRun(scenario)
    let violation = try #require(run.run().violation)
    #expect(violation.checker == "expected")
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).count + 1
    #expect(violation.text.hasPrefix("line \(line): same leader; "), "\(violation)")
  }

  @Test(arguments: ScenarioFiles.names)
  func `a written file reads as the same scenario`(_ name: String) throws {
    let scenario = try ScenarioReader.read(try ScenarioFiles.text(name))
    #expect(try ScenarioReader.read(scenario.text).withoutLines == scenario.withoutLines)
  }

  @Test func `drawn scenarios read as they are written`() throws {
    var options = Swarm.Options()
    options.extras = Swarm.Extras(
      restartsWithoutState: true, clocksStand: true, corrupts: true)
    for seed: UInt64 in 1...200 {
      for options in [Swarm.Options(), options] {
        let drawn = Swarm.scenario(seed: seed, options: options)
        let read = try ScenarioReader.read(drawn.text)
        #expect(read.withoutLines == drawn.withoutLines, "seed \(seed)")
        #expect(read.text == drawn.text, "seed \(seed)")
      }
    }
  }

  @Test(arguments: [
    ("", 1, "no 'nodes N'"),
    ("nodes 0", 1, "'0' is no whole number from 1 to 10000"),
    ("nodes 3\nnode 4", 2, "'node' is no statement; there are nodes"),
    ("nodes 3\nat 5 crash a", 2, "'5' is no time; write a whole number and us, ms, s, m or h"),
    ("nodes 3\nat 5s", 2, "the line ends where an action belongs"),
    ("nodes 3\nat 5s explode a", 2, "'explode' is no action; there are start"),
    ("nodes 3\nat 5s crash d", 2, "'d' is no node; there are a to c"),
    ("nodes 3\nat 5s crash a b", 2, "'b' is more than is understood"),
    ("nodes 3\nat 5s partition {a b | {c}", 2, "'|' is no node"),
    ("nodes 3\nat 5s partition {a b", 2, "the line ends where '}' belongs"),
    ("nodes 3\nat 5s cut a b", 2, "'b' stands where '->' belongs"),
    ("nodes 3\nat 5s loss 101%", 2, "'101%' is no percentage"),
    ("nodes 3\nat 5s clock a +10", 2, "'+10' is no rate"),
    ("nodes 3\nat 5s restart a slowly", 2, "'slowly' is no kind of restart; there are plain"),
    ("nodes 3\nat 5s share broken all", 2, "'broken' is no fault; there are full"),
    ("nodes 3\nat 5s set colour on a", 2, "'colour' is no key=value"),
    ("nodes 3\nat 5s upgrade 2 batch 0 on a", 2, "'0' is no batch; write 2 or 40%"),
    ("nodes 3\nat 5s upgrade 2 slowly on a", 2, "'slowly' is no word of an upgrade"),
    ("nodes 3\nat 5s plan stop on a", 2, "'stop' is nothing to tell a plan; there are pause"),
    ("nodes 3\nat 5s leave a", 2, "'a' stands where 'on' belongs"),
    ("nodes 3\nwhen idle committed crash a", 2, "'idle' is no phase; there are downloading"),
    ("nodes 3\nwhen prepare done crash a", 2, "'done' stands where 'proposed'"),
    ("nodes 3\n\nexpect soon whole", 3, "'soon' stands where 'at', 'by' or 'from' belongs"),
    ("nodes 3\nexpect by 5s fame", 2, "'fame' is no claim; there are leader in"),
    ("nodes 3\nexpect by 5s leader {a}", 2, "'{' stands where 'in' belongs"),
    ("nodes 3\nhabits sleeps 3", 2, "'sleeps' is no habit; there are fetch-fails"),
    ("nodes 3\nfor 2000h", 2, "'2000h' is no time"),
    ("# why\nnodes 3\nagents some", 3, "'some' stands where 'none' belongs"),
  ])
  func `a bad file is one line with its number`(
    _ text: String, _ line: Int, _ problem: String
  ) throws {
    let failure = #expect(throws: ScenarioReader.Failure.self) { try ScenarioReader.read(text) }
    #expect(failure?.line == line, "\(String(describing: failure))")
    let found = failure?.text.contains(problem) ?? false
    #expect(found, "\(String(describing: failure))")
    #expect(!(failure?.description.contains("\n") ?? true))
  }
}
