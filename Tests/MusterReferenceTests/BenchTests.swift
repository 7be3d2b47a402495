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

  @Test func `a run that the limit did not begin is a target missed`() throws {
    var options = try small(["--limit", "1"])
    options.limit = 0
    let table = try #require(MusterBench.play(CrashCase.bench(options), options))
    #expect(table.lines.count == CrashCase.bench(options).rows("N 32").count)
    #expect(table.missed == table.lines.count { !$0.rule.targets.isEmpty })
  }

  @Test func `a setting that nobody asks for is left out`() throws {
    let options = try small(["--only", "N 64"])
    let table = try #require(MusterBench.play(CrashCase.bench(options), options))
    #expect(table.lines.isEmpty)
    let side = try small(["--side", "ours"])
    let lines = try #require(MusterBench.play(CrashCase.bench(side), side)).lines
    #expect(!lines.isEmpty && lines.allSatisfy { $0.values.keys.elementsEqual([.ours]) })
  }

  @Test func `stale is who lacks a change, and for as long as the oldest one that it lacks`() {
    var ledger = ChangeLedger(members: 2, keys: 4)
    let start = Instant.zero
    #expect(ledger.note(0, key: 1, at: start + .seconds(1)) == 1)
    #expect(ledger.note(0, key: 2, at: start + .seconds(2)) == 2)
    #expect(ledger.note(0, key: 2, at: start + .seconds(3)) == 3)
    #expect(ledger.oldestMissed(of: 0, knowing: 0) == start + .seconds(1))
    #expect(ledger.oldestMissed(of: 0, knowing: 1) == start + .seconds(2))
    #expect(ledger.oldestMissed(of: 0, knowing: 3) == nil)
    #expect((0...3).map { ledger.staleKeys(of: 0, knowing: $0) } == [2, 1, 1, 0])
    #expect(ledger.oldestMissed(of: 1, knowing: 0) == nil)
  }

  @Test func `a change is known everywhere when the last of those who stay has heard of it`() {
    var watch = ChurnWatch(members: 4, newcomers: 1)
    var measured = Measured()
    let start = Instant.zero
    func see(_ observer: Int, _ subject: Int, _ state: Sighting.State, _ second: Int64) {
      watch.see(
        start + .seconds(second), Sighting(observer: observer, subject: subject, state: state))
    }
    watch.goes(0, by: .crash, at: start)
    watch.comes(4, at: start + .seconds(1))
    see(1, 0, .dead, 2)
    for (observer, second) in [(1, 3), (2, 4), (3, 5)] {
      see(observer, 4, .alive, Int64(second))
      see(4, observer, .alive, Int64(second))
    }
    see(2, 0, .dead, 6)
    // Whoever goes itself is waited for no longer.
    watch.goes(3, by: .goodbye, at: start + .seconds(7))
    see(1, 2, .dead, 8)
    watch.report(into: &measured)
    #expect(measured["died"] == [7_000_000] && measured["spread"] == [5_000_000])
    #expect(measured["joined"] == [4_000_000] && measured["learned"] == [4_000_000])
    #expect(measured["open"] == [1] && measured["left"].isEmpty)
    #expect(measured["false"] == [1])
  }

  @Test(arguments: ["8", "9"])
  func `a case comes to a figure for each measure of ours`(name: String) throws {
    let options = try BenchOptions([name, "--short", "--nodes", "8", "--jobs", "1"])
    // An hour of churn takes minutes: only its making is looked at.
    for bench in BenchCase.named(name, options) where bench.name != "9" {
      let table = try #require(MusterBench.play(bench, options))
      for line in table.lines { #expect(line.values[.ours] != nil, "\(line.rule.title)") }
    }
  }

  @Test func `every case is known by its name, and has runs`() throws {
    let options = try small()
    for name in BenchCase.names {
      let benches = BenchCase.named(name, options)
      #expect(!benches.isEmpty && benches.allSatisfy { !$0.jobs.isEmpty }, "case \(name)")
    }
  }

  @Test(arguments: [
    ([], "no case is named"), (["12"], "\"12\" is no case and no option"),
    (["1", "--side", "theirs"], "--side \"theirs\" is none of ours, reference and swim"),
    (["1", "--seeds"], "--seeds needs a value"),
    (["1", "--nodes", "32,x"], "--nodes \"x\" is no number from 8 to 10000"),
  ])
  func `a wrong command line is refused with the reason`(words: [String], reason: String) {
    let refusal = #expect(throws: BenchOptions.Refusal.self) { try BenchOptions(words) }
    #expect(refusal?.text == reason)
  }
}
