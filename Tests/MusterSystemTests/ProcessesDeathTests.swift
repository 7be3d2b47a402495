import Glibc
import MusterSystem
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The death of the daemon` {
  private static func note(of daemon: Int32) -> String { "/tmp/muster-death-\(daemon)" }

  @Test func `kills its children`() async throws {
    let path = Self.note(of: getpid())
    _ = try? Files.remove(path)
    await #expect(processExitsWith: .signal(SIGKILL)) {
      let child = try ChildProcess(
        program: "/bin/sleep", arguments: ["600"], environment: [:], output: .inherited)
      try Files.replace(
        Self.note(of: getppid()), with: Array("\(child.pid)".utf8), mode: 0o600)
      // No deinitialiser runs: only the kernel can end the child now.
      kill(getpid(), SIGKILL)
      while true { pause() }
    }
    let text = try #require(try Files.read(path, limit: 64))
    try Files.remove(path)
    let child = try #require(Int32(String(decoding: text, as: UTF8.self)))
    var attempts = 0
    while kill(child, 0) == 0, !Self.isZombie(child), attempts < 1_000 {
      usleep(10_000)
      attempts += 1
    }
    #expect(attempts < 1_000, "the child still lives ten seconds after its daemon")
  }

  /// The new parent of an orphan may take its time to collect it.
  private static func isZombie(_ pid: Int32) -> Bool {
    let text = (try? Files.read("/proc/\(pid)/stat", limit: 4_096)) ?? []
    guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return true }
    return text[end...].dropFirst(2).first == UInt8(ascii: "Z")
  }
}
