/// What is believed of a member. Precedence is explained under "Membership" in `proto/README.md`:
/// for the same incarnation and version, `alive < suspect < dead`; a newer version of the
/// member's own record beats suspicion; `left` is said by the member itself and is final for
/// its incarnation.
package enum MemberState: UInt8, Hashable, Comparable, Sendable, CaseIterable {
  case alive = 0
  case suspect = 1
  case dead = 2
  case left = 3

  package static func < (left: MemberState, right: MemberState) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The word that people and JSON see.
  package var name: String {
    switch self {
    case .alive: "alive"
    case .suspect: "suspect"
    case .dead: "dead"
    case .left: "left"
    }
  }
}

/// What a node says of itself in its record `member`.
package struct MemberCard: Hashable, Sendable {
  package var key: PublicKey
  package var name: String
  package var address: Address
  /// Whether the node has said goodbye; final for this incarnation.
  package var hasLeft: Bool
  /// The version of the daemon, for people.
  package var software: String
  /// How many nodes are planned, of a node that belongs to no founding; 0 of all others. As long
  /// as it has no coordination card, this is all that there is to know.
  package var expect: UInt32

  package init(
    key: PublicKey, name: String, address: Address, hasLeft: Bool, software: String,
    expect: UInt32 = 0
  ) {
    self.key = key
    self.name = name
    self.address = address
    self.hasLeft = hasLeft
    self.software = software
    self.expect = expect
  }
}

/// The name of a node's job, such as `web` or `worker`.
package struct Role: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let name: String
  package init(_ name: String) { self.name = name }
  package var description: String { name }
  package static let web = Role("web")
  package static let worker = Role("worker")
  package static func < (left: Role, right: Role) -> Bool { left.name < right.name }
}
