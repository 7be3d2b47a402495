import MusterState

/// An operator's wish for another version, with how to get there. The version is wanted from now
/// on, unless something forbids to begin. Of the ground a first release meets one check alone,
/// whether the leader would publish where others look: nothing is lost when it fails.
func upgrade(
  to version: String, _ options: UpgradeOptions, in body: inout RegisterBody,
  _ beginning: inout String?, _ observation: Observation
) -> String {
  if options.stopsFirst, options.batch != .all {
    return "to stop first is to stop all at once; leave out one of --stop-first and --batch"
  }
  if let beginning {
    return "plan \(shortName(observation.freshPlan)) to \(beginning) begins at this moment; "
      + "wait until it is idle"
  }
  var refusal = refuseVersion(version, body)
  if refusal.isEmpty, let current = body.current, current.version != version {
    refusal =
      previewUpgrade(
        to: version, options, of: body, leader: observation.leader, nodes: observation.nodes
      ).refusal
  } else if refusal.isEmpty, body.current == nil {
    refusal = observation.publishingRefusal(body)
  }
  guard refusal.isEmpty else { return refusal }
  refusal = store(Setting(key: "version", value: version), in: &body)
  guard refusal.isEmpty else { return refusal }
  body.failure = ""
  body.options = options == UpgradeOptions() ? nil : options
  if body.current?.version != version { beginning = version }
  return ""
}

private func shortName(_ plan: PlanID) -> Substring {
  hexadecimal(plan.bytes.bytes).prefix(8)
}

func refuseVersion(_ version: String, _ body: RegisterBody) -> String {
  if let plan = body.plan {
    return "plan \(shortName(plan.id)) to \(plan.to.version) is "
      + "\(plan.phase.name); wait until it is idle"
  }
  if !body.releases.contains(where: { $0.version == version }) {
    let known = body.releases.map(\.version).joined(separator: ", ")
    return "release \(version) is not known (known: \(known.isEmpty ? "none" : known)); add it "
      + "with 'muster release add \(version) --source URL --sha256 HEX'"
  }
  return ""
}

/// What an operator tells the plan under way.
func steer(_ order: PlanOrder, _ id: PlanID?, in body: inout RegisterBody) -> String {
  guard var plan = body.plan, id == nil || id == plan.id else {
    return "no such upgrade is under way; 'muster upgrade status' shows what is"
  }
  if plan.phase == .rollingBack {
    return "the upgrade to \(plan.to.version) is rolling back already; wait until it is idle"
  }
  switch order {
  case .pause, .resume:
    plan.isPaused = order == .pause
    body.plan = plan
  case .abort: rollBack(plan, because: "an operator aborted it", in: &body)
  }
  return ""
}
