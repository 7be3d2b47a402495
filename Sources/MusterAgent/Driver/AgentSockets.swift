import MusterProtocol
import MusterState
import MusterSystem

extension Address {
  package init(_ address: SocketAddress) {
    self.init(host: Bytes16(high: address.high, low: address.low), port: address.port)
  }

  package var socketAddress: SocketAddress {
    SocketAddress(high: host.high, low: host.low, port: port)
  }
}

/// The agent's two sockets: one of its own, from which everything is sent, and one that only
/// hears the beacons of others.
///
/// Beacons leave from the first, so that their source is where the node can be reached.
package final class AgentSockets {
  /// Datagrams taken from one socket before timers and other descriptors get their turn.
  ///
  /// All of them are one turn of the peer: whoever was kept waiting by a busy machine reads what
  /// came meanwhile before it judges anybody.
  package static let batch = 512

  /// Where others reach this node.
  package let address: Address
  package let group: Address?
  /// Datagrams that the kernel had no room for or that the network refused.
  package private(set) var sendsDropped: UInt64 = 0
  private var unicast: DatagramSocket
  private var multicast: DatagramSocket?
  private let log: Log
  private var lastRefusal: Int32 = 0
  private var outgoing: [(bytes: [UInt8], to: SocketAddress)] = []

  private init(
    unicast: consuming DatagramSocket, multicast: consuming DatagramSocket?, address: Address,
    group: Address?, log: Log
  ) {
    self.unicast = unicast
    self.multicast = multicast
    self.address = address
    self.group = group
    self.log = log
  }

  package static func open(_ options: AgentOptions, log: Log) throws(AgentError) -> AgentSockets {
    try check(options)
    let unicast = try bindUnicast(options)
    let address: Address
    do throws(SystemError) {
      let bound = Address(try unicast.localAddress())
      address = options.advertise ?? bound
    } catch {
      throw .bind(options.bind, error)
    }
    guard let group = options.multicast else {
      return AgentSockets(
        unicast: unicast, multicast: nil, address: address, group: nil, log: log)
    }
    let multicast = try joinGroup(group, options, unicast)
    return AgentSockets(
      unicast: unicast, multicast: multicast, address: address, group: group, log: log)
  }

  private static func bindUnicast(_ options: AgentOptions) throws(AgentError) -> DatagramSocket {
    do throws(SystemError) {
      return try DatagramSocket.bound(
        to: options.bind.socketAddress, interface: options.interface)
    } catch {
      throw .bind(options.bind, error)
    }
  }

  private static func joinGroup(
    _ group: Address, _ options: AgentOptions, _ unicast: borrowing DatagramSocket
  ) throws(AgentError) -> DatagramSocket {
    do throws(SystemError) {
      let local = options.bind.socketAddress
      try unicast.sendGroups(like: group.socketAddress, through: local)
      return try DatagramSocket.joined(
        to: group.socketAddress, on: local, interface: options.interface)
    } catch {
      throw .multicast(group, error)
    }
  }

  private static func check(_ options: AgentOptions) throws(AgentError) {
    if options.bind.socketAddress.isWildcard, options.advertise == nil {
      throw .option(
        "--bind \(options.bind) does not say where others reach this node: add --advertise "
          + "ADDR:PORT")
    }
    if options.bind.isMulticast {
      throw .option("--bind \(options.bind) is a multicast group: give an address of this machine")
    }
    if let address = options.advertise,
      address.port == 0 || address.isMulticast || address.socketAddress.isWildcard
    {
      throw .option("--advertise \(address) reaches nobody: give this node's own ADDR:PORT")
    }
    guard let group = options.multicast else { return }
    if !group.isMulticast || group.port == 0 {
      throw .option(
        "--multicast \(group) is no group: give one of 239.0.0.0/8 or ff15::/16 with a port, "
          + "or off")
    }
    if group.isV4 != options.bind.isV4, !options.bind.socketAddress.isWildcard || group.isV4 {
      throw .option(
        "--multicast \(group) and --bind \(options.bind) are of different families: give both "
          + "as IPv4 or both as IPv6")
    }
  }

  // MARK: Sending

  /// Sends with the next `flush`, or before it when many wait.
  package func send(_ bytes: [UInt8], to address: Address) {
    outgoing.append((bytes, address.socketAddress))
    if outgoing.count >= DatagramSocket.batch { flush() }
  }

  package func sendToGroup(_ bytes: [UInt8]) {
    if let group { send(bytes, to: group) }
  }

  /// Sends what waits, in as few calls as it takes.
  package func flush() {
    guard !outgoing.isEmpty else { return }
    var rest = outgoing[...]
    while let first = rest.first {
      var sent = 0
      do throws(SystemError) {
        sent = try unicast.send(rest)
      } catch {
        // A peer behind a broken route is tried again all the time: one line for each reason.
        if error.code != lastRefusal {
          lastRefusal = error.code
          log.warning("cannot send to \(Address(first.to)): \(error.reason)")
        }
      }
      if sent == 0 { sendsDropped += 1 }
      rest = rest.dropFirst(max(1, sent))
    }
    outgoing.removeAll(keepingCapacity: true)
  }

  // MARK: Receiving

  /// Calls `receive` with up to `batch` datagrams a turn.
  package func watch(
    on loop: EventLoop, receive: @escaping ([Datagram]) -> Void
  ) throws(SystemError) {
    try loop.watch(unicast.number) { [unowned self] in
      receive(waiting { try self.unicast.receiveWaiting() })
    }
    guard let number = multicast?.number else { return }
    try loop.watch(number) { [unowned self] in
      receive(waiting { try self.multicast?.receiveWaiting() ?? [] })
    }
  }

  package func unwatch(on loop: EventLoop) {
    loop.unwatch(unicast.number)
    if let number = multicast?.number { loop.unwatch(number) }
  }

  private func waiting(
    _ receive: () throws -> [(bytes: [UInt8], from: SocketAddress)]
  ) -> [Datagram] {
    var found: [Datagram] = []
    while found.count < Self.batch {
      do {
        let some = try receive()
        for (bytes, from) in some { found.append(Datagram(bytes, from: Address(from))) }
        if some.count < DatagramSocket.batch { break }
      } catch {
        log.warning("cannot receive: \(error)")
        break
      }
    }
    return found
  }
}
