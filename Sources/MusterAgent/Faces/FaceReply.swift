import MusterProtocol
import MusterSystem

/// Why a request is not served: the status, what is wrong and what to do.
struct FaceError: Error, Hashable {
  var status: Int
  var error: String
  var advice: String
  /// Further members of the answer, such as what a wait still misses.
  var details: [JsonMember] = []
  var headers: [HttpField] = []

  init(
    _ status: Int, _ error: String, advice: String, details: [JsonMember] = [],
    headers: [HttpField] = []
  ) {
    self.status = status
    self.error = error
    self.advice = advice
    self.details = details
    self.headers = headers
  }

  var response: HttpResponse {
    let members = [JsonMember("error", .string(error)), JsonMember("advice", .string(advice))]
    return HttpResponse(
      status: status, headers: headers, body: Json.object(members + details).bytes + [10])
  }
}

extension HttpResponse {
  init(json: Json, status: Int = 200) {
    self.init(status: status, body: json.bytes + [10])
  }

  /// The answer to an operator's request.
  init(_ reply: Reply) {
    switch reply {
    case .done: self.init(json: ["done": true])
    case .refused(let reason):
      self = FaceError(409, reason, advice: "nothing was changed").response
    case .timedOut(let reason):
      self =
        FaceError(
          504, reason, advice: "look at `muster status` whether it was carried out meanwhile"
        ).response
    }
  }
}

extension HttpRequest {
  /// Refuses parts of the query that this path does not know: a typing error must not pass.
  func allowQuery(_ names: String...) throws(FaceError) {
    for field in query where !names.contains(field.name) {
      throw FaceError(
        400, "\(path) has no parameter \"\(field.name)\"",
        advice: names.isEmpty ? "leave it out" : "it has \(names.joined(separator: ", "))")
    }
  }

  /// The release that the query names.
  func queriedVersion() throws(FaceError) -> String {
    guard let version = query("version"), !version.isEmpty else {
      throw FaceError(400, "\"version\" is missing", advice: "name a release")
    }
    return version
  }

  /// Whether a flag of the query is set: `name`, `name=true`, `name=1`.
  func flag(_ name: String) throws(FaceError) -> Bool {
    switch query(name) {
    case nil, "0", "false": false
    case "", "1", "true": true
    case .some(let other):
      throw FaceError(400, "\(name)=\(other) is no yes or no", advice: "use \(name)=true or false")
    }
  }

  /// The body as an object that has no other keys than these.
  func object(_ keys: String...) throws(FaceError) -> Json {
    let advice = "send a JSON object with \(keys.joined(separator: ", "))"
    let value: Json
    do throws(JsonError) {
      value = body.isEmpty ? [:] : try Json(reading: body)
    } catch {
      throw FaceError(400, "the body is no JSON: \(error)", advice: advice)
    }
    guard case .object(let members) = value else {
      throw FaceError(400, "the body is no JSON object", advice: advice)
    }
    for member in members where !keys.contains(member.key) {
      throw FaceError(400, "\(path) knows no \"\(member.key)\"", advice: advice)
    }
    return value
  }
}

extension Json {
  /// A string member that must be there.
  func text(_ key: String) throws(FaceError) -> String {
    guard let text = self[key]?.string, !text.isEmpty else {
      throw FaceError(400, "\"\(key)\" is missing", advice: "give it as a string")
    }
    return text
  }
}
