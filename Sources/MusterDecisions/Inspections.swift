import MusterState

/// An operator's wish that every node looks at a release. A wish that comes while the last one is
/// under way takes its place: whoever is at it begins anew.
func inspectRelease(
  _ version: String, in body: inout RegisterBody, _ observation: Observation
) -> String {
  let copies = [body.current, body.plan?.reference].compactMap { $0 } + body.published
  guard let copy = copies.first(where: { $0.version == version }) else {
    return "release \(version) is not published; 'muster release list' shows what is"
  }
  body.inspection = InspectionOrder(id: observation.freshPlan, release: copy)
  return ""
}

/// When everyone who lives has answered, nobody who starts later need read all of it again.
func stepInspection(of body: inout RegisterBody, _ observation: Observation) {
  guard let order = body.inspection, !order.isOver else { return }
  let isAwaited = observation.nodes.contains {
    $0.isAlive && body.roster.containsSorted($0.id) && $0.inspected != order.id
  }
  if !isAwaited { body.inspection?.isOver = true }
}
