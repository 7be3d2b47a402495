import MusterProtocol
import MusterState

extension OperatorRequest {
  /// A release as an operator gives it, unchecked.
  package struct Announcement: Hashable, Sendable {
    package var version: String
    package var source: String
    package var sha256: String
    package var mirrors: [String]
    package var signer: String
    package var unpackedBytes: Int64

    package init(
      version: String, source: String, sha256: String, mirrors: [String] = [],
      signer: String = "", unpackedBytes: Int64 = 0
    ) {
      self.version = version
      self.source = source
      self.sha256 = sha256
      self.mirrors = mirrors
      self.signer = signer
      self.unpackedBytes = unpackedBytes
    }

    /// As the control socket takes it.
    package var json: Json {
      var members = [
        JsonMember("version", .string(version)), JsonMember("source", .string(source)),
        JsonMember("sha256", .string(sha256)),
      ]
      if !mirrors.isEmpty {
        members.append(JsonMember("mirrors", .array(mirrors.map { .string($0) })))
      }
      if !signer.isEmpty { members.append(JsonMember("minisign", .string(signer))) }
      if unpackedBytes != 0 { members.append(JsonMember("unpacked", .integer(unpackedBytes))) }
      return .object(members)
    }
  }

  package static func release(
    version: String, source: String, sha256: String
  ) throws(Refusal) -> MusterProtocol.Command {
    try release(Announcement(version: version, source: source, sha256: sha256))
  }

  package static func release(
    _ announcement: Announcement
  ) throws(Refusal) -> MusterProtocol.Command {
    guard isVersion(announcement.version) else {
      throw Refusal(
        "\"\(announcement.version)\" is no version: use letters, digits and . _ + -, at most 64")
    }
    let sources = [announcement.source] + announcement.mirrors
    for source in sources { try check(source: source) }
    guard announcement.mirrors.count <= Limits.mirrors,
      sources.reduce(0, { $0 + $1.utf8.count }) <= Limits.valueBytes
    else {
      throw Refusal(
        "too many or too long sources: give at most \(Limits.mirrors + 1), of "
          + "\(Limits.valueBytes) bytes together")
    }
    guard let digest = Digest(announcement.sha256) else {
      throw Refusal(
        "\"\(announcement.sha256)\" is no SHA-256: give 64 hexadecimal digits, as sha256sum prints")
    }
    let signer = announcement.signer
    guard signer.isEmpty || isMinisignKey(signer) else {
      throw Refusal(
        "\"\(signer)\" is no minisign key: give the 56 characters that begin with RW")
    }
    guard announcement.unpackedBytes >= 0 else {
      throw Refusal("\(announcement.unpackedBytes) is no number of bytes")
    }
    return .addRelease(
      ReleaseSource(
        version: announcement.version, source: announcement.source, archive: digest,
        mirrors: announcement.mirrors, signer: signer,
        unpackedBytes: UInt64(announcement.unpackedBytes)))
  }

  private static func check(source: String) throws(Refusal) {
    let schemes = ["http://", "https://", "file:///"]
    guard let scheme = schemes.first(where: { source.hasPrefix($0) }), source.count > scheme.count,
      source.utf8.count <= 1_024, source.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
    else {
      throw Refusal(
        "\"\(source)\" is no source: use an http, https or file URL such as file:///srv/a.tar.gz")
    }
  }

  /// 42 bytes in Base64, of which the first two say Ed.
  private static func isMinisignKey(_ text: String) -> Bool {
    func isBase64(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }
    return text.utf8.count == 56 && text.hasPrefix("RW") && text.utf8.allSatisfy(isBase64)
  }
}
