import CMicrohttpd
import Glibc

/// A listening socket: on a path only this user can reach, or on a TCP address.
package struct HttpListener: ~Copyable {
  let socket: FileDescriptor
  /// Who may connect; `nil` on TCP, where the kernel does not say who the peer is.
  let allowedUser: UInt32?
  /// Removed when the listener goes, if it is still the socket that was bound.
  private let path: String?
  private let inode: UInt
  /// The port that was bound, also when 0 was asked for; 0 for a Unix socket.
  package let port: UInt16

  private init(
    socket: consuming FileDescriptor, allowedUser: UInt32?, path: String?, port: UInt16
  ) {
    self.socket = socket
    self.allowedUser = allowedUser
    self.path = path
    self.port = port
    inode = path.flatMap(Self.inode) ?? 0
  }

  /// Listens on a Unix socket of mode 0600. A socket that a dead process left is replaced.
  ///
  /// - Throws: `HttpError.addressInUse`, `.notASocket` or `.cannotListen`; nothing was changed.
  package static func unix(_ path: String) throws(HttpError) -> HttpListener {
    guard var address = UnixAddress(path) else {
      throw .cannotListen(
        path, reason: "a socket's path has 1 to 107 bytes; choose a shorter one")
    }
    try removeStaleSocket(path)
    do throws(SystemError) {
      let socket = try open(AF_UNIX)
      // Linux takes the mode of a bound socket from the unbound one: no moment of wider access.
      try retrying("fchmod") { fchmod(socket.number, 0o600) }
      try retrying("bind", path) {
        unsafe address.withPointer { unsafe bind(socket.number, $0, $1) }
      }
      try retrying("listen", path) { listen(socket.number, 128) }
      return HttpListener(socket: socket, allowedUser: geteuid(), path: path, port: 0)
    } catch {
      throw error.code == EADDRINUSE
        ? .addressInUse(path) : .cannotListen(path, reason: error.reason)
    }
  }

  /// Listens on a TCP address; port 0 lets the kernel choose.
  ///
  /// - Parameter host: a numeric IPv4 or IPv6 address, without brackets.
  /// - Throws: `HttpError.addressInUse` or `.cannotListen`; nothing was changed.
  package static func tcp(host: String, port: UInt16) throws(HttpError) -> HttpListener {
    let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    guard var address = InternetAddress(host: host, port: port) else {
      throw .cannotListen(shown, reason: "this is not a numeric IP address")
    }
    do throws(SystemError) {
      let socket = try open(address.family)
      var yes: Int32 = 1
      try retrying("setsockopt") {
        unsafe setsockopt(socket.number, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
      }
      try retrying("bind", shown) {
        unsafe address.withPointer { unsafe bind(socket.number, $0, $1) }
      }
      try retrying("listen", shown) { listen(socket.number, 128) }
      let bound = try address.boundPort(of: socket.number)
      return HttpListener(socket: socket, allowedUser: nil, path: nil, port: bound)
    } catch {
      throw error.code == EADDRINUSE
        ? .addressInUse(shown) : .cannotListen(shown, reason: error.reason)
    }
  }

  /// Whether the process behind a connection may speak: this user or root. The mode of the socket
  /// says the same; this holds also where a directory was copied or a mode changed.
  func allows(_ connection: Int32) -> Bool {
    guard let allowedUser else { return true }
    // struct ucred: process, user, group.
    var credentials: [UInt32] = [0, 0, 0]
    var length = socklen_t(12)
    let result = unsafe getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
    guard result == 0, length == 12 else { return false }
    return credentials[1] == allowedUser || credentials[1] == 0
  }

  private static func open(_ family: Int32) throws(SystemError) -> FileDescriptor {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    return FileDescriptor(owning: try retrying("socket") { Glibc.socket(family, kind, 0) })
  }

  /// Removes a socket on which nobody listens; anything else stays and is an error.
  private static func removeStaleSocket(_ path: String) throws(HttpError) {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(path) }
    guard var address = UnixAddress(path) else { return }
    do throws(SystemError) {
      let probe = try open(AF_UNIX)
      try retrying("connect", path) {
        unsafe address.withPointer { unsafe connect(probe.number, $0, $1) }
      }
    } catch {
      guard error.code == ECONNREFUSED else {
        throw .cannotListen(path, reason: error.reason)
      }
      _ = unsafe unlink(path)
      return
    }
    throw .addressInUse(path)
  }

  private static func inode(of path: String) -> UInt? {
    var status = stat()
    return unsafe lstat(path, &status) == 0 ? status.st_ino : nil
  }

  deinit {
    if let path, Self.inode(of: path) == inode { _ = unsafe unlink(path) }
  }
}

/// A path in the shape that the kernel wants.
struct UnixAddress {
  private var raw = sockaddr_un()

  /// `nil` when the path is empty, too long or holds a NUL.
  init?(_ path: String) {
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: raw.sun_path)
    guard !bytes.isEmpty, bytes.count < room, !bytes.contains(0) else { return nil }
    raw.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &raw.sun_path) { unsafe $0.copyBytes(from: bytes) }
  }

  mutating func withPointer(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    let length = socklen_t(MemoryLayout<sockaddr_un>.size)
    return unsafe withUnsafePointer(to: &raw) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }
}

/// A numeric IP address and port in the shape that the kernel wants.
struct InternetAddress {
  private var v4 = sockaddr_in()
  private var v6 = sockaddr_in6()
  let family: Int32

  /// `nil` when `host` is not numeric.
  init?(host: String, port: UInt16) {
    if unsafe inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
      family = AF_INET
      v4.sin_family = sa_family_t(AF_INET)
      v4.sin_port = port.bigEndian
    } else if unsafe inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
      family = AF_INET6
      v6.sin6_family = sa_family_t(AF_INET6)
      v6.sin6_port = port.bigEndian
    } else {
      return nil
    }
  }

  mutating func withPointer(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    if family == AF_INET {
      let length = socklen_t(MemoryLayout<sockaddr_in>.size)
      return unsafe withUnsafePointer(to: &v4) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
      }
    }
    let length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    return unsafe withUnsafePointer(to: &v6) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }

  /// The port is at the same place in both families.
  func boundPort(of socket: Int32) throws(SystemError) -> UInt16 {
    var bound = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    try retrying("getsockname") {
      unsafe withUnsafeMutablePointer(to: &bound) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe getsockname(socket, $0, &length)
        }
      }
    }
    return UInt16(bigEndian: bound.sin6_port)
  }
}
