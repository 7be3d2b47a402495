import Glibc

/// Processes that outlived the daemon that was responsible for them.
///
/// The kernel kills a child when its daemon is killed, but not what the child had started, such
/// as the workers of a server. They still hold ports, so the next life of the daemon ends them.
package enum Leftovers {
  /// Environments are read up to this size; a mark beyond it is not found.
  private static let environmentBytes = 131_072

  /// Kills every process of ours that was started with a variable that begins with `entry`, such
  /// as `NAME=value`. This process is spared.
  ///
  /// - Returns: how many were killed.
  package static func kill(withVariable entry: String) -> Int {
    processes().count { pid in
      pid != getpid() && environment(of: pid).contains { $0.starts(with: entry.utf8) }
        && Glibc.kill(pid, SIGKILL) == 0
    }
  }

  private static func processes() -> [Int32] {
    guard let directory = unsafe opendir("/proc") else { return [] }
    defer { unsafe closedir(directory) }
    var result: [Int32] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if let pid = Int32(name), pid > 0 { result.append(pid) }
    }
    return result
  }

  /// Empty for a process that is gone or not ours to read.
  private static func environment(of pid: Int32) -> [ArraySlice<UInt8>] {
    let content = try? Files.read("/proc/\(pid)/environ", limit: environmentBytes)
    return content.map { $0.split(separator: 0) } ?? []
  }
}
