import Glibc

/// One open directory of the release store. Everything is named relative to it and no link is
/// ever followed below it, so that a tree cannot change its meaning under a walk.
package struct StoreDirectory: ~Copyable, Sendable {
  /// For messages.
  package let path: String
  private let descriptor: FileDescriptor

  private init(path: String, descriptor: consuming FileDescriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  /// Opens the directory at `path`, which may itself be a link (a mount point often is).
  package static func open(_ path: String) throws(SystemError) -> StoreDirectory {
    let number = try retrying("open", path) {
      unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    return StoreDirectory(path: path, descriptor: FileDescriptor(owning: number))
  }

  /// Opens a directory in this one.
  package func directory(_ name: String) throws(SystemError) -> StoreDirectory {
    let number = try retrying("open", place(name)) {
      unsafe openat(descriptor.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    return StoreDirectory(path: place(name), descriptor: FileDescriptor(owning: number))
  }

  /// Makes a directory; one that is there already is no error.
  package func makeDirectory(_ name: String, mode: UInt32) throws(SystemError) {
    try announce(.makeDirectory, place(name))
    do throws(SystemError) {
      try retrying("mkdir", place(name)) { unsafe mkdirat(descriptor.number, name, mode) }
    } catch {
      if !error.isTaken { throw error }
    }
  }

  /// The names in this directory, sorted byte by byte, without `.` and `..`.
  ///
  /// - Throws: EFBIG for more than `limit`, EILSEQ for a name that is no UTF-8.
  package func names(limit: Int) throws(SystemError) -> [String] {
    // A descriptor of its own: the stream takes it over, and always begins at the start.
    let number = try retrying("open", path) {
      unsafe openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    guard let stream = unsafe fdopendir(number) else {
      let code = errno
      close(number)
      throw SystemError(call: "opendir", code: code, subject: path)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { throw SystemError(call: "readdir", code: errno, subject: path) }
        break
      }
      guard let name = unsafe Self.name(of: entry) else {
        throw SystemError(call: "readdir", code: EILSEQ, subject: path)
      }
      if name == "." || name == ".." { continue }
      guard names.count < limit else {
        throw SystemError(call: "readdir", code: EFBIG, subject: path)
      }
      names.append(name)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> String? {
    guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return nil }
    let start = unsafe UnsafeRawPointer(entry).advanced(by: offset)
    return unsafe String(validatingCString: start.assumingMemoryBound(to: CChar.self))
  }

  package func status(_ name: String) throws(SystemError) -> StoreStatus {
    var status = stat()
    try retrying("stat", place(name)) {
      unsafe fstatat(descriptor.number, name, &status, AT_SYMLINK_NOFOLLOW)
    }
    return StoreStatus(status)
  }

  /// The status of the directory itself.
  package func status() throws(SystemError) -> StoreStatus {
    var status = stat()
    try retrying("stat", path) { unsafe fstat(descriptor.number, &status) }
    return StoreStatus(status)
  }

  /// Where a link points to, unresolved.
  package func target(ofLink name: String) throws(SystemError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let size = try retrying("readlink", place(name)) {
      unsafe readlinkat(descriptor.number, name, &buffer, buffer.count)
    }
    let bytes = buffer[..<size].map { UInt8(bitPattern: $0) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SystemError(call: "readlink", code: EILSEQ, subject: place(name))
    }
    return text
  }

  /// Renames within this directory: the one atomic step of a release. A directory takes the
  /// place of nothing but an empty one; anything else is `isTaken`.
  package func rename(_ name: String, to newName: String) throws(SystemError) {
    try announce(.rename, place(name), to: place(newName))
    try retrying("rename", place(name)) {
      unsafe renameat(descriptor.number, name, descriptor.number, newName)
    }
  }

  /// Removes a file or link.
  package func remove(_ name: String) throws(SystemError) {
    try announce(.remove, place(name))
    try retrying("unlink", place(name)) { unsafe unlinkat(descriptor.number, name, 0) }
  }

  /// Removes a directory and everything in it, read-only or not. What others remove at the same
  /// time is no error.
  package func removeTree(_ name: String) throws(SystemError) {
    do throws(SystemError) {
      guard try status(name).kind == .directory else { return try remove(name) }
      try emptyDirectory(name)
      try announce(.remove, place(name))
      try retrying("rmdir", place(name)) {
        unsafe unlinkat(descriptor.number, name, AT_REMOVEDIR)
      }
    } catch {
      if !error.isMissing { throw error }
    }
  }

  private func emptyDirectory(_ name: String) throws(SystemError) {
    let child = try directory(name)
    // Entries of a read-only directory cannot be removed.
    try child.setMode(0o700)
    for entry in try child.names(limit: .max) { try child.removeTree(entry) }
  }

  package func setMode(_ mode: UInt32) throws(SystemError) {
    try announce(.setMode, path)
    try retrying("chmod", path) { fchmod(descriptor.number, mode) }
  }

  /// Makes the names in this directory durable.
  package func sync() throws(SystemError) {
    try announce(.sync, path)
    try retrying("fsync", path) { fsync(descriptor.number) }
  }

  /// Opens a file of this directory.
  func open(_ name: String, flags: Int32, mode: UInt32 = 0) throws(SystemError) -> FileDescriptor {
    FileDescriptor(
      owning: try retrying("open", place(name)) {
        unsafe openat(descriptor.number, name, flags | O_NOFOLLOW | O_CLOEXEC, mode)
      })
  }

  func place(_ name: String) -> String { "\(path)/\(name)" }
}
