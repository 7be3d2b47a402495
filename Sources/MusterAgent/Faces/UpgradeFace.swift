import MusterProtocol
import MusterState
import MusterSystem

/// What the control socket answers about upgrades.
extension ControlFace {
  var upgradeRoutes: [Router.Route] {
    [
      Router.Route("GET", "/upgrade", self, ControlFace.upgradeStatus),
      Router.Route("GET", "/upgrade/preview", self, ControlFace.previewUpgrade),
      Router.Route("POST", "/upgrade", self, ControlFace.upgrade),
      Router.Route("POST", "/upgrade/pause", self, ControlFace.pauseUpgrade),
      Router.Route("POST", "/upgrade/resume", self, ControlFace.resumeUpgrade),
      Router.Route("POST", "/upgrade/abort", self, ControlFace.abortUpgrade),
      Router.Route("POST", "/upgrade/release-hold", self, ControlFace.releaseHold),
    ]
  }

  private func upgradeStatus(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery()
    responder.answer(HttpResponse(json: interior.view.planJson))
  }

  /// `?version=V&batch=BATCH&policy=POLICY&stop-first`: nothing is changed.
  private func previewUpgrade(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery("version", "batch", "policy", "stop-first")
    let version = try request.queriedVersion()
    let options = try Self.options(
      batch: request.query("batch"), policy: request.query("policy"),
      stopsFirst: try request.flag("stop-first"))
    responder.answer(HttpResponse(json: interior.view.previewJson(to: version, options)))
  }

  private func upgrade(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("version", "batch", "policy", "stop_first")
    let version = try body.text("version")
    let options = try Self.options(
      batch: body["batch"]?.string, policy: body["policy"]?.string,
      stopsFirst: body["stop_first"]?.bool ?? false)
    try submit(responder) { () throws(OperatorRequest.Refusal) in
      try OperatorRequest.upgrade(to: version, options)
    }
  }

  private static func options(
    batch: String?, policy: String?, stopsFirst: Bool
  ) throws(FaceError) -> UpgradeOptions {
    do throws(OperatorRequest.Refusal) {
      return try OperatorRequest.options(batch: batch, policy: policy, stopsFirst: stopsFirst)
    } catch {
      throw FaceError(400, error.description, advice: "nothing was changed")
    }
  }

  private func pauseUpgrade(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try steer(.pause, request, responder)
  }

  private func resumeUpgrade(
    _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try steer(.resume, request, responder)
  }

  private func abortUpgrade(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try steer(.abort, request, responder)
  }

  /// `node` has to be this one: it may be all that can be reached. `signature`: 128 hexadecimal
  /// digits over `holdMessage`.
  private func releaseHold(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("node", "signature")
    let node = try Self.node(try body.text("node"), in: interior.view)
    guard node == interior.view.node else {
      throw FaceError(
        409, "this is \(interior.view.name)", advice: "ask the agent of the node that is held")
    }
    let text = try body.text("signature")
    guard let raw = bytes(hexadecimal: text), let signature = Signature(raw) else {
      throw FaceError(400, "\"signature\" is no signature", advice: "give 128 hexadecimal digits")
    }
    interior.submit(.releaseHold(authority: signature)) { responder.answer(HttpResponse($0)) }
  }

  /// The plan that this node knows is meant, and no later one.
  private func steer(
    _ order: PlanOrder, _ request: HttpRequest, _ responder: HttpResponder
  ) throws(FaceError) {
    try request.allowQuery()
    _ = try request.object()
    interior.submit(.steer(order, interior.view.body?.plan?.id)) {
      responder.answer(HttpResponse($0))
    }
  }
}

extension OperatorRequest {
  package static func upgrade(
    to version: String, _ options: UpgradeOptions
  ) throws(Refusal) -> MusterProtocol.Command {
    guard isVersion(version) else {
      throw Refusal("\"\(version)\" is no version: use letters, digits and . _ + -, at most 64")
    }
    return .upgrade(version, options)
  }

  package static func options(
    batch: String?, policy: String?, stopsFirst: Bool
  ) throws(Refusal) -> UpgradeOptions {
    var options = UpgradeOptions(stopsFirst: stopsFirst)
    if let batch { options.batch = try self.batch(batch) }
    if let policy {
      guard let known = UpgradeOptions.Policy.allCases.first(where: { $0.name == policy }) else {
        throw Refusal("\"\(policy)\" is no policy: use proceed or abort")
      }
      options.policy = known
    }
    if stopsFirst, options.batch != .all {
      throw Refusal(
        "to stop first is to stop all at once: leave out one of --stop-first and --batch")
    }
    return options
  }

  private static func batch(_ text: String) throws(Refusal) -> UpgradeOptions.Batch {
    switch text {
    case "all": return .all
    case "one-by-one": return .count(1)
    default: break
    }
    if text.hasSuffix("%"), let share = UInt8(text.dropLast()), (1...100).contains(share) {
      return .percent(share)
    }
    guard let count = UInt32(text), count > 0 else {
      throw Refusal("\"\(text)\" is no batch: use a number, a share such as 25%, or one-by-one")
    }
    return .count(count)
  }
}
