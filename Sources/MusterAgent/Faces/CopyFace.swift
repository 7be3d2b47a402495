import MusterState
import MusterSystem

/// What a node without a shared directory answers to others that lack a release:
/// `/release/DIGEST/manifest` and `/release/DIGEST/file/SHA256`. There are no other names in it, so
/// none can lead anywhere else.
final class CopyFace {
  static let prefix = "/release/"
  private static let pause = 1

  private let served: ServedReleases

  init(_ served: ServedReleases) { self.served = served }

  func serve(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    guard let (manifest, file) = Self.wanted(request.path),
      let reference = served.offered.last(where: { $0.manifest == manifest })
    else { throw Self.absent(request.path) }
    guard served.reserve(begins: file == nil) else {
      throw FaceError(
        503, "other nodes copy this release just now", advice: "ask again, or ask another node",
        headers: [HttpField("Retry-After", "\(Self.pause)")])
    }
    served.find(file, of: reference) { [served] found in
      guard let found, responder.isOpen else {
        served.release()
        return responder.answer(Self.absent(request.path).response)
      }
      served.send(found, to: responder)
    }
  }

  /// The digest of the manifest, and of the file unless the manifest itself is meant.
  static func wanted(_ path: String) -> (manifest: Digest, file: Digest?)? {
    let names = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard names.count >= 4, names[0].isEmpty, names[1] == "release",
      let manifest = digest(names[2])
    else { return nil }
    if names.count == 4, names[3] == "manifest" { return (manifest, nil) }
    guard names.count == 5, names[3] == "file", let file = digest(names[4]) else { return nil }
    return (manifest, file)
  }

  private static func digest(_ text: String) -> Digest? {
    Digest(text).flatMap { $0.description == text ? $0 : nil }
  }

  private static func absent(_ path: String) -> FaceError {
    FaceError(404, "there is no \(path)", advice: "this node has no such copy; ask another one")
  }
}
