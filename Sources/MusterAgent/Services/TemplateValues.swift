import MusterProtocol
import MusterState

/// What templates can show: the cluster as this node sees it, and what differs from service to
/// service.
package struct TemplateValues: Sendable {
  package let context: ServiceContext
  package let role: Role
  package let releaseVersion: String
  package let releaseDirectory: String
  package let service: String
  package let workDirectory: String
  let node: ServiceContext.Member?
  let leader: ServiceContext.Member?

  package init(
    context: ServiceContext, role: Role, releaseVersion: String, releaseDirectory: String,
    service: String, workDirectory: String
  ) {
    self.context = context
    self.role = role
    self.releaseVersion = releaseVersion
    self.releaseDirectory = releaseDirectory
    self.service = service
    self.workDirectory = workDirectory
    node = context.member(named: context.node)
    leader = context.leader.flatMap { context.member(named: $0) }
  }
}

extension ServiceContext {
  /// What `view` shows; the same members always in the same order, whatever order they came in.
  package init(_ view: ClusterView) {
    let members = view.members.map {
      Member(
        name: $0.name, address: $0.address, state: $0.state, role: $0.role,
        isReady: $0.isReady, version: $0.runningVersion, data: $0.data)
    }
    self.init(
      cluster: view.clusterName, node: view.name,
      leader: view.members.first { $0.id == view.leader }?.name,
      members: members.sorted { ($0.name, $0.address) < ($1.name, $1.address) },
      settings: view.body?.settings ?? [])
  }

  /// The member of that name; of several, because identities were replaced, the liveliest.
  func member(named name: String) -> Member? {
    members.filter { $0.name == name }.min { $0.state < $1.state }
  }
}
