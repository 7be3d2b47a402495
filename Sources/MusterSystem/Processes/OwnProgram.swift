import Glibc

/// Where the running program lies on disk.
package enum OwnProgram {
  /// The directory of the executable, links resolved; programs that belong together lie in it.
  ///
  /// - Throws: `SystemError` when /proc is not there.
  package static func directory() throws(SystemError) -> String {
    var buffer = [CChar](repeating: 0, count: 4_096)
    let count = try retrying("readlink", "/proc/self/exe") {
      unsafe readlink("/proc/self/exe", &buffer, buffer.count)
    }
    let path = buffer.prefix(count).map { UInt8(bitPattern: $0) }
    guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return String(decoding: path[..<slash], as: UTF8.self)
  }
}
