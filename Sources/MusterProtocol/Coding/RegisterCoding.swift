import MusterState

extension RegisterBody {
  var encoded: [UInt8] {
    var writer = WireWriter()
    writer.array(1, founding.bytes.bytes)
    writer.unsigned(2, UInt64(promiseMilliseconds))
    writer.unsigned(3, UInt64(expect))
    for node in voters { writer.item(4, node.bytes.bytes) }
    for node in roster { writer.item(5, node.bytes.bytes) }
    for node in forgotten { writer.item(6, node.bytes.bytes) }
    writer.flag(7, sealed)
    // Roles are an index into a table of names: a roster of thousands has few jobs.
    let names = Array(Set(roles)).sorted()
    for name in names { writer.text(8, name.name) }
    writer.array(9, roles.map { role in UInt8(names.firstIndex(of: role) ?? 0) })
    for setting in settings { writer.message(10) { setting.write(to: &$0) } }
    for release in releases { writer.message(11) { release.write(to: &$0) } }
    if let current { writer.message(12) { current.write(to: &$0) } }
    for reference in published { writer.message(13) { reference.write(to: &$0) } }
    if let plan { writer.message(14) { plan.write(to: &$0) } }
    for answer in answers { writer.message(15) { answer.write(to: &$0) } }
    writer.text(16, failure)
    if let options { writer.message(17) { options.write(to: &$0) } }
    for recovery in recoveries { writer.message(32) { recovery.write(to: &$0) } }
    if let repair { writer.message(40) { repair.write(to: &$0) } }
    if let collection { writer.message(41) { collection.write(to: &$0) } }
    if let inspection { writer.message(42) { inspection.write(to: &$0) } }
    return writer.bytes
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var founding: FoundingID?
    var body = RegisterBody(
      founding: FoundingID(.zero), promiseMilliseconds: 0, expect: 0, voters: [], roster: [])
    var names: [Role] = []
    var indices: [UInt8] = []
    while let field = try reader.next() {
      switch field.tag {
      case 1: founding = FoundingID(try field.bytes16())
      case 2: body.promiseMilliseconds = try field.unsigned32()
      case 3: body.expect = try field.unsigned32()
      case 4: body.voters.append(try field.node())
      case 5: body.roster.append(try field.node())
      case 6: body.forgotten.append(try field.node())
      case 7: body.sealed = try field.flag()
      case 8: names.append(Role(try field.text(limit: Limits.keyBytes)))
      case 9: indices = try field.array(limit: Limits.members)
      case 10: body.settings.append(try Setting(decoding: field.message))
      case 11: body.releases.append(try ReleaseSource(decoding: field.message))
      case 12: body.current = try ReleaseReference(decoding: field.message)
      case 13: body.published.append(try ReleaseReference(decoding: field.message))
      case 14: body.plan = try Plan(decoding: field.message)
      case 15: body.answers.append(try RequestAnswer(decoding: field.message))
      case 16: body.failure = try field.text(limit: Limits.valueBytes)
      case 17: body.options = try UpgradeOptions(decoding: field.message)
      case 32:
        guard body.recoveries.count < Limits.recoveries else { throw .limit(32) }
        body.recoveries.append(try Recovery(decoding: field.message))
      case 40: body.repair = try ReleaseRepair(decoding: field.message)
      case 41: body.collection = try ReleaseRemoval(decoding: field.message)
      case 42: body.inspection = try InspectionOrder(decoding: field.message)
      default: break
      }
    }
    guard let founding else { throw .field(1) }
    body.founding = founding
    guard body.promiseMilliseconds > 0 else { throw .field(2) }
    guard !body.voters.isEmpty, body.voters.count <= Limits.voters, isSorted(body.voters) else {
      throw .field(4)
    }
    guard isSorted(body.roster), isSorted(body.forgotten) else { throw .field(5) }
    guard indices.count <= body.roster.count, indices.allSatisfy({ $0 < names.count }) else {
      throw .field(9)
    }
    body.roles = indices.map { names[Int($0)] }
    self = body
  }
}

extension RequestAnswer {
  func write(to writer: inout WireWriter) {
    writer.array(1, node.bytes.bytes)
    writer.unsigned(2, nonce)
    writer.text(3, refusal)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var node: NodeID?
    var nonce: UInt64 = 0
    var refusal = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: node = try field.node()
      case 2: nonce = try field.unsigned()
      case 3: refusal = try field.text(limit: Limits.valueBytes)
      default: break
      }
    }
    guard let node else { throw .field(1) }
    self.init(node: node, nonce: nonce, refusal: refusal)
  }
}

extension Certificate {
  func write(to writer: inout WireWriter) {
    writer.unsigned(1, term)
    writer.array(2, leader.bytes.bytes)
    for vote in votes {
      writer.message(3) {
        $0.array(1, vote.voter.bytes.bytes)
        $0.array(2, vote.signature.bytes)
      }
    }
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var term: UInt64 = 0
    var leader: NodeID?
    var votes: [Vote] = []
    while let field = try reader.next() {
      switch field.tag {
      case 1: term = try field.unsigned()
      case 2: leader = try field.node()
      case 3:
        guard votes.count < Limits.voters else { throw .limit(3) }
        votes.append(try Vote(decoding: field.message))
      default: break
      }
    }
    guard let leader else { throw .field(2) }
    guard zip(votes, votes.dropFirst()).allSatisfy({ $0.voter < $1.voter }) else {
      throw .field(3)
    }
    self.init(term: term, leader: leader, votes: votes)
  }
}

extension Certificate.Vote {
  fileprivate init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var voter: NodeID?
    var signature: Signature?
    while let field = try reader.next() {
      switch field.tag {
      case 1: voter = try field.node()
      case 2: signature = try field.signature()
      default: break
      }
    }
    guard let voter else { throw .field(1) }
    guard let signature else { throw .field(2) }
    self.init(voter: voter, signature: signature)
  }
}
