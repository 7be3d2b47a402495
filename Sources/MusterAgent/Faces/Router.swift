import MusterSystem

/// Finds who answers a request: by path, then by method.
struct Router {
  typealias Action = (HttpRequest, HttpResponder) throws(FaceError) -> Void

  struct Route {
    var method: String
    var path: String
    /// Whether it answers for everything below the path, too.
    var isPrefix: Bool
    var action: Action

    /// - Parameter owner: must outlive the router.
    init<Owner: AnyObject>(
      _ method: String, _ path: String, isPrefix: Bool = false, _ owner: Owner,
      _ action: @escaping (Owner) -> Action
    ) {
      self.method = method
      self.path = path
      self.isPrefix = isPrefix
      self.action = { [unowned owner] (request, responder) throws(FaceError) in
        try action(owner)(request, responder)
      }
    }
  }

  var routes: [Route]

  func serve(_ request: HttpRequest, _ responder: HttpResponder) {
    do throws(FaceError) {
      try route(for: request).action(request, responder)
    } catch {
      responder.answer(error.response)
    }
  }

  private func route(for request: HttpRequest) throws(FaceError) -> Route {
    let found = routes.filter {
      $0.isPrefix ? request.path.hasPrefix($0.path) : $0.path == request.path
    }
    if found.isEmpty {
      let paths = routes.map(\.path).joined(separator: ", ")
      throw FaceError(404, "there is no \(request.path)", advice: "there is \(paths)")
    }
    // The library leaves the body out of an answer to HEAD.
    let method = request.method == "HEAD" ? "GET" : request.method
    if let route = found.first(where: { $0.method == method }) { return route }
    let allowed = found.map(\.method).joined(separator: ", ")
    throw FaceError(
      405, "\(request.path) cannot be asked with \(request.method)", advice: "use \(allowed)",
      headers: [HttpField("Allow", allowed)])
  }
}
