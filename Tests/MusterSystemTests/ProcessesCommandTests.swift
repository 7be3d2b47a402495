import Glibc
import MusterSystem
import Testing

@Suite struct `A short command` {
  private func run(_ program: String, _ arguments: [String], limit: Int64) throws
    -> CommandRun.Outcome
  {
    let loop = try EventLoop()
    var outcome: CommandRun.Outcome?
    var isGone = false
    let command = ProcessCommand(
      program: program, arguments: arguments, environment: ["PATH": "/usr/bin:/bin"])
    let run = CommandRun(command, limit: limit, loop: loop, onGone: { isGone = true }) {
      outcome = $0
    }
    #expect(!run.hasFinished && outcome == nil)
    let end = loop.now + 10_000_000_000
    while outcome == nil || !isGone, loop.now < end { try loop.turn(limit: 100_000_000) }
    #expect(run.hasFinished && isGone)
    return try #require(outcome)
  }

  @Test func `gives its end and its output`() throws {
    let second: Int64 = 5_000_000_000
    let good = try run("/bin/sh", ["-c", "echo out; echo err >&2"], limit: second)
    #expect(good == .ended(.exited(0), output: "out\nerr\n") && good.failure == "")
    let bad = try run("/bin/sh", ["-c", "echo no room; exit 4"], limit: second)
    #expect(!bad.isSuccess && bad.failure == "ended with exit code 4: no room")
    let large = try run("/bin/sh", ["-c", "yes | head -c 1000000"], limit: second)
    guard case .ended(.exited(0), let text) = large else {
      Issue.record("\(large)")
      return
    }
    #expect(text.utf8.count == CommandRun.outputBytes)
  }

  @Test func `that takes too long, or is none, says so`() throws {
    #expect(try run("/bin/sleep", ["600"], limit: 50_000_000) == .timedOut)
    let none = try run("/nowhere", [], limit: 5_000_000_000)
    #expect(none.failure == "did not start: execve /nowhere: No such file or directory")
  }

  @Test func `is found on a path`() {
    #expect(ProcessCommand.find("sh", in: ["/nowhere", "/bin"]) == "/bin/sh")
    #expect(ProcessCommand.find("passwd", in: ["/etc"]) == nil)
    #expect(ProcessCommand.find("./x", in: ["/bin"]) == "./x")
  }

  @Test func `has output in lines of bounded length`() {
    var lines = OutputLines(limit: 4)
    #expect(lines.add(Array("ab".utf8)) == [])
    #expect(lines.add(Array("c\r\n\nlonger".utf8)) == ["abc", "", "long"])
    #expect(lines.finish() == "er" && lines.finish() == nil)
  }
}
