import Glibc

/// The directory that is being filled. Every step below it is opened without following links, so
/// that nothing an earlier entry made can redirect a later one.
struct UnpackedTree: ~Copyable {
  private let root: Int32

  init(_ path: String) throws(FetchFailure) {
    if unsafe mkdir(path, 0o755) != 0, errno != EEXIST { throw .system("mkdir", path) }
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    if descriptor < 0 { throw .system("open", path) }
    root = descriptor
  }

  deinit { close(root) }

  func makeDirectory(_ path: EntryPath) throws(FetchFailure) {
    close(try openDirectory(path.names[...], of: path))
  }

  func makeLink(_ path: EntryPath, to target: String) throws(FetchFailure) {
    try path.checkLink(to: target)
    try inParent(of: path) { parent, name in
      unsafe symlinkat(target, parent, name)
    }
  }

  /// A second name for a file that was unpacked before.
  func makeHardLink(_ path: EntryPath, to original: EntryPath) throws(FetchFailure) {
    guard let originalName = original.names.last else {
      throw FetchFailure(.unsafe, "the hard link \(path.text) points to the tree itself")
    }
    let source = try openDirectory(original.names.dropLast(), of: original)
    defer { close(source) }
    var status = stat()
    guard unsafe fstatat(source, originalName, &status, AT_SYMLINK_NOFOLLOW) == 0,
      status.st_mode & S_IFMT == S_IFREG
    else {
      throw FetchFailure(
        .unsafe, "the hard link \(path.text) points to \(original.text), which is no file before it"
      )
    }
    try inParent(of: path) { parent, name in
      unsafe linkat(source, originalName, parent, name, 0)
    }
  }

  /// A new file, open for writing; the caller closes it. Nothing is kept of the archive's mode
  /// but whether the file is a program: no setuid, setgid or sticky bit, no private files that
  /// other nodes could not verify.
  func makeFile(_ path: EntryPath, isProgram: Bool) throws(FetchFailure) -> Int32 {
    var file: Int32 = -1
    let mode: mode_t = isProgram ? 0o755 : 0o644
    try inParent(of: path) { parent, name in
      file = unsafe openat(
        parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
      return file
    }
    return file
  }

  private func inParent(
    of path: EntryPath, _ body: (_ parent: Int32, _ name: String) -> Int32
  ) throws(FetchFailure) {
    guard let name = path.names.last else {
      throw FetchFailure(.unsafe, "an entry replaces the tree itself")
    }
    let parent = try openDirectory(path.names.dropLast(), of: path)
    defer { close(parent) }
    if body(parent, name) >= 0 { return }
    if errno == EEXIST {
      throw FetchFailure(.unsafe, "the path \(path.text) appears twice")
    }
    throw .system("create", path.text)
  }

  /// Opens a directory of the tree, making what is missing; the caller closes it.
  private func openDirectory(
    _ names: ArraySlice<String>, of path: EntryPath
  ) throws(FetchFailure) -> Int32 {
    var directory = dup(root)
    if directory < 0 { throw .system("dup", path.text) }
    for name in names {
      let current = directory
      defer { close(current) }
      if unsafe mkdirat(current, name, 0o755) != 0, errno != EEXIST {
        throw .system("mkdir", path.text)
      }
      let next = unsafe openat(
        current, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      if next < 0 {
        guard errno == ENOTDIR || errno == ELOOP else { throw .system("open", path.text) }
        throw FetchFailure(
          .unsafe, "the path \(path.text) leads through \(name), which is no directory")
      }
      directory = next
    }
    return directory
  }
}
