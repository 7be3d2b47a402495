import MusterProtocol
import Testing

@testable import muster_bench

/// The comparison itself: that a case comes to its lines, and that a protocol which became slow
/// does not pass.
@Suite struct BenchTests {
  private func small(_ words: [String] = []) throws -> BenchOptions {
    try BenchOptions(["1", "--short", "--seeds", "1", "--nodes", "32"] + words)
  }

  private func lines(of table: BenchTable, _ measure: String) throws -> BenchTable.Line {
    try #require(table.lines.first { $0.rule.title == measure }, "no line says \(measure)")
  }

  @Test func `a case with one seed gives a line for each measure, and passes`() throws {
    let options = try small()
    let bench = CrashCase.bench(options)
    #expect(bench.jobs.count == 2)
    let table = try #require(MusterBench.play(bench, options))
    #expect(table.lines.count == bench.rows("N 32").count)
    for line in table.lines {
      #expect(line.values[.ours] != nil && line.values[.reference] != nil, "\(line.rule.title)")
      #expect((line.isMet == nil) == line.rule.targets.isEmpty)
    }
    // What a crash costs depends on whom it hits: one seed cannot tell.
    for line in table.lines where !line.rule.title.contains("from the crash") {
      #expect(line.isMet != false, "\(table.text.joined(separator: "\n"))")
    }
    let dead = try lines(of: table, "first dead, median")
    let ours = try #require(dead.values[.ours])
    #expect((1_000_000...3_000_000).contains(ours))
  }

  @Test func `a protocol that is slow is not let through`() throws {
    let options = try small()
    var slow = Timing()
    slow.probeInterval = slow.probeInterval * 4
    slow.refutationWindow = slow.refutationWindow * 4
    slow.loneSuspicionWindow = slow.loneSuspicionWindow * 4
    var bench = CrashCase.bench(options)
    for index in bench.jobs.indices where bench.jobs[index].side == .ours {
      bench.jobs[index].kind = .ours(slow)
    }
    let table = try #require(MusterBench.play(bench, options))
    #expect(try lines(of: table, "first dead, median").isMet == false)
    #expect(table.missed > 0)
  }

  @Test func `what nobody measured is a target missed`() throws {
    var bench = CrashCase.bench(try small())
    bench.jobs.removeAll { $0.side == .ours }
    let table = try #require(MusterBench.play(bench, try small()))
    #expect(table.missed == table.lines.count { !$0.rule.targets.isEmpty })
  }

  @Test func `every case is known by its name, and has runs`() throws {
    let options = try small()
    for name in BenchCase.names {
      let benches = BenchCase.named(name, options)
      #expect(!benches.isEmpty && benches.allSatisfy { !$0.jobs.isEmpty }, "case \(name)")
    }
  }

  @Test(arguments: [
    ([], "no case is named"), (["8"], "\"8\" is no case and no option"),
    (["1", "--seeds"], "--seeds needs a value"),
    (["1", "--nodes", "32,x"], "--nodes \"x\" is no number from 8 to 10000"),
  ])
  func `a wrong command line is refused with the reason`(words: [String], reason: String) {
    let refusal = #expect(throws: BenchOptions.Refusal.self) { try BenchOptions(words) }
    #expect(refusal?.text == reason)
  }
}
