import MusterProtocol
import MusterReleases
import MusterState
import MusterSystem

/// What the control socket answers about releases.
extension ControlFace {
  var releaseRoutes: [Router.Route] {
    [
      Router.Route("GET", "/release", self, ControlFace.describeRelease),
      Router.Route("POST", "/release", self, ControlFace.addRelease),
      Router.Route("POST", "/release/verify", self, ControlFace.verifyRelease),
      Router.Route("POST", "/release/inspection", self, ControlFace.inspectRelease),
      Router.Route("GET", "/release/inspection", self, ControlFace.inspection),
      Router.Route("POST", "/release/remove", self, ControlFace.removeRelease),
      Router.Route("POST", "/release/repair", self, ControlFace.repairRelease),
      Router.Route("POST", "/release/gc", self, ControlFace.collectReleases),
    ]
  }

  /// `?version=VERSION`: what the register, the manifest and the members say of it.
  private func describeRelease(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery("version")
    let version = try request.queriedVersion()
    let view = interior.view
    guard let source = view.body?.releases.first(where: { $0.version == version }) else {
      throw Self.unknown(version, view)
    }
    var members = view.releaseJson(of: source)
    guard let copy = view.copy(of: version) else {
      return responder.answer(HttpResponse(json: .object(members)))
    }
    interior.manifest(of: copy) { result in
      switch result {
      case .success(let manifest):
        members.append(JsonMember("manifest", manifest.json(in: view)))
      case .failure(let failure):
        members.append(JsonMember("manifest_error", .string(failure.reason)))
      }
      responder.answer(HttpResponse(json: .object(members)))
    }
  }

  private static func unknown(_ version: String, _ view: ClusterView) -> FaceError {
    let known = (view.body?.releases ?? []).map(\.version).joined(separator: ", ")
    return FaceError(
      404, "release \(version) is not known",
      advice: known.isEmpty ? "none is; see muster release add" : "there is \(known)")
  }

  private func addRelease(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object(
      "version", "source", "sha256", "mirrors", "minisign", "unpacked")
    let announcement = OperatorRequest.Announcement(
      version: try body.text("version"), source: try body.text("source"),
      sha256: try body.text("sha256"),
      mirrors: (body["mirrors"]?.array ?? []).map { $0.string ?? "" },
      signer: body["minisign"]?.string ?? "", unpackedBytes: body["unpacked"]?.integer ?? 0)
    try submit(responder) { () throws(OperatorRequest.Refusal) in
      try OperatorRequest.release(announcement)
    }
  }

  /// Looks at every byte here and now. What is wrong is an answer and no failure of the request.
  private func verifyRelease(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("version")
    let view = interior.view
    let version = body["version"]?.string ?? view.body?.current?.version
    guard let version else {
      throw FaceError(409, "no release is installed", advice: "name one that is published")
    }
    guard let copy = view.copy(of: version) else {
      if view.body?.releases.contains(where: { $0.version == version }) ?? false {
        throw FaceError(
          409, "release \(version) is not published",
          advice: "muster set --cluster version \(version) fetches it")
      }
      throw Self.unknown(version, view)
    }
    interior.inspect(copy) { result in
      switch result {
      case .success(let inspection):
        responder.answer(HttpResponse(json: inspection.json(of: copy)))
      case .failure(let failure) where failure.isCorrupt:
        var inspection = ReleaseInspection()
        inspection.problemCount = 1
        inspection.problems = [
          ReleaseInspection.Problem(path: Manifest.fileName, reason: failure.reason)
        ]
        responder.answer(HttpResponse(json: inspection.json(of: copy)))
      case .failure(let failure):
        responder.answer(
          FaceError(
            503, failure.reason, advice: "`muster status` shows the state of the storage"
          ).response)
      }
    }
  }

  private func removeRelease(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try submit(request, responder, Command.removeRelease)
  }

  private func repairRelease(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try submit(request, responder, Command.repairRelease)
  }

  /// What asks the leader for something about one version.
  private func submit(
    _ request: HttpRequest, _ responder: HttpResponder, _ wish: (String) -> Command
  ) throws(FaceError) {
    try request.allowQuery()
    let version = try request.object("version").text("version")
    interior.submit(wish(version)) { responder.answer(HttpResponse($0)) }
  }

  private func collectReleases(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery()
    _ = try request.object()
    interior.submit(.collect) { responder.answer(HttpResponse($0)) }
  }
}
