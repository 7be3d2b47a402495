import Glibc

/// Whether an archive and what it unpacks to fit, with a tenth to spare.
enum Space {
  /// - Parameters:
  ///   - archiveBytes: what is still to come.
  ///   - isComplete: the archive is here; its size says what it unpacks to at the least.
  static func check(
    _ request: FetchRequest, archiveBytes: UInt64, isComplete: Bool = false
  ) throws(FetchFailure) {
    var volume = statvfs()
    // The file is there by now; the directory beside it may be made later.
    guard unsafe statvfs(request.archive, &volume) == 0 else {
      throw .system("statvfs", request.archive)
    }
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
    let free = UInt64(volume.f_bavail) * UInt64(volume.f_frsize)
    guard !overflows, !overflowsToo, needed <= free else {
      throw FetchFailure(
        .space,
        "\(request.shownURL) needs \(needed >> 20) MiB (archive \(archiveBytes >> 20), unpacked at "
          + "least \(unpacked >> 20), and a tenth), and \(free >> 20) MiB are free: remove old "
          + "releases with 'muster release gc', or make room")
    }
  }
}
