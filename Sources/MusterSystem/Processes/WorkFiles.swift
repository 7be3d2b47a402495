import Glibc

/// Whether `path` leads to a file that this process may execute.
func isExecutableFile(_ path: String) -> Bool {
  var status = stat()
  guard unsafe stat(path, &status) == 0 else { return false }
  return unsafe status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
}

/// Files that can be made again at any time, such as rendered templates.
package enum WorkFiles {
  /// Writes a file whole: who opens it sees the old content or the new. It is not synced, so
  /// that the event loop need not wait for the disk; after a crash of the machine it is made
  /// anew before it is used.
  ///
  /// Two writers of one path at a time are not allowed.
  ///
  /// - Throws: the old content is in place.
  package static func write(_ content: [UInt8], to path: String) throws(SystemError) {
    let temporary = "\(path).new"
    do throws(SystemError) {
      let file = FileDescriptor(
        owning: try retrying("open", temporary) {
          unsafe open(
            temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        })
      var rest = content[...]
      while !rest.isEmpty {
        let count = try retrying("write", temporary) {
          unsafe rest.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress, $0.count) }
        }
        rest = rest.dropFirst(count)
      }
      try retrying("rename", path) { unsafe rename(temporary, path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
  }
}
