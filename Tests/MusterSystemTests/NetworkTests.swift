import Glibc
import MusterSystem
import Testing

/// Real sockets on the loopback interface; ports are the kernel's choice.
@Suite struct NetworkTests {
  @Test func `a datagram arrives with the address it was sent from`() throws {
    let sender = try Endpoint(loopback(11))
    let receiver = try Endpoint(loopback(12))
    #expect(try receiver.receive() == nil, "nothing waits: that is a value")
    #expect(try sender.send([1, 2, 3], to: receiver.address))
    let datagram = try #require(try receiver.wait())
    #expect(datagram == Received(bytes: [1, 2, 3], from: sender.address))
    #expect(datagram.from.low & 0xff == 11)
    #expect(try receiver.receive() == nil)
  }

  @Test func `a longer datagram than the limit arrives cut to it`() throws {
    let sender = try Endpoint(loopback(13))
    let receiver = try Endpoint(loopback(14))
    let long = [UInt8](repeating: 7, count: DatagramSocket.capacity + 1)
    #expect(try sender.send(long, to: receiver.address))
    #expect(try receiver.wait()?.bytes.count == DatagramSocket.capacity)
  }

  @Test func `one call sends and one call takes many, in order and with their senders`() throws {
    var sender = try DatagramSocket.bound(to: loopback(61))
    var receiver = try DatagramSocket.bound(to: loopback(62))
    let (from, target) = (try sender.localAddress(), try receiver.localAddress())
    let count = DatagramSocket.batch + 3
    let sizes = (0..<count).map { $0 % 3 == 0 ? 0 : 400 + $0 }
    let all = sizes.map { (bytes: [UInt8](repeating: UInt8($0 & 0xff), count: $0), to: target) }
    #expect(try receiver.receiveWaiting().isEmpty)
    #expect(try sender.send(all[...]) == DatagramSocket.batch)
    #expect(try sender.send(all[DatagramSocket.batch...]) == 3)
    let first = try receiver.receiveWaiting()
    let second = try receiver.receiveWaiting()
    #expect((first + second).map(\.bytes) == all.map(\.bytes))
    #expect((first + second).allSatisfy { $0.from == from })
    #expect(first.count == DatagramSocket.batch)
    #expect(try sender.receiveWaiting().isEmpty)
  }

  @Test func `what the network refuses stops a batch where it is`() throws {
    let sender = try DatagramSocket.bound(to: loopback(63))
    let six = SocketAddress(high: 0, low: 1, port: 9)
    let here = try sender.localAddress()
    let mixed = [(bytes: [UInt8(1)], to: here), (bytes: [2], to: six), (bytes: [3], to: here)]
    #expect(try sender.send(mixed[...]) == 1)
    let error = #expect(throws: SystemError.self) { try sender.send(mixed[1...]) }
    #expect(error?.code == EAFNOSUPPORT)
    #expect(try sender.send(mixed[2...]) == 1)
  }

  @Test func `an empty datagram is a datagram`() throws {
    let sender = try Endpoint(loopback(15))
    let receiver = try Endpoint(loopback(16))
    #expect(try sender.send([], to: receiver.address))
    #expect(try receiver.wait()?.bytes == [])
  }

  @Test func `IPv6 works, and a socket of all addresses serves both families`() throws {
    let six = try Endpoint(SocketAddress(high: 0, low: 1, port: 0))
    let all = try Endpoint(SocketAddress(high: 0, low: 0, port: 0))
    let four = try Endpoint(loopback(17))
    let port = all.address.port
    #expect(try six.send([6], to: SocketAddress(high: 0, low: 1, port: port)))
    #expect(try all.wait() == Received(bytes: [6], from: six.address))
    #expect(try four.send([4], to: loopback(1, port: port)))
    #expect(try all.wait() == Received(bytes: [4], from: four.address))
    #expect(try all.send([5], to: four.address))
    #expect(try four.wait()?.bytes == [5])
  }

  @Test func `an IPv6 destination is refused by an IPv4 socket`() throws {
    let four = try Endpoint(loopback(18))
    let error = #expect(throws: SystemError.self) {
      try four.send([1], to: SocketAddress(high: 0, low: 1, port: 9))
    }
    #expect(error?.code == EAFNOSUPPORT)
  }

  @Test func `a busy port and a foreign address are told apart`() throws {
    let first = try Endpoint(loopback(19))
    let busy = #expect(throws: SystemError.self) {
      _ = try DatagramSocket.bound(to: first.address, subject: "here")
    }
    #expect(busy?.code == EADDRINUSE)
    #expect(busy?.subject == "here")
    let foreign = #expect(throws: SystemError.self) {
      // 192.0.2.1 is for documentation.
      _ = try DatagramSocket.bound(to: SocketAddress(high: 0, low: 0xffff_c000_0201, port: 0))
    }
    #expect(foreign?.code == EADDRNOTAVAIL)
  }

  @Test func `an unknown interface is named`() throws {
    let error = #expect(throws: SystemError.self) {
      _ = try DatagramSocket.bound(to: loopback(20), interface: "none0")
    }
    #expect(error?.code == ENODEV)
    #expect(error?.subject == "none0")
  }

  @Test func `the receive buffer holds what comes during a pause`() throws {
    let sender = try Endpoint(loopback(21))
    let receiver = try Endpoint(loopback(22))
    for number in 0..<120 as Range<UInt8> {
      #expect(try sender.send([UInt8](repeating: number, count: 200), to: receiver.address))
    }
    for number in 0..<120 as Range<UInt8> {
      #expect(try receiver.wait()?.bytes.first == number)
    }
  }

  @Test(arguments: [nil, "lo"])
  func `a beacon reaches everybody, from its sender's own address`(interface: String?) throws {
    // A group and port of this process's own keep other tests' beacons away.
    let group = SocketAddress(
      high: 0, low: 0xffff_ef4d_0000 | UInt64(getpid() & 0xffff),
      port: UInt16(20_000 + getpid() % 20_000))
    let sender = try Endpoint(loopback(31), interface: interface)
    try sender.sendGroups(like: group, through: loopback(31))
    let own = try Endpoint(
      owning: DatagramSocket.joined(to: group, on: loopback(31), interface: interface))
    let other = try Endpoint(
      owning: DatagramSocket.joined(to: group, on: loopback(32), interface: interface))
    #expect(try sender.send([42], to: group))
    #expect(try other.wait() == Received(bytes: [42], from: sender.address))
    #expect(try own.wait() == Received(bytes: [42], from: sender.address))
  }
}

/// 127.0.0.`last`: all of 127/8 is local.
private func loopback(_ last: UInt64, port: UInt16 = 0) -> SocketAddress {
  SocketAddress(high: 0, low: 0xffff_7f00_0000 | last, port: port)
}

private struct Received: Equatable {
  let bytes: [UInt8]
  let from: SocketAddress
}

/// A socket in a class: expectations cannot hold what has one owner.
private final class Endpoint {
  private var socket: DatagramSocket
  let address: SocketAddress

  init(owning socket: consuming DatagramSocket) throws {
    address = try socket.localAddress()
    self.socket = socket
  }

  convenience init(_ address: SocketAddress, interface: String? = nil) throws {
    try self.init(owning: DatagramSocket.bound(to: address, interface: interface))
  }

  func send(_ bytes: [UInt8], to address: SocketAddress) throws -> Bool {
    try socket.send(bytes, to: address)
  }

  func sendGroups(like group: SocketAddress, through local: SocketAddress) throws {
    try socket.sendGroups(like: group, through: local)
  }

  func receive() throws -> Received? {
    guard let (bytes, from) = try socket.receive() else { return nil }
    return Received(bytes: bytes, from: from)
  }

  /// The next datagram within five seconds.
  func wait() throws -> Received? {
    let end = MonotonicClock.nanoseconds + 5_000_000_000
    while MonotonicClock.nanoseconds < end {
      if let received = try receive() { return received }
      sched_yield()
    }
    return nil
  }
}
