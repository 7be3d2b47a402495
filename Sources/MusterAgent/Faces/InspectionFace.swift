import MusterProtocol
import MusterState
import MusterSystem

/// What the control socket answers about a look at a release on all nodes.
extension ControlFace {
  /// Has the leader commit the order; the answer names it.
  func inspectRelease(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("version")
    guard let version = body["version"]?.string ?? interior.view.body?.current?.version else {
      throw FaceError(409, "no release is installed", advice: "name one that is published")
    }
    interior.submit(.inspect(version)) { [unowned interior] reply in
      guard case .done = reply, let order = interior.view.body?.inspection else {
        return responder.answer(HttpResponse(reply))
      }
      responder.answer(
        HttpResponse(json: [
          "id": .string(order.id.description), "version": .string(order.release.version),
        ]))
    }
  }

  /// The last order, and what each member has said to it.
  func inspection(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(HttpResponse(json: interior.view.inspectionJson))
  }
}

extension ClusterView {
  var inspectionJson: Json {
    guard let body, let order = body.inspection else { return ["id": .null, "nodes": []] }
    let asked = members.filter { $0.state != .left && body.roster.contains($0.id) }
      .sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    return [
      "id": .string(order.id.description), "version": .string(order.release.version),
      "directory": .string(order.release.directoryName),
      "nodes": .array(
        asked.map { member in
          let verdict = member.inspected.flatMap { $0.id == order.id ? $0 : nil }
          return [
            "node": .string(member.name), "state": .string(member.state.name),
            "ok": verdict.map { .bool($0.isGood) } ?? .null, "text": .text(verdict?.text),
          ]
        }),
    ]
  }
}
