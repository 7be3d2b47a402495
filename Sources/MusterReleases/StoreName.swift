import MusterState

/// What a name below `releases/` stands for. Whatever is none of these is never touched.
enum StoreName: Equatable {
  /// `<version>-<16 hexadecimal digits>-<repair>`: published, immutable.
  case release(version: String, digest: String, repair: UInt32)
  /// `.stage.<cluster>.<term>.<node>.<nonce>`: private to one attempt of one node.
  case stage(cluster: String, term: UInt64, node: String)
  /// `.trash.<nonce>`: a release on its way out.
  case trash
  /// `.probe.<nonce>`: lives for as long as one write.
  case probe

  init?(_ name: String) {
    let fields = name.split(separator: ".", omittingEmptySubsequences: false)
    if fields.count == 6, name.hasPrefix(".stage."), let term = UInt64(fields[3]) {
      self = .stage(cluster: String(fields[2]), term: term, node: String(fields[4]))
    } else if fields.count == 3, name.hasPrefix(".trash.") {
      self = .trash
    } else if fields.count == 3, name.hasPrefix(".probe.") {
      self = .probe
    } else {
      self.init(release: name)
    }
  }

  /// A version may hold dashes: the name is read from its end.
  private init?(release name: String) {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 3, let repair = UInt32(parts[parts.count - 1]),
      String(repair) == parts[parts.count - 1]
    else { return nil }
    let digest = String(parts[parts.count - 2])
    let version = parts[..<(parts.count - 2)].joined(separator: "-")
    guard digest.utf8.count == 16, bytes(hexadecimal: digest) != nil,
      digest == digest.lowercased(), isVersion(version)
    else { return nil }
    self = .release(version: version, digest: digest, repair: repair)
  }

  static func stage(cluster: ClusterID, term: UInt64, node: NodeID) -> String {
    ".stage.\(short(cluster.description)).\(term).\(node.short).\(nonce())"
  }

  static func newTrash() -> String { ".trash.\(nonce())" }
  static func newProbe() -> String { ".probe.\(nonce())" }

  static func short(_ identifier: String) -> String { String(identifier.prefix(8)) }

  /// Sixteen digits that no other attempt draws.
  static func nonce() -> String {
    let digits = String(UInt64.random(in: .min ... .max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
