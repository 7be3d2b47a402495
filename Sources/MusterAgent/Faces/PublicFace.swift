import MusterProtocol
import MusterSystem

/// What the read-only HTTP address answers: to monitoring, and to people with a browser.
final class PublicFace {
  private unowned let interior: any AgentInterior
  private let readMetrics: () -> MetricsText

  private let copies: CopyFace?

  init(
    interior: any AgentInterior, served: ServedReleases?, metrics: @escaping () -> MetricsText
  ) {
    self.interior = interior
    copies = served.map(CopyFace.init)
    readMetrics = metrics
  }

  var router: Router {
    var router = Router(routes: [
      Router.Route("GET", "/health", self, PublicFace.health),
      Router.Route("GET", "/status", self, PublicFace.status),
      Router.Route("GET", "/members", self, PublicFace.members),
      Router.Route("GET", "/metrics", self, PublicFace.metrics),
      Router.Route("GET", "/events", self, PublicFace.events),
    ])
    if let copies {
      router.routes.append(
        Router.Route("GET", CopyFace.prefix, isPrefix: true, copies, CopyFace.serve))
    }
    return router
  }

  /// Healthy: the agent answers and, once the cluster is founded, sees a leader.
  private func health(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    let view = interior.view
    let isFounded = view.founding != nil
    guard !isFounded || view.hasValidLease else {
      throw FaceError(
        503, "no leader is seen", advice: "look at `muster status`: is a majority of voters alive?",
        details: [JsonMember("status", "unhealthy"), JsonMember("node", .string(view.name))])
    }
    responder.answer(
      HttpResponse(json: [
        "status": "healthy",
        "node": .string(view.name),
        "founded": .bool(isFounded),
        "leader": .text(view.leader.map { view.name(of: $0) }),
        "is_leader": .bool(view.leadership.isLeader(guarantee: view.leadership.guarantee)),
        "waiting_for": .text(view.waitingFor),
      ]))
  }

  private func status(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(
      HttpResponse(
        json: interior.view.statusJson(
          at: interior.now, wall: MonotonicClock.wallNanoseconds)))
  }

  private func members(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(HttpResponse(json: interior.view.membersJson(at: interior.now)))
  }

  private func metrics(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery()
    responder.answer(
      HttpResponse(
        status: 200, contentType: MetricsText.contentType,
        body: Array(readMetrics().text.utf8)))
  }

  /// Server-sent events, from now on; `?replay` also what is kept. A browser that comes back
  /// says what it has seen.
  private func events(_ request: HttpRequest, _ responder: HttpResponder) throws(FaceError) {
    try request.allowQuery("replay")
    let history = interior.history
    var start = try request.flag("replay") ? history.first : history.last + 1
    // A number from an earlier life of the agent is beyond this one's.
    if let seen = request.header("last-event-id").flatMap(UInt64.init) {
      start = seen <= history.last ? seen + 1 : history.first
    }
    EventFollower.serve(
      responder, history: history, format: .serverSent, from: start, follow: true)
  }
}
