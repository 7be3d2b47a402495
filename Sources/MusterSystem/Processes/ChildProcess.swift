import CLinux
import Glibc

/// A program in a process of its own that never outlives its owner and never becomes a zombie.
///
/// The child leads its own process group, reads `/dev/null`, has default signals and no
/// descriptor of ours but its output. It is killed by the kernel when the *thread* that spawned
/// it dies, not only when the process does: spawn long-lived children on the thread that runs
/// the event loop, and short ones on a worker that waits for them.
///
/// The kernel kills only the child itself in that way, not what the child started; whoever ends
/// in good order kills the whole group.
package final class ChildProcess {
  /// Where the child's output goes.
  package enum Output: Sendable {
    /// To our own standard output and error.
    case inherited
    /// Both to `outputDescriptor`.
    case piped
    /// Standard output to `outputDescriptor`, standard error to ours.
    case pipedWithoutErrors
  }

  /// The process and its group.
  package let pid: Int32
  private let exit: FileDescriptor
  private let output: FileDescriptor?
  /// Set once the child is reaped; its number may then belong to someone else.
  private var status: ExitStatus?

  /// Starts `program`, a path, and returns once it runs.
  ///
  /// - Parameters:
  ///   - arguments: Without the program's own name, which is put in front.
  ///   - environment: The whole environment; see `inheritedEnvironment`.
  ///   - directory: Where it runs; `nil`: where we are.
  ///   - diesWithThread: Whether the kernel kills it when the calling thread ends.
  /// - Throws: `SystemError` with the path of the program, or of the directory; nothing runs
  ///   then. A program on a filesystem that hangs for more than a second counts as started, and
  ///   ends with exit code 127 should that fail.
  package init(
    program: String, arguments: [String], environment: [String: String],
    directory: String? = nil, output: Output = .piped, diesWithThread: Bool = true
  ) throws(SystemError) {
    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    for text in [program, directory ?? ""] + arguments + variables
    where text.utf8.contains(0) {
      throw SystemError(call: "execve", code: EINVAL, subject: program)
    }
    func spawn(into output: Int32, joinsErrors: Bool) throws(SystemError) -> Spawned {
      try Self.spawn(
        program: program, arguments: [program] + arguments, variables: variables,
        directory: directory, output: output, joinsErrors: joinsErrors,
        deathSignal: diesWithThread ? SIGKILL : 0)
    }
    let child: Spawned
    switch output {
    case .inherited:
      child = try spawn(into: -1, joinsErrors: false)
      self.output = nil
    case .piped, .pipedWithoutErrors:
      let pipe = try Pipe()
      child = try spawn(into: pipe.write.number, joinsErrors: output == .piped)
      self.output = .some(pipe.read)
    }
    pid = child.process
    exit = FileDescriptor(owning: child.descriptor)
  }

  /// Readable from the moment the child has ended: watch it, then `reap()`.
  package var exitDescriptor: Int32 { exit.number }

  /// The non-blocking read end of the child's output; `nil` when it is inherited.
  package var outputDescriptor: Int32? {
    switch output {
    case .some(let output): output.number
    case .none: nil
    }
  }

  /// What the child has written and nobody has read, at most `limit` bytes: empty when there is
  /// nothing now, `nil` when there will be nothing more.
  package func readOutput(limit: Int = 16_384) -> [UInt8]? {
    guard let number = outputDescriptor else { return nil }
    var buffer = [UInt8](repeating: 0, count: limit)
    while true {
      let count = unsafe read(number, &buffer, limit)
      if count > 0 { return Array(buffer[..<count]) }
      if count == 0 { return nil }
      if errno == EINTR { continue }
      return errno == EAGAIN ? [] : nil
    }
  }

  /// Sends a signal to the whole group; does nothing once the child is reaped.
  package func signal(_ number: Int32) {
    guard status == nil else { return }
    // ESRCH is impossible while the child is not reaped, EPERM only for a set-user-id program.
    _ = Glibc.kill(-pid, number)
  }

  /// Ends the whole group at once; it gets no chance to tidy up.
  package func kill() { signal(SIGKILL) }

  /// Sends a signal to the child alone: what it started need not understand a reload.
  package func signalLeader(_ number: Int32) {
    guard status == nil else { return }
    _ = Glibc.kill(pid, number)
  }

  /// How the child ended, or `nil` while it runs. What is left of its group is killed then.
  package func reap() -> ExitStatus? { wait(muster_wait_nohang()) }

  /// Waits for the end of the child: for worker threads. What is left of its group is killed.
  package func waitForExit() -> ExitStatus {
    guard let status = wait(0) else { preconditionFailure("a blocking wait has an answer") }
    return status
  }

  /// Looks at the end first and collects it last: between the two the child still holds its
  /// number, so that the group that is killed is certainly its own.
  private func wait(_ options: Int32) -> ExitStatus? {
    if let status { return status }
    guard collect(options | muster_wait_keep()) != nil else { return nil }
    kill()
    status = collect(0)
    return status
  }

  private func collect(_ options: Int32) -> ExitStatus? {
    var kind: Int32 = 0
    var code: Int32 = 0
    while true {
      let result = unsafe muster_wait(pid, options, &kind, &code)
      if result == 0 { return nil }
      if result > 0 { return kind == 0 ? .exited(code) : .signalled(code) }
      precondition(errno == EINTR, "nobody else waits for child \(pid)")
    }
  }

  deinit {
    signal(SIGKILL)
    _ = waitForExit()
  }
}

extension ChildProcess {
  /// Our own environment.
  package static var inheritedEnvironment: [String: String] {
    var result: [String: String] = [:]
    var entry = unsafe muster_environment()
    while let current = unsafe entry, let text = unsafe current.pointee {
      let pair = unsafe String(cString: text)
      if let equals = pair.firstIndex(of: "=") {
        result[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
      }
      unsafe entry = unsafe current + 1
    }
    return result
  }

  private struct Spawned {
    let process: Int32
    let descriptor: Int32
  }

  private static func spawn(
    program: String, arguments: [String], variables: [String], directory: String?,
    output: Int32, joinsErrors: Bool, deathSignal: Int32
  ) throws(SystemError) -> Spawned {
    var process: Int32 = -1
    var descriptor: Int32 = -1
    var stage: Int32 = 0
    let argumentBlock = block(arguments)
    let variableBlock = block(variables)
    let failure: Int32 = unsafe program.withCString { program in
      unsafe argumentBlock.withUnsafeBufferPointer { first in
        unsafe variableBlock.withUnsafeBufferPointer { second in
          unsafe withOptionalCString(directory) { directory in
            var request = unsafe muster_spawn_request(
              program: program, arguments: first.baseAddress, argument_count: arguments.count,
              environment: second.baseAddress, environment_count: variables.count,
              directory: directory, output: output, joins_errors: joinsErrors ? 1 : 0,
              parent_death_signal: deathSignal)
            return unsafe muster_spawn(&request, &process, &descriptor, &stage) == 0 ? 0 : errno
          }
        }
      }
    }
    guard failure != 0 else { return Spawned(process: process, descriptor: descriptor) }
    switch Int(stage) {
    case Int(MUSTER_SPAWN_DIRECTORY):
      throw SystemError(call: "chdir", code: failure, subject: directory ?? "")
    case Int(MUSTER_SPAWN_EXEC):
      throw SystemError(call: "execve", code: failure, subject: program)
    default:
      throw SystemError(call: "fork", code: failure, subject: program)
    }
  }

  /// Strings one after the other, each with its NUL; never empty, so that it has an address.
  private static func block(_ texts: [String]) -> [CChar] {
    texts.flatMap { text in text.utf8.map { CChar(bitPattern: $0) } + [0] } + [0]
  }

  private static func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    guard let text else { return body(nil) }
    return unsafe text.withCString(body)
  }
}

/// A pipe whose read end does not block.
private struct Pipe: ~Copyable {
  let read: FileDescriptor
  let write: FileDescriptor

  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    try retrying("pipe2") { unsafe muster_pipe(&ends) }
    read = FileDescriptor(owning: ends[0])
    write = FileDescriptor(owning: ends[1])
  }
}
