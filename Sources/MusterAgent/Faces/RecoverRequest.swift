import MusterProtocol
import MusterState
import MusterSystem

/// The body of `POST /cluster/recover`: a recovery that the authority has signed.
struct RecoverRequest {
  let recovery: Recovery
  let isForced: Bool

  /// What both sides of the socket write and read; identifiers in hexadecimal digits.
  static func json(_ recovery: Recovery, force: Bool) -> Json {
    [
      "from": .string(recovery.from.description), "term": .count(recovery.version.term),
      "count": .count(recovery.version.count), "digest": .string(recovery.digest.description),
      "to": .string(recovery.to.description), "voter": .string(recovery.voter.description),
      "absorbed": .array(recovery.absorbed.map { .string($0.description) }),
      "signature": .string(hexadecimal(recovery.signature.bytes)), "force": .bool(force),
    ]
  }

  init(_ request: HttpRequest) throws(FaceError) {
    let body = try request.object(
      "from", "term", "count", "digest", "to", "voter", "absorbed", "signature", "force")
    guard let term = body["term"]?.integer, let count = body["count"]?.integer, term >= 0,
      count >= 0
    else {
      throw FaceError(400, "\"term\" or \"count\" is missing", advice: "give whole numbers")
    }
    var absorbed: [FoundingID] = []
    for text in body["absorbed"]?.array ?? [] {
      absorbed.append(FoundingID(try Self.bytes16(text.string, "absorbed")))
    }
    guard absorbed.count <= Limits.absorbed, Set(absorbed).count == absorbed.count else {
      throw FaceError(
        400, "\"absorbed\" has too many foundings, or one twice",
        advice: "give at most \(Limits.absorbed)")
    }
    guard let digest = (body["digest"]?.string).flatMap({ Digest($0) }) else {
      throw FaceError(400, "\"digest\" is no digest", advice: "give 64 hexadecimal digits")
    }
    guard
      let signature = (body["signature"]?.string).flatMap({ bytes(hexadecimal: $0) })
        .flatMap({ Signature($0) })
    else {
      throw FaceError(400, "\"signature\" is no signature", advice: "give 128 hexadecimal digits")
    }
    recovery = Recovery(
      from: FoundingID(try Self.bytes16(body["from"]?.string, "from")),
      version: RegisterVersion(term: UInt64(term), count: UInt64(count)), digest: digest,
      to: FoundingID(try Self.bytes16(body["to"]?.string, "to")),
      voter: NodeID(try Self.bytes16(body["voter"]?.string, "voter")), absorbed: absorbed.sorted(),
      signature: signature)
    isForced = body["force"]?.bool ?? false
  }

  private static func bytes16(_ text: String?, _ key: String) throws(FaceError) -> Bytes16 {
    guard let text, let raw = bytes(hexadecimal: text), let value = Bytes16(raw) else {
      throw FaceError(400, "\"\(key)\" is no identifier", advice: "give 32 hexadecimal digits")
    }
    return value
  }
}
