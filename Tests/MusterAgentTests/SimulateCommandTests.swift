import MusterAgent
import MusterSystem
import Testing

/// `muster simulate` as people start it.
@Suite struct SimulateCommandTests {
  private struct Ran {
    var code: Int32
    var output: String
    var complaint: String
  }

  private let folder: TemporaryFolder
  private let program: String

  init() throws {
    folder = try TemporaryFolder()
    program = "\(try OwnProgram.directory())/muster"
  }

  private func simulate(_ words: String...) throws -> Ran {
    let child = try start(["simulate"] + words, within: "timeout 120")
    guard case .exited(let code) = child.waitForExit() else {
      return Ran(code: -1, output: "", complaint: "ended by a signal")
    }
    return Ran(
      code: code, output: folder.read("out") ?? "", complaint: folder.read("err") ?? "")
  }

  private func start(_ words: [String], within limit: String) throws -> ChildProcess {
    try ChildProcess(
      program: "/bin/sh",
      arguments: ["-c", "exec \(limit) \"$@\" >out 2>err", "sh", program] + words,
      environment: ChildProcess.inheritedEnvironment, directory: folder.path,
      output: .inherited, diesWithThread: false)
  }

  @Test func `wrong words are refused before anything runs`() throws {
    try folder.write("bad.scenario", "nodes 3\nat 5s explode a\n")
    try folder.write("good.scenario", "nodes 1\nat 0s start a\n")
    let cases: [([String], String)] = [
      (["--seed", "1", "--seeds", "2"], "--seed and --seeds exclude each other"),
      (["--seed", "1", "--from", "2"], "--seed and --from exclude each other"),
      (["--from", "2"], "--from needs --seeds N"),
      (["--seeds", "0"], "--seeds \"0\" is not a whole number from 1"),
      (["--seed", "-1"], "--seed \"-1\" is not a whole number from 0"),
      (["--jobs", "0"], "--jobs \"0\" is not a whole number from 1 to 1024"),
      (["--for", "soon"], "--for \"soon\" is not a duration"),
      (["--for", "0s"], "--for 0s is no time for faults"),
      (["--faults", "flood"], "\"flood\" is no fault; there are partition, oneway"),
      (["--trace", "x", "--html", "x"], "--trace and --html name the same file"),
      (["--scenario", "good.scenario", "--seed", "1"], "--seed does not go with --scenario"),
      (["--scenario", "good.scenario", "--nodes", "3"], "--nodes does not go with --scenario"),
      (["--scenario", "good.scenario", "--no-shrink"], "--no-shrink does not go with --scenario"),
      (["--scenario", "none.scenario"], "there is no file none.scenario"),
      (["--scenario", "bad.scenario"], "bad.scenario: line 2: 'explode' is no action"),
      (["more"], "\"more\" is one word too many"),
    ]
    for (words, problem) in cases {
      let child = try start(["simulate"] + words, within: "timeout 60")
      #expect(child.waitForExit() == .exited(2), "\(words)")
      let complaint = folder.read("err") ?? ""
      #expect(complaint.contains(problem), "\(words): \(complaint)")
      #expect(complaint.split(separator: "\n").count == 1 && folder.read("out") == "", "\(words)")
    }
  }

  @Test func `a trace is the same bytes on each replay, however many jobs`() throws {
    let words = ["simulate", "--seed", "7", "--nodes", "4", "--for", "20s", "--trace"]
    for (name, jobs) in [("one", "1"), ("two", "1"), ("three", "4")] {
      let child = try start(words + [name, "--jobs", jobs], within: "timeout 60")
      #expect(child.waitForExit() == .exited(0))
    }
    let first = try #require(folder.read("one"))
    #expect(first.split(separator: "\n").count > 50)
    #expect(folder.read("two") == first)
    #expect(folder.read("three") == first)
  }

  @Test func `what many seeds came to does not depend on the number of jobs`() throws {
    func figures(_ jobs: String) throws -> [JsonMember] {
      let ran = try simulate(
        "--seeds", "6", "--from", "40", "--nodes", "3", "--for", "10s", "--jobs", jobs, "--json")
      #expect(ran.code == 0, "\(ran.complaint)")
      guard case .object(let members) = try Json(reading: Array(ran.output.utf8)) else {
        return []
      }
      let real: Set = ["real_ms", "events_per_second", "threads"]
      return members.filter { !real.contains($0.key) }
    }
    let alone = try figures("1")
    #expect(alone.first { $0.key == "seeds" }?.value == 6)
    #expect(alone.first { $0.key == "violations" }?.value == 0)
    #expect(try figures("3") == alone)
  }

  @Test func `a violation gives its replay line, a smaller scenario and exit code 1`() throws {
    // Votes shown before they are on disk.
    let ran = try simulate(
      "--seeds", "2", "--from", "5", "--nodes", "4", "--faults", "crash,loss", "--for", "5s",
      "--plant", "256", "--html", "page.html")
    #expect(ran.code == 1)
    let replay = "muster simulate --seed 5 --nodes 4 --faults crash,loss --for 5s --plant 256"
    #expect(ran.output.contains("replay:  \(replay)\n"), "\(ran.output)")
    #expect(ran.output.contains("seed 6 at "))
    #expect(ran.output.contains("smaller: muster simulate --scenario violation-5.scenario\n"))
    #expect((folder.read("page.html") ?? "").contains("<b>durable-before-visible</b>"))
    let again = try simulate("--scenario", "violation-5.scenario", "--trace", "again")
    #expect(folder.read("violation-5.trace") == folder.read("again"))
    #expect(folder.read("again")?.contains("VIOLATION") ?? false)
    #expect(again.code == 1)
    #expect(again.output.contains("BROKEN"), "\(again.output)")
    #expect(again.output.contains("durable-before-visible"))
    try folder.write("violation-5.scenario", "nothing")
    let quick = try simulate(
      "--seed", "5", "--nodes", "4", "--faults", "crash,loss", "--for", "5s", "--plant", "256",
      "--no-shrink")
    #expect(quick.code == 1 && !quick.output.contains("smaller"))
    #expect(folder.read("violation-5.scenario") == "nothing")
  }

  @Test func `a scenario prints each expectation and when it was kept`() throws {
    try folder.write(
      "split.scenario",
      """
      # Two machines.
      nodes 2
      at 0s start all
      expect by 6s leader in {a b}
      expect at 8s no leader in {a b}
      expect at 9s whole
      """)
    let ran = try simulate("--scenario", "split.scenario")
    #expect(ran.code == 1)
    let lines = ran.output.split(separator: "\n")
    #expect(lines.first == "Two machines.")
    #expect(
      lines.contains { $0.hasPrefix("kept ") && $0.hasSuffix("expect by 6s leader in {a b}") })
    #expect(
      lines.contains { $0.hasPrefix("NOT KEPT  8.000s  line 5: expect at 8s no leader in {a b}") })
    #expect(lines.contains { $0.hasPrefix("not seen") && $0.hasSuffix("expect at 9s whole") })
    let json = try Json(
      reading: Array(simulate("--scenario", "split.scenario", "--json").output.utf8))
    #expect(json["kept"]?.bool == false)
    #expect(json["expectations"]?.array?.count == 3)
  }

  @Test func `an interrupt ends with what there is so far`() throws {
    let child = try start(["simulate", "--seeds", "1000000", "--nodes", "3"], within: "")
    MonotonicClock.sleep(nanoseconds: 2_000_000_000)
    child.signalLeader(2)
    #expect(child.waitForExit() == .exited(0))
    let output = folder.read("out") ?? ""
    #expect(output.contains(" of 1,000,000; interrupted\n"), "\(output)")
    #expect(output.contains("violations   none"))
  }
}
