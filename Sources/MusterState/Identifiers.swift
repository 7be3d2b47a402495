/// A node's identity inside bodies: the first sixteen bytes of the BLAKE2b-256 hash of its
/// Ed25519 public key. It is random to everyone, so sorting by it gives a fair ring.
@usableFromInline
package struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
  @usableFromInline package let bytes: Bytes16

  @inlinable
  package init(_ bytes: Bytes16) { self.bytes = bytes }

  /// Reads the thirty-two hexadecimal digits that `description` prints.
  package init?(_ text: String) {
    guard let raw = MusterState.bytes(hexadecimal: text), let bytes = Bytes16(raw) else {
      return nil
    }
    self.bytes = bytes
  }

  @usableFromInline package var description: String { hexadecimal(bytes.bytes) }

  /// Eight digits, for people; never compared.
  package var short: String { String(description.prefix(8)) }

  @inlinable
  package static func < (left: NodeID, right: NodeID) -> Bool { left.bytes < right.bytes }

  @inlinable
  package static func == (left: NodeID, right: NodeID) -> Bool { left.bytes == right.bytes }
}

/// The identifier in the cluster file: which cluster a datagram is meant for.
@usableFromInline
package struct ClusterID: Hashable, Comparable, Sendable, CustomStringConvertible {
  @usableFromInline package let bytes: Bytes16
  @inlinable
  package init(_ bytes: Bytes16) { self.bytes = bytes }
  @usableFromInline package var description: String { hexadecimal(bytes.bytes) }
  @inlinable
  package static func < (left: ClusterID, right: ClusterID) -> Bool { left.bytes < right.bytes }

  @inlinable
  package static func == (left: ClusterID, right: ClusterID) -> Bool { left.bytes == right.bytes }
}

/// The identifier drawn when a cluster was founded. One cluster file can, in error, be founded
/// twice; registers of different foundings are never mixed.
@usableFromInline
package struct FoundingID: Hashable, Comparable, Sendable, CustomStringConvertible {
  @usableFromInline package let bytes: Bytes16
  @inlinable
  package init(_ bytes: Bytes16) { self.bytes = bytes }
  @usableFromInline package var description: String { hexadecimal(bytes.bytes) }
  @inlinable
  package static func < (left: FoundingID, right: FoundingID) -> Bool { left.bytes < right.bytes }

  @inlinable
  package static func == (left: FoundingID, right: FoundingID) -> Bool { left.bytes == right.bytes }
}

/// The identifier of one plan (an upgrade, a first installation); acknowledgements name it.
@usableFromInline
package struct PlanID: Hashable, Comparable, Sendable, CustomStringConvertible {
  @usableFromInline package let bytes: Bytes16
  @inlinable
  package init(_ bytes: Bytes16) { self.bytes = bytes }
  @usableFromInline package var description: String { hexadecimal(bytes.bytes) }
  @inlinable
  package static func < (left: PlanID, right: PlanID) -> Bool { left.bytes < right.bytes }

  @inlinable
  package static func == (left: PlanID, right: PlanID) -> Bool { left.bytes == right.bytes }
}

/// A hash that names content: BLAKE2b-256 inside the protocol, SHA-256 for archives and files.
@usableFromInline
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
  @usableFromInline package let bytes: Bytes32
  @inlinable
  package init(_ bytes: Bytes32) { self.bytes = bytes }

  /// Reads the sixty-four hexadecimal digits that `description` prints.
  package init?(_ text: String) {
    guard let raw = MusterState.bytes(hexadecimal: text), let bytes = Bytes32(raw) else {
      return nil
    }
    self.bytes = bytes
  }

  @usableFromInline package var description: String { hexadecimal(bytes.bytes) }
  @inlinable
  package static func < (left: Digest, right: Digest) -> Bool { left.bytes < right.bytes }

  @inlinable
  package static func == (left: Digest, right: Digest) -> Bool { left.bytes == right.bytes }
}

/// An Ed25519 public key: the node's identity on the wire.
@usableFromInline
package struct PublicKey: Hashable, Sendable, CustomStringConvertible {
  @usableFromInline package let bytes: Bytes32
  @inlinable
  package init(_ bytes: Bytes32) { self.bytes = bytes }
  @usableFromInline package var description: String { hexadecimal(bytes.bytes) }
}

/// An Ed25519 signature: sixty-four bytes.
@usableFromInline
package struct Signature: Hashable, Sendable {
  @usableFromInline package let first: Bytes32
  @usableFromInline package let second: Bytes32

  @inlinable
  package init(first: Bytes32, second: Bytes32) {
    self.first = first
    self.second = second
  }

  /// Reads sixty-four bytes; `nil` when there are fewer or more.
  package init?(_ bytes: Span<UInt8>) {
    guard bytes.count == 64, let first = Bytes32(bytes.extracting(0..<32)),
      let second = Bytes32(bytes.extracting(32..<64))
    else { return nil }
    self.first = first
    self.second = second
  }

  package init?(_ bytes: [UInt8]) { self.init(bytes.span) }

  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64)
    append(to: &bytes)
    return bytes
  }

  /// Writes the sixty-four bytes.
  package func append(to bytes: inout [UInt8]) {
    first.append(to: &bytes)
    second.append(to: &bytes)
  }
}

/// One life of a node's daemon: a counter that is on disk before the first datagram of a start,
/// and a random boot identifier. Wall clocks are never compared.
///
/// The same counter with another boot identifier means a restored or cloned disk.
package struct Incarnation: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var counter: UInt64
  package var boot: UInt64

  package init(counter: UInt64, boot: UInt64) {
    self.counter = counter
    self.boot = boot
  }

  package var description: String { "\(counter)" }

  package static func < (left: Incarnation, right: Incarnation) -> Bool {
    left.counter != right.counter ? left.counter < right.counter : left.boot < right.boot
  }
}
