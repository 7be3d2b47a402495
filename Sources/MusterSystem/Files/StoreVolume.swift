import Glibc

/// The filesystem that holds a path: what kind it is and what room is left.
package struct StoreVolume: Hashable, Sendable {
  /// As the kernel names it: `nfs4`, `ceph`, `fuse.juicefs`, `ext4`; empty when unknown.
  package var type: String
  /// Where it is mounted; empty when unknown.
  package var mountPoint: String
  /// Differs between filesystems; whether it is equal on two nodes depends on the type.
  package var identifier: UInt64
  /// Bytes that this process may still write.
  package var freeBytes: UInt64
  package var totalBytes: UInt64
  /// Files that can still be made; `nil` where the filesystem does not count them.
  package var freeFiles: UInt64?
  package var isReadOnly: Bool

  /// What stays the same while one filesystem is mounted at one place, and differs when another
  /// is, or none.
  package struct Identity: Hashable, Sendable {
    package let type: String
    package let mountPoint: String
    package let identifier: UInt64

    package init(type: String, mountPoint: String, identifier: UInt64) {
      self.type = type
      self.mountPoint = mountPoint
      self.identifier = identifier
    }

    /// Whether this is what lies beneath when `other` is not mounted any more. A mount that came
    /// on top, or took the place of another, is no loss.
    package func isBeneath(_ other: Identity) -> Bool {
      mountPoint.utf8.count < other.mountPoint.utf8.count
    }
  }

  package var identity: Identity {
    Identity(type: type, mountPoint: mountPoint, identifier: identifier)
  }

  /// Asks the filesystem at `path`. Blocks for as long as an absent server takes.
  package init(at path: String) throws(SystemError) {
    var status = statvfs()
    try retrying("statvfs", path) { unsafe statvfs(path, &status) }
    identifier = UInt64(status.f_fsid)
    freeBytes = UInt64(status.f_bavail) * UInt64(status.f_frsize)
    totalBytes = UInt64(status.f_blocks) * UInt64(status.f_frsize)
    freeFiles = status.f_files == 0 ? nil : UInt64(status.f_favail)
    isReadOnly = status.f_flag & UInt(ST_RDONLY) != 0
    (type, mountPoint) = Self.mount(of: path)
  }

  /// The mount whose point is the longest beginning of the real path: proc(5), mountinfo.
  private static func mount(of path: String) -> (type: String, point: String) {
    guard let real = unsafe realpath(path, nil) else { return ("", "") }
    defer { unsafe free(real) }
    let place = unsafe String(cString: real)
    guard let table = try? StoreDirectory.open("/proc/self").read("mountinfo", limit: 8 << 20)
    else { return ("", "") }
    var best = (type: "", point: "")
    for line in table.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "))
      guard fields.count > 5, let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }),
        dash + 1 < fields.count
      else { continue }
      let point = unescaped(fields[4])
      let isAbove = point == "/" || place == point || place.utf8.starts(with: "\(point)/".utf8)
      // Of two mounts on one point the later hides the earlier.
      if isAbove, point.utf8.count >= best.point.utf8.count {
        best = (String(decoding: fields[dash + 1], as: UTF8.self), point)
      }
    }
    return best
  }

  /// The kernel writes spaces, tabs, line ends and backslashes as three octal digits.
  private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
