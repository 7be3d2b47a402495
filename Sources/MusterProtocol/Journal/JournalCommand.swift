import MusterState

/// Commands as a journal keeps them.
extension Command {
  func write(to writer: inout WireWriter) {
    switch self {
    case .setOwn(let key, let value):
      writer.unsigned(1, 1)
      writer.text(2, key)
      writer.text(3, value)
    case .setCluster(let key, let value):
      writer.unsigned(1, 2)
      writer.text(2, key)
      writer.text(3, value)
    case .addRelease(let release), .follow(let release):
      if case .follow = self { writer.unsigned(1, 37) } else { writer.unsigned(1, 3) }
      // An operator may say what a release's own reader refuses.
      writer.text(2, release.version)
      writer.text(3, release.source)
      writer.array(4, release.archive.bytes.bytes)
      for mirror in release.mirrors { writer.text(9, mirror) }
      writer.text(10, release.signer)
      writer.unsigned(11, release.unpackedBytes)
    case .removeRelease(let version):
      writer.unsigned(1, 30)
      writer.text(2, version)
    case .repairRelease(let version):
      writer.unsigned(1, 31)
      writer.text(2, version)
    case .collect: writer.unsigned(1, 32)
    case .inspect(let version):
      writer.unsigned(1, 36)
      writer.text(2, version)
    case .upgrade(let version, let options):
      writer.unsigned(1, 33)
      writer.text(2, version)
      writer.message(12) { options.write(to: &$0) }
    case .steer(let order, let plan):
      writer.unsigned(1, 34)
      writer.unsigned(13, UInt64(order.rawValue))
      if let plan { writer.array(14, plan.bytes.bytes) }
    case .releaseHold(let signature):
      writer.unsigned(1, 35)
      writer.array(6, signature.bytes)
    case .leave: writer.unsigned(1, 4)
    case .forget(let node, let authority):
      writer.unsigned(1, 5)
      writer.array(5, node.bytes.bytes)
      if let authority { writer.array(6, authority.bytes) }
    case .stepDown(let successor):
      writer.unsigned(1, 6)
      if let successor { writer.array(5, successor.bytes.bytes) }
    case .recover(let recovery, let force):
      writer.unsigned(1, 7)
      writer.message(7) { recovery.write(to: &$0) }
      writer.flag(8, force)
    }
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var parts = Parts()
    while let field = try reader.next() {
      switch field.tag {
      case 1: parts.kind = try field.unsigned()
      case 2: parts.key = try field.text(limit: 65_536)
      case 3: parts.value = try field.text(limit: 65_536)
      case 4: parts.archive = try field.digest()
      case 5: parts.node = try field.node()
      case 6: parts.authority = try field.signature()
      case 7: parts.recovery = try Recovery(decoding: field.message)
      case 8: parts.force = try field.flag()
      case 9: parts.mirrors.append(try field.text(limit: 65_536))
      case 10: parts.signer = try field.text(limit: 65_536)
      case 11: parts.unpackedBytes = try field.unsigned()
      case 12: parts.options = try UpgradeOptions(decoding: field.message)
      case 13: parts.order = PlanOrder(rawValue: UInt8(clamping: try field.unsigned()))
      case 14: parts.plan = PlanID(try field.bytes16())
      default: break
      }
    }
    self = try parts.command
  }

  private struct Parts {
    var kind: UInt64 = 0
    var key = ""
    var value = ""
    var archive: Digest?
    var node: NodeID?
    var authority: Signature?
    var recovery: Recovery?
    var force = false
    var mirrors: [String] = []
    var signer = ""
    var unpackedBytes: UInt64 = 0
    var options = UpgradeOptions()
    var order: PlanOrder?
    var plan: PlanID?

    var command: Command {
      get throws(WireError) {
        switch kind {
        case 1: return .setOwn(key: key, value: value)
        case 2: return .setCluster(key: key, value: value)
        case 3, 37:
          guard let archive else { throw .field(4) }
          let release = ReleaseSource(
            version: key, source: value, archive: archive, mirrors: mirrors, signer: signer,
            unpackedBytes: unpackedBytes)
          return kind == 3 ? .addRelease(release) : .follow(release)
        case 30: return .removeRelease(key)
        case 31: return .repairRelease(key)
        case 32: return .collect
        case 36: return .inspect(key)
        case 33: return .upgrade(key, options)
        case 34:
          guard let order else { throw .field(13) }
          return .steer(order, plan)
        case 35:
          guard let authority else { throw .field(6) }
          return .releaseHold(authority: authority)
        case 4: return .leave
        case 5:
          guard let node else { throw .field(5) }
          return .forget(node, authority: authority)
        case 6: return .stepDown(to: node)
        case 7:
          guard let recovery else { throw .field(7) }
          return .recover(recovery, force: force)
        default: throw .field(1)
        }
      }
    }
  }
}
