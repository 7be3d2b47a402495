import CLinux
import Glibc

/// One non-blocking UDP socket, closed when its owner goes.
package struct DatagramSocket: ~Copyable {
  /// The longest datagram that is received whole; of a longer one, so many bytes arrive.
  package static let capacity = 1_500

  /// How many datagrams one call takes or gives.
  package static let batch = Int(MUSTER_BATCH)

  /// What the kernel is asked for: a pause of the process must not lose what came meanwhile.
  static let bufferBytes: Int32 = 4 << 20

  private let descriptor: FileDescriptor
  private let family: Int32
  /// The interface of link-local addresses and of groups; 0 when none was named.
  private let scope: UInt32
  private var buffer: [UInt8] = []

  /// For `EventLoop.watch`.
  package var number: Int32 { descriptor.number }

  private init(_ descriptor: consuming FileDescriptor, family: Int32, scope: UInt32) {
    self.descriptor = descriptor
    self.family = family
    self.scope = scope
  }

  /// Takes an address and a port for this process alone. Port 0 lets the kernel choose.
  ///
  /// - Parameters:
  ///   - interface: the name of the interface that link-local addresses belong to.
  ///   - subject: what the caller calls the address, for the error.
  /// - Throws: EADDRINUSE for a busy port, EADDRNOTAVAIL for an address of another machine,
  ///   ENODEV for an unknown interface.
  package static func bound(
    to address: SocketAddress, interface: String? = nil, subject: String = ""
  ) throws(SystemError) -> DatagramSocket {
    let made = try open(address.isV4 ? AF_INET : AF_INET6, interface)
    // One socket for both families where every address is meant.
    if !address.isV4 { try made.set("IPV6_V6ONLY", Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    try retrying("bind", subject) {
      muster_bind(made.number, made.family, address.endpoint(interface: made.scope))
    }
    return made
  }

  /// Joins `group` and receives what is sent to it; other processes of this machine may do the
  /// same.
  ///
  /// - Parameters:
  ///   - local: an address of the interface to listen on, for IPv4 without `interface`.
  ///   - interface: the name of the interface.
  /// - Throws: ENODEV when no interface has that name, or no route leads to the group.
  package static func joined(
    to group: SocketAddress, on local: SocketAddress, interface: String? = nil,
    subject: String = ""
  ) throws(SystemError) -> DatagramSocket {
    let made = try open(group.isV4 ? AF_INET : AF_INET6, interface)
    try made.set("SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1)
    // Bound to the group itself, so that other groups on the same port stay away.
    try retrying("bind", subject) {
      muster_bind(made.number, made.family, group.endpoint(interface: made.scope))
    }
    try retrying("join", subject) {
      muster_join_group(
        made.number, group.endpoint(interface: 0), local.endpoint(interface: 0), made.scope)
    }
    return made
  }

  private static func open(
    _ family: Int32, _ interface: String?
  ) throws(SystemError) -> DatagramSocket {
    let scope = try interfaceIndex(interface)
    let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let number = try retrying("socket") { socket(family, Int32(kind), 0) }
    let made = DatagramSocket(FileDescriptor(owning: number), family: family, scope: scope)
    try made.raiseBuffers()
    return made
  }

  /// Sends to groups of the family of `group` through the interface of `local` or of this
  /// socket's name, with one hop, and to the other sockets of this machine, too.
  package func sendGroups(
    like group: SocketAddress, through local: SocketAddress, subject: String = ""
  ) throws(SystemError) {
    try retrying("choose interface", subject) {
      muster_send_groups_through(
        descriptor.number, group.endpoint(interface: 0), local.endpoint(interface: 0), scope)
    }
  }

  /// Where this socket is bound, with the port that the kernel chose.
  package func localAddress() throws(SystemError) -> SocketAddress {
    var endpoint = muster_endpoint()
    try retrying("getsockname") { unsafe muster_getsockname(descriptor.number, &endpoint) }
    return SocketAddress(endpoint)
  }

  /// Up to `batch` datagrams with their senders, in the order of arrival: all that wait, when they
  /// are fewer.
  package mutating func receiveWaiting() throws(SystemError) -> [(
    bytes: [UInt8], from: SocketAddress
  )] {
    let count = Self.batch
    if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.capacity * count) }
    var lengths = [UInt32](repeating: 0, count: count)
    var endpoints = [muster_endpoint](repeating: muster_endpoint(), count: count)
    let number = descriptor.number
    let received: Int32
    do throws(SystemError) {
      received = try retrying("recvmmsg") {
        unsafe muster_receive_batch(
          number, &buffer, UInt32(Self.capacity), &lengths, &endpoints, UInt32(count))
      }
    } catch {
      if error.code == EAGAIN { return [] }
      throw error
    }
    return (0..<Int(received)).map { index in
      let start = index * Self.capacity
      return (
        Array(buffer[start..<start + Int(lengths[index])]), SocketAddress(endpoints[index])
      )
    }
  }

  /// The next datagram with its sender, or `nil` when none is waiting (would block).
  package mutating func receive() throws(SystemError) -> (bytes: [UInt8], from: SocketAddress)? {
    if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: Self.capacity * Self.batch) }
    var endpoint = muster_endpoint()
    let number = descriptor.number
    let count: Int
    do throws(SystemError) {
      count = try retrying("recvfrom") {
        unsafe muster_recvfrom(number, &buffer, Self.capacity, &endpoint)
      }
    } catch {
      if error.code == EAGAIN { return nil }
      throw error
    }
    return (Array(buffer[..<count]), SocketAddress(endpoint))
  }

  /// Sends one datagram; `false` when the kernel has no room for it now (would block).
  ///
  /// - Throws: ENETUNREACH, EPERM and the like: the network's or the firewall's answer.
  package func send(_ bytes: [UInt8], to address: SocketAddress) throws(SystemError) -> Bool {
    let endpoint = address.endpoint(interface: scope)
    do throws(SystemError) {
      try retrying("sendto") {
        unsafe muster_sendto(descriptor.number, family, bytes, bytes.count, endpoint)
      }
      return true
    } catch {
      if error.code == EAGAIN || error.code == ENOBUFS { return false }
      throw error
    }
  }

  /// Sends the first of `datagrams`, up to `batch`, in one call.
  ///
  /// - Returns: how many were sent; 0 when the kernel has no room now (would block).
  /// - Throws: the answer of the network to the first one; nothing was sent.
  package func send(
    _ datagrams: ArraySlice<(bytes: [UInt8], to: SocketAddress)>
  ) throws(SystemError) -> Int {
    let chosen = datagrams.prefix(Self.batch)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(chosen.reduce(0) { $0 + $1.bytes.count })
    for datagram in chosen { bytes.append(contentsOf: datagram.bytes) }
    let lengths = chosen.map { UInt32($0.bytes.count) }
    let endpoints = chosen.map { $0.to.endpoint(interface: scope) }
    do throws(SystemError) {
      return Int(
        try retrying("sendmmsg") {
          unsafe muster_send_batch(
            descriptor.number, family, bytes, lengths, endpoints, UInt32(endpoints.count))
        })
    } catch {
      if error.code == EAGAIN || error.code == ENOBUFS { return 0 }
      throw error
    }
  }

  /// As much as the kernel allows (net.core.rmem_max), and more where this process may.
  private func raiseBuffers() throws(SystemError) {
    for (name, forced) in [(SO_RCVBUF, SO_RCVBUFFORCE), (SO_SNDBUF, SO_SNDBUFFORCE)] {
      do throws(SystemError) {
        try set("buffer", SOL_SOCKET, forced, Self.bufferBytes)
      } catch {
        try set("buffer", SOL_SOCKET, name, Self.bufferBytes)
      }
    }
  }

  private func set(
    _ call: String, _ level: Int32, _ option: Int32, _ value: Int32
  ) throws(SystemError) {
    var value = value
    try retrying(call) {
      unsafe setsockopt(
        descriptor.number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }
}

/// The kernel's number of a network interface; 0 when none is named.
private func interfaceIndex(_ name: String?) throws(SystemError) -> UInt32 {
  guard let name else { return 0 }
  let index = unsafe if_nametoindex(name)
  if index == 0 { throw SystemError(call: "interface", code: ENODEV, subject: name) }
  return index
}
