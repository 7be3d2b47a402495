import MusterState
import MusterSystem

/// The query of `/wait`: `members=N`, `converged`, `leader`, `role=NAME=N` (any number of times),
/// `version=V`, `timeout_ms=N`. All must hold at once.
struct WaitQuery {
  static let defaultMilliseconds: Int64 = 60_000

  var conditions: [WaitCondition] = []
  var milliseconds = WaitQuery.defaultMilliseconds

  init(_ request: HttpRequest) throws(FaceError) {
    try request.allowQuery("members", "converged", "leader", "role", "version", "timeout_ms")
    if let text = request.query("members") {
      conditions.append(.members(try Self.count(text, "members")))
    }
    if try request.flag("converged") { conditions.append(.converged) }
    if try request.flag("leader") { conditions.append(.leader) }
    for field in request.query where field.name == "role" {
      conditions.append(try Self.role(field.value))
    }
    if let version = request.query("version") {
      guard isVersion(version) else {
        throw FaceError(400, "\"\(version)\" is no version", advice: "use letters, digits, . _ + -")
      }
      conditions.append(.version(version))
    }
    if let text = request.query("timeout_ms") {
      guard let value = Int64(text), (0...ControlFace.longestWait).contains(value) else {
        throw FaceError(
          400, "timeout_ms=\(text) is out of range",
          advice: "give 0 to \(ControlFace.longestWait)")
      }
      milliseconds = value
    }
    guard !conditions.isEmpty else {
      throw FaceError(
        400, "there is nothing to wait for",
        advice: "give members=N, converged, leader, role=NAME=N or version=V")
    }
  }

  private static func role(_ text: String) throws(FaceError) -> WaitCondition {
    guard let sign = text.lastIndex(of: "="), sign > text.startIndex else {
      throw FaceError(400, "role=\(text) is malformed", advice: "use role=NAME=N")
    }
    return .role(
      Role(String(text[..<sign])), try count(String(text[text.index(after: sign)...]), "role"))
  }

  private static func count(_ text: String, _ name: String) throws(FaceError) -> Int {
    guard let count = Int(text), (0...Limits.members).contains(count) else {
      throw FaceError(
        400, "\(name): \"\(text)\" is no number of members",
        advice: "give 0 to \(Limits.members)")
    }
    return count
  }
}
