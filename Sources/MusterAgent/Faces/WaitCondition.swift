import MusterProtocol
import MusterState

/// What `muster wait` waits for.
package enum WaitCondition: Hashable, Sendable {
  /// Exactly so many members are alive.
  case members(Int)
  /// All live members share one state.
  case converged
  /// Somebody leads, and was heard of within the lease.
  case leader
  /// Exactly so many live members have this job.
  case role(Role, Int)
  /// This version is committed, no plan is under way, and every live member of the roster runs
  /// it and is ready.
  case version(String)

  /// What is still missing, for people; `nil` when the condition holds.
  package func missing(in view: ClusterView) -> String? {
    switch self {
    case .members(let wanted):
      let alive = view.members.filter { $0.state == .alive }
      if alive.count == wanted { return nil }
      let others = view.members.filter { $0.state == .suspect }.map(\.name).sorted()
      let suspects = others.isEmpty ? "" : "; suspect: \(Self.shortened(others))"
      return "members: \(alive.count) of \(wanted) are alive" + suspects
    case .converged:
      if view.convergedSince != nil, view.agree == view.live { return nil }
      return "converged: \(view.agree) of \(view.live) live members agree"
    case .leader:
      if view.hasValidLease { return nil }
      return view.leader.map { "leader: \(view.name(of: $0)) has not been heard of lately" }
        ?? "leader: none is known"
        + (view.waitingFor.isEmpty ? "" : "; waiting for \(view.waitingFor)")
    case .role(let role, let wanted):
      let count = view.members.count { $0.state == .alive && $0.role == role }
      return count == wanted ? nil : "role: \(count) of \(wanted) live members are \(role)"
    case .version(let version):
      return Self.missing(version: version, in: view)
    }
  }

  private static func missing(version: String, in view: ClusterView) -> String? {
    guard view.body?.current?.version == version else {
      return "version: \(view.body?.current?.version ?? "nothing") is current, not \(version)"
        + progress(of: view.body)
    }
    if let plan = view.body?.plan { return "version: the plan is \(plan.phase.name)" }
    let late = view.members.filter {
      $0.state == .alive && $0.role != nil && !($0.isReady && $0.runningVersion == version)
    }
    return late.isEmpty
      ? nil : "version: \(version) does not yet run on \(shortened(late.map(\.name).sorted()))"
  }

  /// Why another version is not there yet, or never will be.
  private static func progress(of body: RegisterBody?) -> String {
    if let plan = body?.plan { return "; the plan to \(plan.to.version) is \(plan.phase.name)" }
    guard let failure = body?.failure, !failure.isEmpty else { return "" }
    return "; the last plan was given up: \(failure)"
  }

  private static func shortened(_ names: [String]) -> String {
    names.prefix(5).joined(separator: ", ")
      + (names.count > 5 ? " and \(names.count - 5) more" : "")
  }
}
