import MusterAgent
import MusterState
import Testing

/// What a command printed, and how it ended.
struct Ran {
  var code: ExitCode
  var output: String
  var complaint: String
}

final class Printed {
  var output = ""
  var complaint = ""
}

func muster(
  _ arguments: [String], environment: [String: String] = [:], isTerminal: Bool = false,
  runAgent: @escaping (AgentOptions, [ServiceDefinition]) -> Int32 = { _, _ in 0 }
) -> Ran {
  let printed = Printed()
  let console = Console(
    print: { printed.output += $0 }, complain: { printed.complaint += $0 },
    isTerminal: isTerminal, environment: { environment[$0] })
  let program = CommandProgram(console: console, joints: CommandJoints(runAgent: runAgent))
  let code = program.run(arguments)
  return Ran(code: code, output: printed.output, complaint: printed.complaint)
}

@Suite struct CommandLineParserTests {
  @Test(arguments: [
    (["init"], "muster init: --name NAME is missing; see muster init --help"),
    (["init", "--nam", "x"], "there is no option --nam: did you mean --name?"),
    (
      ["init", "--name", "x", "--expect", "none", "--out", "d"],
      "--expect \"none\" is not a whole number from 1 to 10000"
    ),
    (["init", "--name"], "--name needs a value: NAME"),
    (["init", "--name", "a", "--name", "b"], "--name is given twice"),
    (["members", "--json=1"], "--json takes no value"),
    (["members", "extra"], "\"extra\" is one word too many"),
    (["get"], "NODE|cluster is missing"),
    (["wait", "--timeout", "5 s"], "--timeout \"5 s\" is not a duration such as 500ms"),
    (["wait", "--role", "web"], "--role \"web\" is not ROLE=N"),
    (["agent", "--bind", "localhost:1"], "--bind \"localhost:1\" is not a numeric address"),
    (["memers"], "\"memers\" is no command: did you mean members?"),
    (["release"], "\"release\" is no command: there is release add"),
    (["release", "drop"], "\"release drop\" is no command: there is release add"),
    (["agent", "--name", "a"], "--cluster is missing"),
    (["agent", "--name", "a b"], "is no node's name"),
    (["members"], "give --control SOCKET or set MUSTER_CONTROL"),
    (["wait", "--control", "/x"], "there is nothing to wait for"),
    (["set", "a b", "c", "--control", "/x"], "\"a b\" is no key"),
    (["completion", "fish"], "use bash"),
    (["-x"], "\"-x\" is no command"),
  ])
  func `a wrong command line is one clear line and exit code 2`(
    _ arguments: [String], _ expected: String
  ) {
    let ran = muster(arguments)
    #expect(ran.code == .usage)
    #expect(ran.complaint.contains(expected), "\(ran.complaint)")
    #expect(ran.complaint.split(separator: "\n").count == 1)
    #expect(ran.output.isEmpty)
  }

  @Test func `help is there for everything`() {
    for arguments in [["--help"], ["help"], ["-h"]] {
      let ran = muster(arguments)
      #expect(ran.code == .done && ran.output.contains("release add"))
    }
    for rule in CommandProgram(
      console: .standard, joints: CommandJoints { _, _ in 0 }
    ).rules {
      let words = rule.verb.split(separator: " ").map(String.init)
      let ran = muster(words + ["--help"])
      #expect(ran.code == .done)
      #expect(ran.output.contains("usage: muster \(rule.verb)"))
      for option in rule.options { #expect(ran.output.contains("--\(option.name)")) }
      #expect(muster(["help"] + words).output == ran.output)
    }
    #expect(muster([]).code == .usage)
  }

  @Test(arguments: [
    ("500ms", 500_000_000), ("10s", 10_000_000_000), ("7", 7_000_000_000), ("2m", 120_000_000_000),
    ("1h", 3_600_000_000_000), ("0", 0),
  ])
  func `durations are read`(_ text: String, _ nanoseconds: Int64) {
    #expect(Invocation.duration(text) == nanoseconds)
  }

  @Test(arguments: ["", "s", "-1s", "1.5s", "1d", "10 s", "99999999999h", "1sx"])
  func `what is no duration is refused`(_ text: String) {
    #expect(Invocation.duration(text) == nil)
  }

  @Test func `version says what it is`() throws {
    #expect(muster(["version"]).output == "muster \(MusterVersion.current) (muster/v1)\n")
    let json = try Json(reading: Array(muster(["version", "--json"]).output.utf8))
    #expect(json["version"]?.string == MusterVersion.current)
  }

  @Test func `agent flags become options, with defaults`() throws {
    let seen = Seen()
    let ran = muster(
      [
        "agent", "--cluster", "/c", "--name=ci/0", "--state", "/s", "--shared", "/r", "--bind",
        "127.0.0.11:7946", "--join", "127.0.0.1:1", "--join", "127.0.0.1:2", "--multicast", "off",
        "--control", "/x", "--http", "127.0.0.1:9090", "--log-format", "json",
      ],
      runAgent: { options, _ in
        seen.options = options
        return 4
      })
    #expect(ran.code == .refused)
    let options = try #require(seen.options)
    #expect(options.name == "ci/0")
    #expect(options.join.map(\.port) == [1, 2])
    #expect(options.multicast == nil)
    #expect(options.http?.port == 9_090)
    #expect(options.logFormat == .json)
    #expect(!options.founds)
  }

  @Test func `a flag wins over the file, and the file fills what is missing`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let file = directory + "/muster.yaml"
    try HttpTest.run(
      "sh",
      [
        "-c",
        """
        printf 'cluster: /c\\nname: a\\nstate: /s\\nshared: /r\\nbind: 127.0.0.1:7\\n\
        control: /x\\nmulticast: off\\n' > \(file)
        """,
      ])
    let seen = Seen()
    let ran = muster(
      ["agent", "--config", file, "--name", "b"],
      runAgent: { options, _ in
        seen.options = options
        return 0
      })
    #expect(ran.code == .done, "\(ran.complaint)")
    #expect(seen.options?.name == "b")
    #expect(seen.options?.bind.port == 7)
    #expect(seen.options?.multicast == nil)
    #expect(muster(["config", "check", file]).code == .done)
    try HttpTest.run("sh", ["-c", "echo 'nonsense: 1' >> \(file)"])
    let bad = muster(["config", "check", file])
    #expect(bad.code == .failed && bad.complaint.contains("muster.yaml:8:1"))
    #expect(muster(["agent", "--config", file]).code == .failed)
  }

  @Test func `bash accepts the completion script and offers verbs and options`() throws {
    let directory = try HttpTest.temporaryDirectory()
    defer { _ = try? HttpTest.run("rm", ["-rf", directory]) }
    let file = directory + "/completion"
    let script = muster(["completion", "bash"]).output
    try HttpTest.run(
      "bash", ["-c", "cat > \(file) <<'END'\n\(script)\nEND"])
    func complete(_ words: [String]) throws -> String {
      let list = words.map { "'\($0)'" }.joined(separator: " ")
      return try HttpTest.run(
        "bash",
        [
          "-c",
          "source \(file); COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); _muster; "
            + "echo ${COMPREPLY[@]}",
        ]
      ).output
    }
    #expect(try complete(["muster", "me"]) == "members\n")
    #expect(try complete(["muster", "release", "s"]) == "show\n")
    #expect(try complete(["muster", "release", "add", "--so"]) == "--source\n")
    #expect(try complete(["muster", "wait", "--conv"]) == "--converged\n")
    #expect(try complete(["muster", "leader", "st"]) == "step-down\n")
    #expect(try complete(["muster", "leader", "--expl"]) == "--explain\n")
    #expect(try complete(["muster", "leader", "step-down", "--t"]) == "--to\n")
  }
}

private final class Seen {
  var options: AgentOptions?
}
