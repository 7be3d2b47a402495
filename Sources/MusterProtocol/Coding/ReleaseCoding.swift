import MusterState

extension ReleaseReference {
  func write(to writer: inout WireWriter) {
    writer.text(1, version)
    writer.array(2, manifest.bytes.bytes)
    writer.unsigned(3, UInt64(repair))
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var version = ""
    var manifest: Digest?
    var repair: UInt32 = 0
    while let field = try reader.next() {
      switch field.tag {
      case 1: version = try field.text(limit: 64)
      case 2: manifest = try field.digest()
      case 3: repair = try field.unsigned32()
      default: break
      }
    }
    // The version becomes a directory's name: nothing else may.
    guard isVersion(version) else { throw .field(1) }
    guard let manifest else { throw .field(2) }
    self.init(version: version, manifest: manifest, repair: repair)
  }
}

extension ReleaseSource {
  func write(to writer: inout WireWriter) {
    writer.text(1, version)
    writer.text(2, source)
    writer.array(3, archive.bytes.bytes)
    for mirror in mirrors { writer.text(4, mirror) }
    writer.text(5, signer)
    writer.unsigned(6, unpackedBytes)
    writer.unsigned(7, UInt64(repair))
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var version = ""
    var source = ""
    var archive: Digest?
    var mirrors: [String] = []
    var signer = ""
    var unpackedBytes: UInt64 = 0
    var repair: UInt32 = 0
    while let field = try reader.next() {
      switch field.tag {
      case 1: version = try field.text(limit: 64)
      case 2: source = try field.text(limit: Limits.valueBytes)
      case 3: archive = try field.digest()
      case 4:
        guard mirrors.count < Limits.mirrors else { throw .limit(4) }
        mirrors.append(try field.text(limit: Limits.valueBytes))
      case 5: signer = try field.text(limit: Limits.keyBytes)
      case 6: unpackedBytes = try field.unsigned()
      case 7: repair = try field.unsigned32()
      default: break
      }
    }
    guard isVersion(version) else { throw .field(1) }
    guard let archive else { throw .field(3) }
    self.init(
      version: version, source: source, archive: archive, mirrors: mirrors, signer: signer,
      unpackedBytes: unpackedBytes, repair: repair)
  }
}

extension Plan {
  func write(to writer: inout WireWriter) {
    writer.array(1, id.bytes.bytes)
    writer.unsigned(2, term)
    writer.unsigned(3, UInt64(phase.rawValue))
    if let from { writer.message(4) { from.write(to: &$0) } }
    writer.message(5) { to.write(to: &$0) }
    if let reference { writer.message(6) { reference.write(to: &$0) } }
    for node in participants { writer.item(7, node.bytes.bytes) }
    for node in overtaken { writer.item(8, node.bytes.bytes) }
    writer.array(9, waves)
    writer.unsigned(10, UInt64(wave))
    writer.unsigned(11, UInt64(policy.rawValue))
    writer.flag(12, stopsFirst)
    writer.flag(13, isPaused)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var id: PlanID?
    var term: UInt64 = 0
    var phase: Phase?
    var from: ReleaseReference?
    var to: ReleaseSource?
    var reference: ReleaseReference?
    var participants: [NodeID] = []
    var overtaken: [NodeID] = []
    var waves: [UInt8] = []
    var wave: UInt8 = 0
    var policy = UpgradeOptions.Policy.proceed
    var stopsFirst = false
    var isPaused = false
    while let field = try reader.next() {
      switch field.tag {
      case 1: id = PlanID(try field.bytes16())
      case 2: term = try field.unsigned()
      case 3: phase = Phase(rawValue: UInt8(clamping: try field.unsigned()))
      case 4: from = try ReleaseReference(decoding: field.message)
      case 5: to = try ReleaseSource(decoding: field.message)
      case 6: reference = try ReleaseReference(decoding: field.message)
      case 7: participants.append(try field.node())
      case 8: overtaken.append(try field.node())
      case 9: waves = try field.array(limit: Limits.members)
      case 10: wave = try field.wave()
      case 11: policy = try field.policy()
      case 12: stopsFirst = try field.flag()
      case 13: isPaused = try field.flag()
      default: break
      }
    }
    guard let id else { throw .field(1) }
    guard let phase else { throw .field(3) }
    guard let to else { throw .field(5) }
    guard isSorted(participants), isSorted(overtaken) else { throw .field(7) }
    guard waves.count <= participants.count else { throw .field(9) }
    self.init(
      id: id, term: term, phase: phase, from: from, to: to, reference: reference,
      participants: participants, overtaken: overtaken, waves: waves, wave: wave, policy: policy,
      stopsFirst: stopsFirst, isPaused: isPaused)
  }
}

/// Sets on the wire are sorted and free of repetition, so that equal sets are equal bytes.
func isSorted(_ list: [some Comparable]) -> Bool {
  zip(list, list.dropFirst()).allSatisfy { $0 < $1 }
}
