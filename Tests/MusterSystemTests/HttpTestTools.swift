import Glibc
import MusterSystem
import Testing

/// What the tests of the HTTP rooms share.
enum HttpTest {
  /// Polls until `condition` holds, for at most ten seconds.
  static func eventually(_ condition: () -> Bool) -> Bool {
    let end = MonotonicClock.nanoseconds + 10_000_000_000
    while MonotonicClock.nanoseconds < end {
      if condition() { return true }
      usleep(5_000)
    }
    return condition()
  }

  /// What this thread has used of a processor.
  static var threadNanoseconds: Int64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return 0 }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  static func temporaryDirectory() throws -> String {
    var template = Array("/tmp/muster-http-XXXXXX".utf8CString)
    try #require(unsafe mkdtemp(&template) != nil)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// One thread of the test, joined by whoever waits for what it does.
  struct Thread {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() throws {
      final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
      }
      var thread = pthread_t()
      let context = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
      let code = unsafe pthread_create(
        &thread, nil,
        { context in
          if let context = unsafe context {
            unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
          }
          return nil
        }, context)
      try #require(code == 0)
      pthread_detach(thread)
    }
  }

  /// A program that runs beside the test, with its output.
  struct Process {
    struct Result: Sendable {
      var status: Int32
      var output: String
    }

    let id: pid_t
    private let pipe: Int32

    /// Starts `program`, found on the path, with its standard output and error in one pipe.
    init(_ program: String, _ arguments: [String]) throws {
      var ends: [Int32] = [0, 0]
      try #require(unsafe Glibc.pipe(&ends) == 0)
      _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
      var actions = unsafe posix_spawn_file_actions_t()
      unsafe posix_spawn_file_actions_init(&actions)
      unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
      unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
      unsafe posix_spawn_file_actions_addclose(&actions, ends[1])
      var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
      var id = pid_t()
      let code = unsafe posix_spawnp(&id, program, &actions, nil, &words, environ)
      unsafe words.forEach { unsafe free($0) }
      unsafe posix_spawn_file_actions_destroy(&actions)
      close(ends[1])
      try #require(code == 0)
      self.id = id
      pipe = ends[0]
    }

    func kill() {
      _ = Glibc.kill(id, SIGKILL)
      _ = try? finish()
    }

    /// Reads the output to its end and collects the process.
    func finish() throws -> Result {
      var output: [UInt8] = []
      var part = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = unsafe read(pipe, &part, part.count)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { break }
        output += part.prefix(count)
      }
      close(pipe)
      var status: Int32 = 0
      try #require(unsafe waitpid(id, &status, 0) == id)
      let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
      return Result(status: code, output: String(decoding: output, as: UTF8.self))
    }
  }

  @discardableResult
  static func run(_ program: String, _ arguments: [String]) throws -> Process.Result {
    try Process(program, arguments).finish()
  }

  /// A connection that says what a good client would not.
  final class RawConnection {
    private let socket: Int32

    init(path: String) throws {
      socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      try #require(socket >= 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &address.sun_path) {
        unsafe $0.copyBytes(from: Array(path.utf8))
      }
      let result = unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(result == 0)
    }

    func write(_ text: String) {
      let bytes = Array(text.utf8)
      unsafe _ = send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }

    deinit { close(socket) }
  }
}
