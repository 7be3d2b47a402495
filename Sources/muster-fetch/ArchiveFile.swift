import Glibc

/// The archive on disk and the checksum of all of it: what is hashed is what was written.
struct ArchiveFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private(set) var size: UInt64 = 0
  private var checksum = Checksum()

  /// Opens or creates the file, and reads what an earlier run left there.
  init(_ path: String, limit: UInt64) throws(FetchFailure) {
    self.path = path
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    if descriptor < 0 { throw .system("open", path) }
    do throws(FetchFailure) {
      var status = stat()
      if unsafe fstat(descriptor, &status) != 0 { throw .system("stat", path) }
      guard (status.st_mode & S_IFMT) == S_IFREG else {
        throw FetchFailure(.usage, "--archive \(path) is no regular file; name another")
      }
      if UInt64(status.st_size) > limit { try empty() } else { try readExisting() }
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  var digest: [UInt8] { checksum.value }

  mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FetchFailure) {
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let count = unsafe write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path)
      }
      // Each piece counts as soon as it is written, so that size and checksum always agree
      // with the file.
      unsafe checksum.add(UnsafeRawBufferPointer(rebasing: rest[..<count]))
      size += UInt64(count)
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Forgets everything that was fetched.
  mutating func empty() throws(FetchFailure) {
    if ftruncate(descriptor, 0) != 0 { throw .system("truncate", path) }
    if lseek(descriptor, 0, SEEK_SET) != 0 { throw .system("seek", path) }
    size = 0
    checksum = Checksum()
  }

  func remove() { _ = unsafe unlink(path) }

  private mutating func readExisting() throws(FetchFailure) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = unsafe read(descriptor, &buffer, buffer.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("read", path)
      }
      unsafe buffer.withUnsafeBytes {
        unsafe checksum.add(UnsafeRawBufferPointer(rebasing: $0[..<count]))
      }
      size += UInt64(count)
    }
  }
}
