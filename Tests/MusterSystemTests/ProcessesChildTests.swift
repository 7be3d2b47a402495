import Glibc
import MusterSystem
import Testing

@Suite struct `A child process` {
  private func shell(
    _ script: String, output: ChildProcess.Output = .piped, directory: String? = nil,
    environment: [String: String] = ["PATH": "/usr/bin:/bin"]
  ) throws -> ChildProcess {
    try ChildProcess(
      program: "/bin/sh", arguments: ["-c", script], environment: environment,
      directory: directory, output: output)
  }

  /// All output until the end of the pipe, waiting in `poll`.
  private func text(of child: ChildProcess) throws -> String {
    var bytes: [UInt8] = []
    while let part = child.readOutput() {
      bytes += part
      if part.isEmpty { try waitReadable(#require(child.outputDescriptor)) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func waitReadable(_ descriptor: Int32) {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    _ = unsafe poll(&waiting, 1, 10_000)
  }

  @Test func `gets its arguments, environment, directory and an empty input`() throws {
    let child = try shell(
      "cat; echo \"$0 $GREETING $(pwd)\"; echo late >&2; exit 3", directory: "/usr",
      environment: ["PATH": "/usr/bin:/bin", "GREETING": "hello"])
    #expect(try text(of: child) == "/bin/sh hello /usr\nlate\n")
    #expect(child.waitForExit() == .exited(3))
    #expect(child.reap() == .exited(3))
  }

  @Test func `sends errors elsewhere when only its output is piped`() throws {
    let child = try shell("echo out; echo >&2", output: .pipedWithoutErrors)
    #expect(try text(of: child) == "out\n")
    #expect(child.waitForExit().isSuccess)
  }

  @Test func `that cannot start is an error with its path`() {
    #expect(throws: SystemError(call: "execve", code: ENOENT, subject: "/nowhere/at/all")) {
      _ = try ChildProcess(program: "/nowhere/at/all", arguments: [], environment: [:])
    }
    #expect(throws: SystemError(call: "execve", code: EACCES, subject: "/etc/passwd")) {
      _ = try ChildProcess(program: "/etc/passwd", arguments: [], environment: [:])
    }
    #expect(throws: SystemError(call: "chdir", code: ENOENT, subject: "/nowhere")) {
      _ = try shell("true", directory: "/nowhere")
    }
    #expect(throws: SystemError(call: "execve", code: EINVAL, subject: "/bin/sh")) {
      _ = try shell("a\0b")
    }
  }

  @Test func `holds no descriptor but its three`() throws {
    let ours = unsafe open("/etc/passwd", O_RDONLY)
    defer { close(ours) }
    let child = try shell("ls /proc/$$/fd")
    #expect(try text(of: child) == "0\n1\n2\n")
  }

  @Test func `has its own group and no signal blocked or ignored`() throws {
    let child = try shell("grep -E 'SigBlk|SigIgn' /proc/self/status; ps -o pgid= -p $$")
    let lines = try text(of: child).split(separator: "\n")
    #expect(lines.count == 3)
    for line in lines.prefix(2) {
      // Signals 32 and 33 are the C library's own; it keeps how they were inherited.
      #expect(try #require(UInt64(line.suffix(16), radix: 16)) & ~(3 << 31) == 0)
    }
    #expect(lines.last?.filter { $0 != " " } == "\(child.pid)")
  }

  @Test func `is watched through its descriptor and reaped once`() throws {
    let loop = try EventLoop()
    let child = try shell("exec sleep 600")
    var status: MusterSystem.ExitStatus?
    try loop.watch(child.exitDescriptor) { status = child.reap() }
    try loop.turn(limit: 0)
    #expect(child.reap() == nil)
    child.signal(SIGTERM)
    let limit = loop.now + 10_000_000_000
    while status == nil, loop.now < limit { try loop.turn(limit: 1_000_000_000) }
    #expect(status == .signalled(SIGTERM))
    loop.unwatch(child.exitDescriptor)
  }

  @Test func `takes the rest of its group with it`() throws {
    let child = try shell("sleep 600 & echo $!; exit 0")
    let grandchild = try #require(readNumber(child))
    #expect(child.waitForExit() == .exited(0))
    #expect(isGone(grandchild))
  }

  @Test func `is killed and reaped when its owner lets go`() throws {
    var child: ChildProcess? = try shell("trap '' TERM; sleep 600 & echo $!; wait")
    let pid = try #require(child?.pid)
    let grandchild = try #require(child.flatMap(readNumber))
    child = nil
    #expect(kill(pid, 0) == -1 && errno == ESRCH)
    #expect(isGone(grandchild))
  }

  private func readNumber(_ child: ChildProcess) -> Int32? {
    guard let descriptor = child.outputDescriptor else { return nil }
    waitReadable(descriptor)
    let text = String(decoding: child.readOutput() ?? [], as: UTF8.self)
    return Int32(text.prefix { $0 != "\n" })
  }

  /// Whether a process that is not our child ends, or is a zombie of someone else, within 10 s.
  private func isGone(_ pid: Int32) -> Bool {
    for _ in 0..<1_000 {
      if kill(pid, 0) != 0 || stateOf(pid) == "Z" { return true }
      usleep(10_000)
    }
    return false
  }

  private func stateOf(_ pid: Int32) -> Character? {
    let descriptor = unsafe open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "Z" }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 512)
    let count = unsafe read(descriptor, &buffer, 512)
    guard count > 0 else { return "Z" }
    let text = String(decoding: buffer[..<count], as: UTF8.self)
    guard let end = text.lastIndex(of: ")") else { return nil }
    return text[end...].dropFirst(2).first
  }
}
