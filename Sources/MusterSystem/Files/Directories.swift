import Glibc

extension Files {
  /// `path` from the root: what is handed to other processes must not depend on where they run.
  ///
  /// - Throws: ENOENT when the directory that we are in was removed.
  package static func absolute(_ path: String) throws(SystemError) -> String {
    guard !path.hasPrefix("/") else { return path }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard unsafe getcwd(&buffer, buffer.count) != nil else {
      throw SystemError(call: "getcwd", code: errno)
    }
    let here = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    var rest = path[...]
    while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
    if rest.isEmpty || rest == "." { return here }
    return here == "/" ? "/\(rest)" : "\(here)/\(rest)"
  }

  /// Makes a directory and those above it that are missing. One that is there keeps its mode.
  ///
  /// - Parameter mode: of the last directory; those above it get 0755.
  /// - Returns: whether the last one was made.
  /// - Throws: ENOTDIR when a file has one of the names.
  @discardableResult
  package static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) -> Bool {
    let parts = path.split(separator: "/")
    var place = path.hasPrefix("/") ? "" : "."
    var isNew = false
    for (index, part) in parts.enumerated() {
      place += "/\(part)"
      let isLast = index == parts.count - 1
      isNew = try makeOneDirectory(place, path, mode: isLast ? mode : 0o755)
    }
    return isNew
  }

  private static func makeOneDirectory(
    _ place: String, _ path: String, mode: UInt32
  ) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try retrying("mkdir", path) { unsafe mkdir(place, mode) }
    } catch {
      var status = stat()
      // mkdir says EROFS or EACCES of a directory that is there, too.
      guard unsafe stat(place, &status) == 0 else { throw error }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw SystemError(call: "mkdir", code: ENOTDIR, subject: path)
      }
      return false
    }
    // A restrictive umask must not shut its owner out, nor a generous one let others in.
    try retrying("chmod", path) { unsafe chmod(place, mode) }
    try syncDirectory(of: place)
    return true
  }

  /// Bytes that this process may still write to the filesystem that holds `path`.
  package static func freeBytes(at path: String) throws(SystemError) -> UInt64 {
    var status = statvfs()
    try retrying("statvfs", path) { unsafe statvfs(path, &status) }
    return UInt64(status.f_bavail) * UInt64(status.f_frsize)
  }
}

/// Keeps a second process out of a directory of this node's own disk, for as long as it lives.
///
/// The kernel lets go of it when the process ends, however it ends; the file itself stays and
/// means nothing.
package struct DirectoryLock: ~Copyable {
  private let descriptor: FileDescriptor

  /// Locks `directory` through the file `lock` in it.
  ///
  /// - Throws: EWOULDBLOCK when another process holds it; EACCES, EROFS when nothing can be
  ///   written there.
  package static func acquire(_ directory: String) throws(SystemError) -> DirectoryLock {
    let path = "\(directory)/lock"
    let number = try retrying("open", path) {
      unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }
    let lock = DirectoryLock(descriptor: FileDescriptor(owning: number))
    try retrying("lock", path) { flock(number, LOCK_EX | LOCK_NB) }
    return lock
  }
}
