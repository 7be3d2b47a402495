import CLinux

/// An IP address and a port as the kernel's calls see them: sixteen bytes as two numbers, IPv4
/// in its IPv4-mapped form.
package struct SocketAddress: Hashable, Sendable {
  /// The first eight bytes, most significant first.
  package let high: UInt64
  package let low: UInt64
  package let port: UInt16

  package init(high: UInt64, low: UInt64, port: UInt16) {
    self.high = high
    self.low = low
    self.port = port
  }

  package var isV4: Bool { high == 0 && low >> 32 == 0xffff }

  /// Whether this is `0.0.0.0` or `::`: every address of the machine.
  package var isWildcard: Bool { high == 0 && (low == 0 || low == 0xffff_0000_0000) }

  /// Whether the address means something on one interface only (fe80::/10, ff02::/16).
  var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 || high >> 48 == 0xff02 }

  init(_ endpoint: muster_endpoint) {
    self.init(high: endpoint.high, low: endpoint.low, port: endpoint.port)
  }

  /// - Parameter interface: the index of the interface of a link-local address; 0: none.
  func endpoint(interface: UInt32) -> muster_endpoint {
    muster_endpoint(high: high, low: low, scope: isLinkLocal ? interface : 0, port: port)
  }
}
