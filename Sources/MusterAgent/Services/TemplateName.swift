import MusterState

/// A name between `{{` and `}}` that stands for one text.
enum TemplateName: Hashable, Sendable {
  case node(MemberField)
  case leader(MemberField)
  /// Inside `{{#members}}`: of the member at hand.
  case member(MemberField)
  case clusterName
  case clusterSetting(String)
  case releaseVersion, releaseDirectory
  case serviceName
  case workDirectory

  enum MemberField: Hashable, Sendable {
    case name, address, host, port, role, state, ready, version
    case data(String)

    /// Reads `host` or `data.KEY`.
    init?(_ text: Substring) {
      switch text {
      case "name": self = .name
      case "address": self = .address
      case "host": self = .host
      case "port": self = .port
      case "role": self = .role
      case "state": self = .state
      case "ready": self = .ready
      case "version": self = .version
      default:
        guard text.hasPrefix("data."), text.utf8.count > 5 else { return nil }
        self = .data(String(text.dropFirst(5)))
      }
    }
  }

  /// Reads a name; the fields of a member stand alone only inside `{{#members}}`.
  init?(_ text: Substring, isInMembers: Bool) {
    switch text {
    case "cluster.name": self = .clusterName
    case "release.version": self = .releaseVersion
    case "release.directory": self = .releaseDirectory
    case "service.name": self = .serviceName
    case "work.directory": self = .workDirectory
    default:
      if isInMembers, let field = MemberField(text) {
        self = .member(field)
      } else if text.hasPrefix("node."), let field = MemberField(text.dropFirst(5)) {
        self = .node(field)
      } else if text.hasPrefix("leader."), let field = MemberField(text.dropFirst(7)) {
        self = .leader(field)
      } else if text.hasPrefix("cluster.setting."), text.utf8.count > 16 {
        self = .clusterSetting(String(text.dropFirst(16)))
      } else {
        return nil
      }
    }
  }

  /// The names that are allowed, for messages.
  static func allowed(isInMembers: Bool) -> String {
    let fields = "name, address, host, port, role, state, ready, version, data.KEY"
    return (isInMembers ? "\(fields); " : "")
      + "node.X and leader.X, X being one of \(fields); cluster.name, cluster.setting.KEY, "
      + "release.version, release.directory, service.name, work.directory"
  }

  /// What the name stands for. What is not known, such as a leader, is empty.
  func text(in values: TemplateValues, member: ServiceContext.Member?) -> String {
    switch self {
    case .node(.role): values.role.name
    case .node(.name): values.context.node
    case .node(let field): values.node.map { field.text(of: $0) } ?? ""
    case .leader(.name): values.context.leader ?? ""
    case .leader(let field): values.leader.map { field.text(of: $0) } ?? ""
    case .member(let field): member.map { field.text(of: $0) } ?? ""
    case .clusterName: values.context.cluster
    case .clusterSetting(let key): values.context.settings.first { $0.key == key }?.value ?? ""
    case .releaseVersion: values.releaseVersion
    case .releaseDirectory: values.releaseDirectory
    case .serviceName: values.service
    case .workDirectory: values.workDirectory
    }
  }
}

extension TemplateName.MemberField {
  func text(of member: ServiceContext.Member) -> String {
    switch self {
    case .name: member.name
    case .address: member.address.description
    // In brackets, an IPv6 host can stand before `:port` and in a URL.
    case .host:
      member.address.isV4
        ? member.address.hostDescription : "[\(member.address.hostDescription)]"
    case .port: "\(member.address.port)"
    case .role: member.role?.name ?? ""
    case .state: member.state.name
    case .ready: member.isReady ? "true" : "false"
    case .version: member.version
    case .data(let key): member.data.first { $0.key == key }?.value ?? ""
    }
  }
}
