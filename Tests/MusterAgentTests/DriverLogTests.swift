import MusterAgent
import MusterProtocol
import MusterState
import Testing

@Suite struct DriverLogTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"),
      (951_782_399_999, "2000-02-28T23:59:59.999Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (951_868_800_000, "2000-03-01T00:00:00.000Z"),
      (1_709_210_096_007, "2024-02-29T12:34:56.007Z"),
      (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] as [(Int64, String)])
  func `time is RFC 3339 in UTC`(milliseconds: Int64, text: String) {
    #expect(Timestamp.utc(milliseconds * 1_000_000) == text)
  }

  @Test func `a line has time, level, node and message`() {
    let text = Log.line(.text, .warning, time: "T", node: "ci/0", "a \"b\"")
    #expect(text == "T warning ci/0: a \"b\"")
    let json = Log.line(.json, .warning, time: "T", node: "ci/0", "a \"b\" \\ ü")
    #expect(
      json
        == #"{"at":"T","level":"warning","node":"ci/0","message":"a \"b\" \\ ü"}"#)
  }

  @Test(arguments: LogFormat.allCases)
  func `nobody forges a line or steers a terminal`(format: LogFormat) {
    let line = Log.line(format, .info, time: "T", node: "n", "a\nb\u{1b}[2J\u{7f}\u{85}\u{2028}")
    #expect(
      line.hasSuffix(#"a\u000ab\u001b[2J\u007f\u0085\u2028"# + (format == .json ? "\"}" : "")))
  }

  @Test func `a message is cut at its limit`() {
    let line = Log.line(
      .text, .info, time: "T", node: "n", String(repeating: "x", count: 1_000_000))
    #expect(line.utf8.count < Log.messageBytes + 100)
    #expect(line.hasSuffix("…"))
  }

  @Test func `less severe lines than asked for are not written`() {
    let lines = DriverLines()
    let log = lines.log(.text, .warning)
    log.info("no")
    log.warning("yes")
    #expect(lines.lines.count == 1)
    #expect(lines.contains("warning ci/0: yes\n"))
  }

  @Test func `every event has a line`() {
    let node = NodeID(Bytes16(high: 1, low: 2))
    let founding = FoundingID(.zero)
    let events: [Event] = [
      .memberAlive(node, name: "a", via: .multicast), .memberSuspect(node, name: "a", by: node),
      .memberDead(node, name: "a", accusers: 2), .memberLeft(node, name: "a"),
      .memberForgotten(node), .recordUpdated(node, name: "r"), .leaderChanged(node, term: 3),
      .leaderChanged(nil, term: 3), .founded(founding, voters: [node]), .joined(founding),
      .sealed(founding), .registerCommitted(.none), .roleChanged(node, role: .web),
      .planChanged(nil, previous: .complete), .acknowledged(node, plan: PlanID(.zero), .stopped),
      .releaseChanged(nil), .clusterConflict(founding), .equivocation(node),
      .nameConflict(name: "a", holder: node, claimant: node),
    ]
    let lines = DriverLines()
    let log = lines.log()
    for event in events { log.add(event) }
    #expect(lines.lines.count == events.count)
    #expect(lines.contains("00000000 leads in term 3"))
  }
}
