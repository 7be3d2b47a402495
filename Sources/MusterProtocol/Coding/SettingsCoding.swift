import MusterState

extension Setting {
  func write(to writer: inout WireWriter) {
    writer.text(1, key)
    writer.text(2, value)
  }

  init(decoding bytes: Span<UInt8>) throws(WireError) {
    var reader = WireReader(bytes)
    var key = ""
    var value = ""
    while let field = try reader.next() {
      switch field.tag {
      case 1: key = try field.text(limit: Limits.keyBytes)
      case 2: value = try field.text(limit: Limits.valueBytes)
      default: break
      }
    }
    guard !key.isEmpty else { throw .field(1) }
    self.init(key: key, value: value)
  }
}

/// The content of the record `data`: a node's relation data, sorted by key.
struct RelationContent: Hashable, Sendable {
  var settings: [Setting]

  var encoded: [UInt8] {
    var writer = WireWriter()
    for setting in settings { writer.message(1) { setting.write(to: &$0) } }
    return writer.bytes
  }

  init(settings: [Setting]) { self.settings = settings }

  init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    var settings: [Setting] = []
    while let field = try reader.next() {
      if field.tag == 1 { settings.append(try Setting(decoding: field.message)) }
    }
    guard zip(settings, settings.dropFirst()).allSatisfy({ $0.key < $1.key }) else {
      throw .field(1)
    }
    self.settings = settings
  }
}
