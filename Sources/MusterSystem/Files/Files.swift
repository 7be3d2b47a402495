import Glibc

/// Small files of a node's own disk, read and written whole. Every function blocks.
package enum Files {
  /// The whole content; `nil` when nothing has that name.
  ///
  /// - Throws: EFBIG when it has more than `limit` bytes; EISDIR for a directory.
  package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
    let number: Int32
    do throws(SystemError) {
      // Without O_NONBLOCK a pipe of that name would hold us for ever.
      number = try retrying("open", path) {
        unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      }
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    let file = FileDescriptor(owning: number)
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = try retrying("read", path) {
        unsafe Glibc.read(file.number, &buffer, buffer.count)
      }
      if count == 0 { return content }
      guard content.count + count <= limit else {
        throw SystemError(call: "read", code: EFBIG, subject: path)
      }
      content += buffer[..<count]
    }
  }

  /// Replaces a file in one step: written under another name, synced, renamed, the directory
  /// synced. After a crash at any point the old content or the new is there, never a mixture.
  ///
  /// Two writers of one path at a time are not allowed: the other name is always the same.
  ///
  /// - Throws: the old content is in place, unless syncing the directory failed.
  package static func replace(
    _ path: String, with content: [UInt8], mode: UInt32
  ) throws(SystemError) {
    let temporary = try writeBeside(path, content, mode)
    do throws(SystemError) {
      try retrying("rename", path) { unsafe rename(temporary, path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    try syncDirectory(of: path)
  }

  /// Makes a new file in one step, with the same promise as `replace`.
  ///
  /// - Throws: EEXIST when the name is taken: what is there is untouched.
  package static func create(
    _ path: String, content: [UInt8], mode: UInt32
  ) throws(SystemError) {
    let temporary = try writeBeside(path, content, mode)
    defer { unsafe unlink(temporary) }
    // Unlike rename, a link never replaces.
    try retrying("create", path) { unsafe link(temporary, path) }
    try syncDirectory(of: path)
  }

  /// Points a symbolic link at `target` in one step, whatever link was there before.
  ///
  /// - Throws: EISDIR or EEXIST when something else than a link has that name; it stays.
  package static func replaceLink(at path: String, to target: String) throws(SystemError) {
    if let kind = try status(of: path), kind.st_mode & S_IFMT != S_IFLNK {
      throw SystemError(call: "symlink", code: EEXIST, subject: path)
    }
    let temporary = temporaryName(path)
    unsafe unlink(temporary)
    try retrying("symlink", path) { unsafe symlink(target, temporary) }
    do throws(SystemError) {
      try retrying("rename", path) { unsafe rename(temporary, path) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
  }

  /// Removes a file or link; one that is not there is no mistake.
  package static func remove(_ path: String) throws(SystemError) {
    do throws(SystemError) {
      try retrying("unlink", path) { unsafe unlink(path) }
    } catch {
      if error.code != ENOENT { throw error }
    }
  }

  /// The permission bits of what `path` leads to; `nil` when nothing does.
  package static func mode(of path: String) throws(SystemError) -> UInt32? {
    var status = stat()
    do throws(SystemError) {
      try retrying("stat", path) { unsafe stat(path, &status) }
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    return status.st_mode & 0o7777
  }

  private static func status(of path: String) throws(SystemError) -> stat? {
    var status = stat()
    do throws(SystemError) {
      try retrying("lstat", path) { unsafe lstat(path, &status) }
    } catch {
      if error.code == ENOENT { return nil }
      throw error
    }
    return status
  }

  private static func writeBeside(
    _ path: String, _ content: [UInt8], _ mode: UInt32
  ) throws(SystemError) -> String {
    let temporary = temporaryName(path)
    // What a crash left; nobody else writes there.
    unsafe unlink(temporary)
    let file = FileDescriptor(
      owning: try retrying("create", temporary) {
        unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
      })
    do throws(SystemError) {
      try write(content, to: file.number, temporary)
      try retrying("chmod", temporary) { fchmod(file.number, mode) }
      try retrying("fsync", temporary) { fsync(file.number) }
    } catch {
      unsafe unlink(temporary)
      throw error
    }
    return temporary
  }

  private static func write(
    _ content: [UInt8], to number: Int32, _ path: String
  ) throws(SystemError) {
    var rest = content[...]
    while !rest.isEmpty {
      let count = try retrying("write", path) {
        unsafe rest.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
      }
      rest = rest.dropFirst(count)
    }
  }

  private static func temporaryName(_ path: String) -> String {
    let (directory, name) = split(path)
    return directory == "." ? ".\(name).new" : "\(directory)/.\(name).new"
  }

  /// Makes the names in the directory of `path` durable.
  static func syncDirectory(of path: String) throws(SystemError) {
    let directory = split(path).directory
    let file = FileDescriptor(
      owning: try retrying("open", directory) {
        unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      })
    try retrying("fsync", directory) { fsync(file.number) }
  }

  private static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = path[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
  }
}
