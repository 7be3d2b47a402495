import MusterState

extension UpgradeOptions {
  func write(to writer: inout WireWriter) {
    switch batch {
    case .all: break
    case .count(let count): writer.unsigned(1, UInt64(count))
    case .percent(let share): writer.unsigned(2, UInt64(share))
    }
    writer.unsigned(3, UInt64(policy.rawValue))
    writer.flag(4, stopsFirst)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    self.init()
    while let field = try reader.next() {
      switch field.tag {
      case 1:
        let count = try field.unsigned32()
        guard count > 0 else { throw .field(1) }
        batch = .count(count)
      case 2:
        let share = try field.unsigned()
        guard (1...100).contains(share) else { throw .field(2) }
        batch = .percent(UInt8(clamping: share))
      case 3: policy = try field.policy()
      case 4: stopsFirst = try field.flag()
      default: break
      }
    }
  }
}

extension WireReader.Field {
  /// A policy that this daemon does not know is one that it cannot keep.
  func policy() throws(WireError) -> UpgradeOptions.Policy {
    guard let policy = UpgradeOptions.Policy(rawValue: UInt8(clamping: try unsigned())) else {
      throw .field(tag)
    }
    return policy
  }

  func wave() throws(WireError) -> UInt8 {
    guard let wave = UInt8(exactly: try unsigned()) else { throw .field(tag) }
    return wave
  }
}
