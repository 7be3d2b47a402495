import MusterProtocol
import MusterSimulator
import Testing

@Suite struct ReportTests {
  private func seed(_ number: UInt64, _ options: Swarm.Options = Swarm.Options())
    -> SwarmSummary.Seed
  {
    let scenario = Swarm.scenario(seed: number, options: options)
    var run = ScenarioRun(scenario)
    return SwarmSummary.Seed(scenario, run.run())
  }

  private static var fewFaults: Swarm.Options {
    var options = Swarm.Options()
    options.nodes = 3
    options.ordeal = .seconds(10)
    options.take(FaultList([.crash, .partition]))
    return options
  }

  @Test func `the order in which seeds end changes nothing`() {
    let seeds = (1...6).map { seed(UInt64($0), Self.fewFaults) }
    var forth = SwarmSummary()
    for seed in seeds { forth.add(seed) }
    var back = SwarmSummary()
    for seed in seeds.reversed() { back.add(seed) }
    let lines = forth.lines(took: .seconds(1), threads: 1, wanted: 6)
    #expect(lines == back.lines(took: .seconds(1), threads: 1, wanted: 6))
    #expect(lines.contains("seeds        6"))
    #expect(lines.contains("sizes        3 nodes"))
    #expect(lines.contains("violations   none"))
    #expect(lines.contains { $0.hasPrefix("faults       crash") && $0.contains("partition") })
    let early = forth.lines(took: .seconds(1), threads: 2, wanted: 9)
    #expect(early.first == "seeds        6 of 9; interrupted")
  }

  @Test func `violations are listed in the order of seeds, with the line that replays them`() throws
  {
    var options = Self.fewFaults
    options.planted = .voteBeforeDisk
    var summary = SwarmSummary()
    for number: UInt64 in [3, 1, 2] { summary.add(seed(number, options)) }
    #expect(summary.failures.map(\.seed) == [1, 2, 3])
    let value = summary.value(
      took: .seconds(1), threads: 1, wanted: 3, replay: { "again \($0)" }, files: [2: "two"])
    let failures = try #require(value.first { $0.name == "failures" }?.value)
    guard case .list(let list) = failures, case .table(let second) = list[1] else {
      Issue.record("\(failures)")
      return
    }
    #expect(second.first { $0.name == "replay" }?.value == .text("again 2"))
    #expect(second.first { $0.name == "scenario" }?.value == .text("two"))
    #expect(second.first { $0.name == "promise" }?.value == .text("durable-before-visible"))
  }

  @Test func `faults are read by name, and an unknown one is told all names`() throws {
    #expect(try FaultList.read("crash,partition").faults == [.crash, .partition])
    #expect(try FaultList.read("none").faults.isEmpty)
    for text in ["crash,", "Crash", "crash partition", ""] {
      let unknown = #expect(throws: FaultList.Unknown.self) { try FaultList.read(text) }
      for fault in Swarm.Fault.allCases {
        #expect(unknown?.description.contains(fault.rawValue) ?? false)
      }
    }
  }

  @Test func `named faults are in every seed, and no others`() {
    var options = Swarm.Options()
    options.take(FaultList([.pause]))
    for number: UInt64 in 1...20 {
      let scenario = Swarm.scenario(seed: number, options: options)
      let kinds = Set(scenario.steps.map { String(Scenario.text($0.action).prefix { $0 != " " }) })
      #expect(kinds.contains("pause"), "seed \(number)")
      #expect(kinds.isDisjoint(with: ["crash", "partition", "cut", "loss", "clock", "starve"]))
    }
  }
}

@Suite struct RunPageTests {
  private static let text = """
    # A leader <crashes> & comes back.
    nodes 3
    for 20s
    at 0s start all
    at 8s crash leader
    at 9s set note=<b>bold</b> on follower
    at 10s partition {a} | {b c}
    at 14s calm
    expect by 6s leader in {a b c}
    expect from 18s to 19s leader in {a b c}
    """

  private func page() throws -> String {
    ScenarioRecords(try ScenarioReader.read(Self.text), traced: false, drawn: true).page
  }

  @Test func `a page is the same bytes each time`() throws {
    #expect(try page() == page())
  }

  @Test func `a page needs nothing else, and shows every machine and deed`() throws {
    let page = try page()
    for word in ["<script", "http-equiv", "src=", "url(http", "@import"] {
      #expect(!page.contains(word), "\(word)")
    }
    for name in ["a", "b", "c"] { #expect(page.contains(">\(name)</text>")) }
    #expect(page.contains("partition {a} | {b c}"))
    #expect(page.contains("lease in term 1") && page.contains("lease in term 2"))
    #expect(page.contains("class=\"down\"") && page.contains("others see it dead"))
    #expect(page.contains("<td>kept</td>"))
  }

  @Test func `what others chose cannot become markup`() throws {
    let page = try page()
    #expect(!page.contains("<crashes>") && page.contains("&lt;crashes&gt; &amp; comes back."))
    #expect(!page.contains("<b>bold") && page.contains("note=&lt;b&gt;bold&lt;/b&gt;"))
  }

  @Test func `every element that is opened is closed`() throws {
    var open: [Substring] = []
    let lone: Set<Substring> = ["!DOCTYPE", "meta", "br"]
    for piece in try page().split(separator: "<").dropFirst(0) {
      let tag = piece.prefix { $0 != ">" }
      let name = tag.prefix { $0 != " " && $0 != "/" || $0 == tag.first && $0 == "/" }
      if tag.hasPrefix("/") {
        #expect(open.popLast() == tag.dropFirst())
      } else if !lone.contains(name), !tag.hasSuffix("/") {
        open.append(name)
      }
    }
    #expect(open.isEmpty)
  }

  @Test func `a violation is marked where it was`() throws {
    let text = Self.text + "\nat 0s plant \(PlantedBugs.voteBeforeDisk.rawValue) all\n"
    let records = ScenarioRecords(try ScenarioReader.read(text), traced: true, drawn: true)
    #expect(records.page.contains("class=\"violation\""))
    #expect(records.page.contains("<b>durable-before-visible</b>"))
    #expect(records.trace.contains("VIOLATION durable-before-visible"))
  }
}
