import Glibc

/// A file of one's own that only grows. Writing blocks.
package final class AppendedFile: Sendable {
  package let path: String
  private let file: FileDescriptor

  /// Makes the file anew; one that is there is kept as `path.old`, in place of the one before it.
  package init(path: String, mode: UInt32) throws(SystemError) {
    self.path = path
    let older = "\(path).old"
    do throws(SystemError) {
      try retrying("rename", path) { unsafe rename(path, older) }
    } catch {
      if error.code != ENOENT { throw error }
    }
    file = FileDescriptor(
      owning: try retrying("create", path) {
        unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, mode)
      })
  }

  /// Adds all of it, or throws; then any beginning of it may be there.
  package func append(_ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try retrying("write", path) {
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress, $0.count) }
      }
      rest = rest.dropFirst(count)
    }
  }
}
