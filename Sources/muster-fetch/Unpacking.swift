import CArchive
import Glibc

/// Unpacks a checked archive: tar or zip, plain or compressed with gzip, xz, zstd or bzip2.
///
/// The archive's layout is kept exactly. Nothing is synced: whoever publishes the tree does that.
struct Unpacking {
  struct Contents {
    /// Files and links.
    var files = 0
    var bytes: UInt64 = 0
  }

  private let request: FetchRequest
  private var contents = Contents()
  private var entries = 0

  init(_ request: FetchRequest) { self.request = request }

  mutating func run() throws(FetchFailure) -> Contents {
    guard let archive = unsafe archive_read_new() else {
      throw FetchFailure(.archive, "libarchive cannot start: out of memory")
    }
    defer { _ = unsafe archive_read_free(archive) }
    try unsafe open(archive)
    let tree = try UnpackedTree(request.directory)
    var entry: OpaquePointer?
    while true {
      let code = unsafe archive_read_next_header(archive, &entry)
      if code == ARCHIVE_EOF { break }
      guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry = unsafe entry else {
        throw unsafe unreadable(archive)
      }
      entries += 1
      guard entries <= request.maxEntries else {
        throw FetchFailure(.limit, "the archive has more than \(request.maxEntries) entries")
      }
      try unsafe unpack(entry, of: archive, into: tree)
    }
    guard entries > 0 else {
      throw FetchFailure(.archive, "\(request.shownURL) is an empty archive")
    }
    return contents
  }

  private func open(_ archive: OpaquePointer) throws(FetchFailure) {
    let codes = unsafe [
      archive_read_support_format_tar(archive), archive_read_support_format_zip(archive),
      archive_read_support_filter_gzip(archive), archive_read_support_filter_xz(archive),
      archive_read_support_filter_zstd(archive), archive_read_support_filter_bzip2(archive),
    ]
    // A warning would mean that an external program unpacks.
    guard codes.allSatisfy({ $0 == ARCHIVE_OK }) else {
      throw FetchFailure(.archive, "this libarchive lacks tar, zip, gzip, xz, zstd or bzip2")
    }
    let code = unsafe archive_read_open_filename(archive, request.archive, 1 << 20)
    guard code == ARCHIVE_OK else { throw unsafe unreadable(archive) }
  }

  private mutating func unpack(
    _ entry: OpaquePointer, of archive: OpaquePointer, into tree: borrowing UnpackedTree
  ) throws(FetchFailure) {
    guard let name = unsafe text(archive_entry_pathname(entry)) else {
      throw FetchFailure(.unsafe, "the path of entry \(entries) is no UTF-8 text")
    }
    let path = try EntryPath(name)
    if let original = unsafe archive_entry_hardlink(entry) {
      guard let name = unsafe text(original) else {
        throw FetchFailure(.unsafe, "the target of the hard link \(path.text) is no UTF-8 text")
      }
      try tree.makeHardLink(path, to: try EntryPath(name))
      contents.files += 1
      return
    }
    let type = unsafe archive_entry_filetype(entry)
    switch type & S_IFMT {
    case S_IFDIR:
      try tree.makeDirectory(path)
    case S_IFLNK:
      guard let target = unsafe text(archive_entry_symlink(entry)) else {
        throw FetchFailure(.unsafe, "the target of the link \(path.text) is no UTF-8 text")
      }
      try tree.makeLink(path, to: target)
      contents.files += 1
    case S_IFREG:
      let isProgram = unsafe archive_entry_perm(entry) & 0o111 != 0
      let file = try tree.makeFile(path, isProgram: isProgram)
      defer { close(file) }
      try unsafe copy(entry, of: archive, to: file, path)
      contents.files += 1
    default:
      throw FetchFailure(
        .unsafe,
        "\(path.text) is a device, pipe or socket; only files, directories and links are unpacked")
    }
  }

  private mutating func copy(
    _ entry: OpaquePointer, of archive: OpaquePointer, to file: Int32, _ path: EntryPath
  ) throws(FetchFailure) {
    let before = contents.bytes
    let stated = unsafe archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0
    guard stated >= 0 else { throw unsafe unreadable(archive) }
    try account(before: before, size: UInt64(stated), path)
    var end: UInt64 = 0
    var block: UnsafeRawPointer?
    var size = 0
    var offset: la_int64_t = 0
    while true {
      let code = unsafe archive_read_data_block(archive, &block, &size, &offset)
      if code == ARCHIVE_EOF { break }
      guard code == ARCHIVE_OK, offset >= 0, let start = unsafe block else {
        if code == ARCHIVE_OK, size == 0 { continue }
        throw unsafe unreadable(archive)
      }
      end = max(end, UInt64(offset) + UInt64(size))
      try account(before: before, size: max(end, UInt64(stated)), path)
      let bytes = unsafe UnsafeRawBufferPointer(start: start, count: size)
      try unsafe write(bytes, at: Int64(offset), to: file, path)
    }
    // The end of a sparse file is a hole.
    if UInt64(stated) > end, ftruncate(file, Int(stated)) != 0 {
      throw .system("truncate", path.text)
    }
  }

  private mutating func account(
    before: UInt64, size: UInt64, _ path: EntryPath
  ) throws(FetchFailure) {
    let (sum, overflows) = before.addingReportingOverflow(size)
    guard !overflows, sum <= request.maxUnpacked else {
      throw FetchFailure(
        .limit, "\(path.text): the archive unpacks to more than \(request.maxUnpacked) bytes")
    }
    contents.bytes = sum
  }

  private func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int64, to file: Int32, _ path: EntryPath
  ) throws(FetchFailure) {
    var written = 0
    while written < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
      let count = unsafe pwrite(file, rest.baseAddress, rest.count, Int(offset) + written)
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("write", path.text)
      }
      written += count
    }
  }

  private func unreadable(_ archive: OpaquePointer) -> FetchFailure {
    let reason = unsafe text(archive_error_string(archive)) ?? "damaged"
    return FetchFailure(
      .archive,
      "\(request.shownURL) is no archive that can be unpacked (tar, zip; gz, xz, zst, bz2): "
        + reason)
  }

  private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
    guard let pointer = unsafe pointer else { return nil }
    return unsafe String(validatingCString: pointer)
  }
}
