import Glibc

/// What this process uses of the machine, as the kernel counts it.
package struct ProcessUsage: Hashable, Sendable {
  /// Time on processors since the start, user and system, in nanoseconds.
  package var processorNanoseconds: Int64
  package var residentBytes: Int64
  package var openDescriptors: Int

  /// Reads the figures now; one that the kernel does not give is 0.
  package static func read() -> ProcessUsage {
    ProcessUsage(
      processorNanoseconds: processorTime(), residentBytes: residentSize(),
      openDescriptors: descriptors())
  }

  private static func processorTime() -> Int64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// The second field of /proc/self/statm, in pages.
  private static func residentSize() -> Int64 {
    let number = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return 0 }
    let file = FileDescriptor(owning: number)
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = unsafe Glibc.read(file.number, &bytes, bytes.count)
    guard count > 0 else { return 0 }
    let fields = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int64(fields[1]) else { return 0 }
    return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func descriptors() -> Int {
    guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    unsafe closedir(directory)
    // Without `.`, `..` and the descriptor that reads the directory.
    return max(0, count - 3)
  }
}
