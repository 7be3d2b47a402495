import Glibc

/// What a name of the store is, without following a link.
package struct StoreStatus: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case file, directory, link
    /// A device, pipe or socket: nothing that belongs there.
    case other
  }

  package let kind: Kind
  /// The twelve lower bits: permissions, setuid, setgid and sticky.
  package let mode: UInt32
  package let size: UInt64
  /// Seconds since 1970 by the filesystem's own clock, which need not be this machine's.
  package let modified: Int64

  init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .file
      case S_IFDIR: .directory
      case S_IFLNK: .link
      default: .other
      }
    mode = status.st_mode & 0o7777
    size = UInt64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec)
  }
}

extension SystemError {
  /// Nothing has this name.
  package var isMissing: Bool { code == ENOENT }
  /// Something, or something that is not empty, has this name already.
  package var isTaken: Bool { code == EEXIST || code == ENOTEMPTY }
  package var isReadOnly: Bool { code == EROFS }
  package var isDenied: Bool { code == EACCES || code == EPERM }
  package var isFull: Bool { code == ENOSPC || code == EDQUOT }
  package var isCancelled: Bool { code == ECANCELED }
  /// A link, or no directory, where a directory was expected.
  package var isNotDirectory: Bool { code == ENOTDIR || code == ELOOP }
  /// More was there than the caller allows.
  package var isTooLarge: Bool { code == EFBIG }
  /// The filesystem, or the way to its server, does not answer.
  package var isLost: Bool {
    [ESTALE, EIO, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ENODEV, ENXIO].contains(code)
  }
}

extension SystemError {
  /// What was written does not read back.
  package static func unreadable(_ subject: String) -> SystemError {
    SystemError(call: "read", code: EIO, subject: subject)
  }
}
