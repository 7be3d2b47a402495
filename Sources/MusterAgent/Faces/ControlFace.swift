import MusterProtocol
import MusterState
import MusterSystem

/// What the control socket answers: everything that the command line asks for.
final class ControlFace {
  /// The longest wait in one request, in milliseconds: an hour.
  static let longestWait: Int64 = 3_600_000

  unowned let interior: any AgentInterior
  private let waits: WaitDesk

  init(interior: any AgentInterior, waits: WaitDesk) {
    self.interior = interior
    self.waits = waits
  }

  var router: Router {
    Router(
      routes: releaseRoutes + upgradeRoutes + [
        Router.Route("GET", "/members", self, ControlFace.members),
        Router.Route("GET", "/status", self, ControlFace.status),
        Router.Route("GET", "/leader", self, ControlFace.leader),
        Router.Route("GET", "/get", self, ControlFace.get),
        Router.Route("GET", "/events", self, ControlFace.events),
        Router.Route("GET", "/wait", self, ControlFace.wait),
        Router.Route("POST", "/set", self, ControlFace.set),
        Router.Route("POST", "/leader/step-down", self, ControlFace.stepDown),
        Router.Route("POST", "/cluster/recover", self, ControlFace.recover),
        Router.Route("POST", "/leave", self, ControlFace.leave),
        Router.Route("POST", "/forget", self, ControlFace.forget),
      ])
  }

  // MARK: - Questions

  private func members(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(HttpResponse(json: interior.view.membersJson(at: interior.now)))
  }

  private func status(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(
      HttpResponse(
        json: interior.view.statusJson(
          at: interior.now, wall: MonotonicClock.wallNanoseconds)))
  }

  private func leader(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(HttpResponse(json: interior.view.leaderJson))
  }

  /// `?node=NAME|cluster`, and `&key=KEY` for one value alone.
  private func get(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery("node", "key")
    guard let node = request.query("node"), !node.isEmpty else {
      throw FaceError(
        400, "\"node\" is missing", advice: "name a node, or \(OperatorRequest.cluster)")
    }
    let view = interior.view
    let values = try Self.values(of: node, in: view)
    guard let key = request.query("key") else {
      return responder.answer(
        HttpResponse(json: [
          "node": .string(node),
          "values": .object(values.map { JsonMember($0.key, .string($0.value)) }),
        ]))
    }
    guard let value = values.first(where: { $0.key == key })?.value else {
      let keys = values.map(\.key).joined(separator: ", ")
      throw FaceError(
        404, "\(node) has no value for \(key)",
        advice: keys.isEmpty ? "it has none at all" : "it has \(keys)")
    }
    responder.answer(
      HttpResponse(json: [
        "node": .string(node), "key": .string(key), "value": .string(value),
      ]))
  }

  private static func values(
    of node: String, in view: ClusterView
  ) throws(FaceError) -> [Setting] {
    if node == OperatorRequest.cluster { return view.body?.settings ?? [] }
    // A dead identity may have had the name before.
    let live = view.members.filter { $0.state == .alive || $0.state == .suspect }
    if let member = live.first(where: { $0.name == node }) { return member.data }
    let id = try Self.node(node, in: view)
    return view.members.first { $0.id == id }?.data ?? []
  }

  static func node(_ text: String, in view: ClusterView) throws(FaceError) -> NodeID {
    do throws(OperatorRequest.Refusal) {
      return try OperatorRequest.node(text, in: view)
    } catch {
      throw FaceError(404, error.description, advice: "give the name or identity of a member")
    }
  }

  /// `?replay`: what is kept; `?follow`: what comes; both; neither: what is kept.
  private func events(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery("follow", "replay", "since")
    let follow = try request.flag("follow")
    let history = interior.history
    var start = try request.flag("replay") || !follow ? history.first : history.last + 1
    if let since = request.query("since") {
      guard let sequence = UInt64(since) else {
        throw FaceError(400, "since=\(since) is no number", advice: "give the \"seq\" of an event")
      }
      start = sequence < .max ? sequence + 1 : .max
    }
    EventFollower.serve(responder, history: history, format: .lines, from: start, follow: follow)
  }

  private func wait(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    let query = try WaitQuery(request)
    waits.add(query.conditions, limit: query.milliseconds * 1_000_000, responder: responder)
  }

  // MARK: - Orders

  private func set(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("key", "value", "cluster")
    let key = try body.text("key")
    guard let value = body["value"]?.string else {
      throw FaceError(
        400, "\"value\" is missing", advice: "give it as a string; an empty one deletes the key")
    }
    let forCluster = body["cluster"]?.bool ?? false
    try submit(responder) { () throws(OperatorRequest.Refusal) in
      try OperatorRequest.set(key: key, value: value, forCluster: forCluster)
    }
  }

  /// `to`: the voter that is to take over; without it, whoever stands first.
  private func stepDown(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("to")
    var successor: NodeID?
    if let name = body["to"]?.string { successor = try Self.node(name, in: interior.view) }
    interior.submit(.stepDown(to: successor)) { responder.answer(HttpResponse($0)) }
  }

  /// What `muster cluster recover` has signed.
  private func recover(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let order = try RecoverRequest(request)
    interior.submit(.recover(order.recovery, force: order.isForced)) {
      responder.answer(HttpResponse($0))
    }
  }

  private func leave(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    _ = try request.object()
    interior.submit(.leave) { responder.answer(HttpResponse($0)) }
  }

  /// `signature`: 128 hexadecimal digits over `forgetMessage`; only a live node's needs one.
  private func forget(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let body = try request.object("node", "signature")
    let node = try Self.node(try body.text("node"), in: interior.view)
    var signature: Signature?
    if let text = body["signature"] {
      guard let raw = text.string.flatMap({ bytes(hexadecimal: $0) }), let read = Signature(raw)
      else {
        throw FaceError(
          400, "\"signature\" is no signature", advice: "give 128 hexadecimal digits")
      }
      signature = read
    }
    interior.submit(.forget(node, authority: signature)) { responder.answer(HttpResponse($0)) }
  }

  func submit(
    _ responder: HttpResponder,
    _ command: () throws(OperatorRequest.Refusal) -> MusterProtocol.Command
  ) throws(FaceError) {
    do throws(OperatorRequest.Refusal) {
      interior.submit(try command()) { responder.answer(HttpResponse($0)) }
    } catch {
      throw FaceError(400, error.description, advice: "nothing was changed")
    }
  }
}
