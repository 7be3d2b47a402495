import Glibc

/// Whether an archive and what it unpacks to fit, with a tenth to spare.
enum Space {
  /// - Parameters:
  ///   - archiveBytes: what is still to come.
  ///   - isComplete: the archive is here; its size says what it unpacks to at the least.
  static func check(
    _ request: FetchRequest, archiveBytes: UInt64, isComplete: Bool = false
  ) throws(FetchFailure) {
    // The file is there by now; the directory beside it may be made later.
    let free = try freeBytes(at: request.archive)
    var smallest = archiveBytes
    if isComplete {
      var status = stat()
      guard unsafe stat(request.archive, &status) == 0 else {
        throw .system("stat", request.archive)
      }
      smallest = UInt64(status.st_size)
    }
    let unpacked = max(request.unpackedBytes, smallest)
    let (sum, overflows) = archiveBytes.addingReportingOverflow(unpacked)
    let (needed, overflowsToo) = sum.addingReportingOverflow(sum / 10)
    guard !overflows, !overflowsToo, needed <= free else {
      throw FetchFailure(
        .space,
        "\(request.shownURL) needs \(needed >> 20) MiB (archive \(archiveBytes >> 20), unpacked at "
          + "least \(unpacked >> 20), and a tenth), and \(free >> 20) MiB are free: remove old "
          + "releases with 'muster release gc', or make room")
    }
  }

  /// Whether so many bytes fit beside what is in a directory, with a tenth to spare.
  static func check(_ bytes: UInt64, in directory: String) throws(FetchFailure) {
    let free = try freeBytes(at: directory)
    let (needed, overflows) = bytes.addingReportingOverflow(bytes / 10)
    guard !overflows, needed <= free else {
      throw FetchFailure(
        .space,
        "the release has \(bytes >> 20) MiB, and \(free >> 20) MiB are free: remove old releases "
          + "with 'muster release gc', or make room")
    }
  }

  private static func freeBytes(at path: String) throws(FetchFailure) -> UInt64 {
    var volume = statvfs()
    guard unsafe statvfs(path, &volume) == 0 else { throw .system("statvfs", path) }
    return UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
  }
}
