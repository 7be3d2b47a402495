import Glibc

/// Files of the release store: whole reads and writes of small ones, digests of large ones.
extension StoreDirectory {
  /// Reads a small file afresh.
  ///
  /// - Throws: EFBIG when it has more than `limit` bytes.
  package func read(_ name: String, limit: Int) throws(SystemError) -> [UInt8] {
    // Without O_NONBLOCK a pipe of that name would hold us for ever.
    let file = try open(name, flags: O_RDONLY | O_NONBLOCK)
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try retrying("read", place(name)) {
        unsafe Glibc.read(file.number, &buffer, buffer.count)
      }
      if count == 0 { return content }
      guard content.count + count <= limit else {
        throw SystemError(call: "read", code: EFBIG, subject: place(name))
      }
      content += buffer[..<count]
    }
  }

  /// A part of a file, shorter than `count` at its end only.
  package func piece(
    _ name: String, from offset: UInt64, count: Int
  ) throws(SystemError) -> [UInt8] {
    let file = try open(name, flags: O_RDONLY | O_NONBLOCK)
    var content = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let read = try retrying("read", place(name)) {
        unsafe content.withUnsafeMutableBytes { buffer in
          unsafe pread(
            file.number, buffer.baseAddress?.advanced(by: filled), count - filled,
            off_t(clamping: offset) + off_t(filled))
        }
      }
      if read == 0 { break }
      filled += read
    }
    content.removeLast(count - filled)
    return content
  }

  /// Writes a new file and makes its content durable; its name is durable after `sync()`.
  ///
  /// - Throws: `isTaken` when the name exists; after any other error the file may be incomplete.
  package func create(
    _ name: String, content: [UInt8], mode: UInt32
  ) throws(SystemError) {
    try announce(.create, place(name))
    let file = try open(name, flags: O_WRONLY | O_CREAT | O_EXCL, mode: mode)
    var rest = content[...]
    while !rest.isEmpty {
      try announce(.write, place(name))
      let count = try retrying("write", place(name)) {
        unsafe rest.withUnsafeBytes { unsafe write(file.number, $0.baseAddress, $0.count) }
      }
      rest = rest.dropFirst(count)
    }
    try announce(.setMode, place(name))
    try retrying("chmod", place(name)) { fchmod(file.number, mode) }
    try announce(.sync, place(name))
    try retrying("fsync", place(name)) { fsync(file.number) }
  }

  /// The SHA-256 of a file and the number of bytes that went into it.
  ///
  /// - Parameter isCancelled: asked once a megabyte.
  /// - Throws: ECANCELED when asked to stop.
  package func digest(
    _ name: String, isCancelled: () -> Bool
  ) throws(SystemError) -> (digest: [UInt8], size: UInt64) {
    let file = try open(name, flags: O_RDONLY | O_NONBLOCK)
    return try digest(of: file.number, name, isCancelled: isCancelled)
  }

  /// Gives a file its final mode, makes it durable and returns its digest, in one opening.
  package func seal(
    _ name: String, mode: UInt32, isCancelled: () -> Bool
  ) throws(SystemError) -> (digest: [UInt8], size: UInt64) {
    let file = try open(name, flags: O_RDONLY | O_NONBLOCK)
    try announce(.setMode, place(name))
    try retrying("chmod", place(name)) { fchmod(file.number, mode) }
    let result = try digest(of: file.number, name, isCancelled: isCancelled)
    try announce(.sync, place(name))
    try retrying("fsync", place(name)) { fsync(file.number) }
    return result
  }

  private func digest(
    of file: Int32, _ name: String, isCancelled: () -> Bool
  ) throws(SystemError) -> (digest: [UInt8], size: UInt64) {
    var status = stat()
    try retrying("stat", place(name)) { unsafe fstat(file, &status) }
    posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL)
    var hash = StoreHash()
    var size: UInt64 = 0
    // One byte more than expected: a file of that size is then read in one call and a second
    // that finds its end.
    var buffer = [UInt8](repeating: 0, count: max(1, min(1 << 20, Int(status.st_size) + 1)))
    while true {
      if isCancelled() { throw SystemError(call: "read", code: ECANCELED, subject: place(name)) }
      let count = try retrying("read", place(name)) {
        unsafe Glibc.read(file, &buffer, buffer.count)
      }
      if count == 0 { return (hash.value, size) }
      hash.add(buffer, count: count)
      size += UInt64(count)
    }
  }
}
