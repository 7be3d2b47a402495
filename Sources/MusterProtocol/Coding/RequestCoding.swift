import MusterState

/// The content of the record `request`: what an operator asked of this node for the leader.
/// The answer stands in the register under the node and the nonce.
struct RequestCard: Hashable, Sendable {
  /// The incarnation's counter in the high half, a count in the low one: never used twice.
  var nonce: UInt64
  /// `nil` once the request is answered.
  var action: Action?

  enum Action: Hashable, Sendable {
    case set(Setting)
    case addRelease(ReleaseSource)
    case removeRelease(String)
    case repairRelease(String)
    case collect
    case inspect(String)
    case follow(ReleaseSource)
    case upgrade(String, UpgradeOptions)
    case steer(PlanOrder, PlanID?)
    case forget(NodeID, authority: Signature?)
    /// The leader of this term is to hand over, to this node or to anybody.
    case stepDown(term: UInt64, to: NodeID?)
  }

  init(nonce: UInt64, action: Action?) {
    self.nonce = nonce
    self.action = action
  }

  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.unsigned(1, nonce)
    switch action {
    case .set(let setting): writer.message(2) { setting.write(to: &$0) }
    case .addRelease(let release): writer.message(3) { release.write(to: &$0) }
    case .forget(let node, let authority):
      writer.array(4, node.bytes.bytes)
      if let authority { writer.array(5, authority.bytes) }
    case .stepDown(let term, let successor):
      writer.message(13) {
        $0.unsigned(1, term)
        if let successor { $0.array(2, successor.bytes.bytes) }
      }
    case .removeRelease(let version): writer.text(30, version)
    case .repairRelease(let version): writer.text(31, version)
    case .collect: writer.flag(32, true)
    case .inspect(let version): writer.text(35, version)
    case .follow(let release): writer.message(36) { release.write(to: &$0) }
    case .upgrade(let version, let options):
      writer.message(33) {
        $0.text(1, version)
        $0.message(2) { options.write(to: &$0) }
      }
    case .steer(let order, let plan):
      writer.message(34) {
        $0.unsigned(1, UInt64(order.rawValue))
        if let plan { $0.array(2, plan.bytes.bytes) }
      }
    case nil: break
    }
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var nonce: UInt64 = 0
    var action: Action?
    var forgotten: NodeID?
    var authority: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: nonce = try field.unsigned()
      case 2: action = .set(try Setting(decoding: field.message))
      case 3: action = .addRelease(try ReleaseSource(decoding: field.message))
      case 4: forgotten = try field.node()
      case 5: authority = try field.signature()
      case 13: action = try Self.stepDown(decoding: field.message)
      case 30: action = .removeRelease(try field.version())
      case 31: action = .repairRelease(try field.version())
      case 32: action = try field.flag() ? .collect : nil
      case 33: action = try Self.upgrade(decoding: field.message)
      case 34: action = try Self.steer(decoding: field.message)
      case 35: action = .inspect(try field.version())
      case 36: action = .follow(try ReleaseSource(decoding: field.message))
      default: break
      }
    }
    if let forgotten { action = .forget(forgotten, authority: authority) }
    self.init(nonce: nonce, action: action)
  }

  private static func upgrade(decoding bytes: Span<UInt8>) throws(WireError) -> Action {
    var reader = WireReader(bytes)
    var version: String?
    var options = UpgradeOptions()
    while let field = try reader.next() {
      switch field.tag {
      case 1: version = try field.version()
      case 2: options = try UpgradeOptions(decoding: field.message)
      default: break
      }
    }
    guard let version else { throw .field(1) }
    return .upgrade(version, options)
  }

  private static func steer(decoding bytes: Span<UInt8>) throws(WireError) -> Action {
    var reader = WireReader(bytes)
    var order: PlanOrder?
    var plan: PlanID?
    while let field = try reader.next() {
      switch field.tag {
      case 1: order = PlanOrder(rawValue: UInt8(clamping: try field.unsigned()))
      case 2: plan = PlanID(try field.bytes16())
      default: break
      }
    }
    guard let order else { throw .field(1) }
    return .steer(order, plan)
  }

  private static func stepDown(decoding bytes: Span<UInt8>) throws(WireError) -> Action {
    var reader = WireReader(bytes)
    var term: UInt64 = 0
    var successor: NodeID?
    while let field = try reader.next() {
      switch field.tag {
      case 1: term = try field.unsigned()
      case 2: successor = try field.node()
      default: break
      }
    }
    return .stepDown(term: term, to: successor)
  }
}

extension WireReader.Field {
  /// A version, which becomes part of a directory's name.
  fileprivate func version() throws(WireError) -> String {
    let version = try text(limit: 64)
    guard isVersion(version) else { throw .field(tag) }
    return version
  }
}
