import MusterState
import MusterSystem

extension ConfigurationReader {
  /// Services of one file, at most.
  private static let maximumServices = 64
  private static let maximumRoles = 32
  private static let maximumTemplates = 32

  private static let serviceKeys = [
    "roles", "command", "environment", "templates", "ready", "stop", "drain", "restart",
    "version", "reload",
  ]

  mutating func services(_ node: YamlNode, directory: String) -> [ServiceDefinition] {
    let entries = entries(node, "services")
    if entries.count > Self.maximumServices {
      note(node.place, "\(entries.count) services; at most \(Self.maximumServices) are allowed")
    }
    return entries.prefix(Self.maximumServices)
      .compactMap { service($0, directory: directory) }
      .sorted { $0.name < $1.name }
  }

  private mutating func service(_ entry: YamlEntry, directory: String) -> ServiceDefinition? {
    // The name is a directory's name, too.
    guard isVersion(entry.key), entry.key.utf8.count <= 32 else {
      note(
        entry.place,
        "'\(entry.key)' is no service name; use at most 32 letters, digits, '.', '_', '+', '-', "
          + "beginning with a letter or digit")
      return nil
    }
    let fields = fields(entry.value, "service '\(entry.key)'", allowed: Self.serviceKeys)
    for (key, example) in [("roles", "[web, worker]"), ("command", "[PROGRAM, ARGUMENT]")]
    where fields[key] == nil {
      note(entry.place, "service '\(entry.key)' has no '\(key)'; add '\(key): \(example)'")
    }
    var service = ServiceDefinition(name: entry.key, roles: [], command: [])
    service.roles = fields["roles"].map { roles($0) } ?? []
    service.command = fields["command"].flatMap { command($0, "command") } ?? []
    service.environment = fields["environment"].map { environment($0) } ?? []
    service.templates = fields["templates"].map { templates($0, directory: directory) } ?? []
    service.probe = fields["ready"].flatMap { probe($0) }
    service.stop = fields["stop"].map { stop($0) } ?? StopRule()
    service.drain = fields["drain"].flatMap { drain($0) }
    service.restart = fields["restart"].map { restart($0) } ?? RestartRule()
    service.version = fields["version"].flatMap { command($0, "version command") } ?? []
    service.reload = fields["reload"].flatMap { reload($0) } ?? service.reload
    return service
  }

  private mutating func roles(_ node: YamlNode) -> [Role] {
    var roles: [Role] = []
    for item in items(node, "roles") {
      guard let name = text(item, "role", limit: 32) else { continue }
      if roles.contains(Role(name)) { note(item.place, "role '\(name)' a second time") }
      roles.append(Role(name))
    }
    if case .sequence(let items) = node.content, items.isEmpty || items.count > Self.maximumRoles {
      note(node.place, "\(items.count) roles; allowed is 1 to \(Self.maximumRoles)")
    }
    return roles
  }

  private mutating func environment(_ node: YamlNode) -> [EnvironmentVariable] {
    var variables: [EnvironmentVariable] = []
    for entry in entries(node, "environment") {
      guard !entry.key.isEmpty, !entry.key.utf8.contains(61), !entry.key.utf8.contains(0) else {
        note(entry.place, "'\(entry.key)' is no variable name; it may not hold '=' or be empty")
        continue
      }
      if let value = template(entry.value, "variable \(entry.key)", mayBeEmpty: true) {
        variables.append(EnvironmentVariable(name: entry.key, value: value))
      }
    }
    if variables.count > 256 { note(node.place, "\(variables.count) variables; at most 256") }
    return variables.sorted { $0.name < $1.name }
  }

  private mutating func templates(_ node: YamlNode, directory: String) -> [TemplateFile] {
    let items = items(node, "templates")
    if items.count > Self.maximumTemplates {
      note(node.place, "\(items.count) templates; at most \(Self.maximumTemplates)")
    }
    var files: [TemplateFile] = []
    for item in items.prefix(Self.maximumTemplates) {
      let fields = fields(item, "a template", allowed: ["source", "target", "on-change"])
      for key in ["source", "target"] where fields[key] == nil {
        note(item.place, "a template has no '\(key)'")
      }
      let content = fields["source"].flatMap { templateFile($0, directory: directory) }
      let target = fields["target"].flatMap { relativePath($0, "target") }
      let change = fields["on-change"]
        .flatMap { choice($0, "on-change", TemplateFile.Change.allCases.map { $0.rawValue }) }
        .flatMap { TemplateFile.Change(rawValue: $0) }
      guard let content, let target else { continue }
      if files.contains(where: { $0.target == target }) {
        note(item.place, "target '\(target)' a second time")
      }
      files.append(TemplateFile(content: content, target: target, onChange: change ?? .restart))
    }
    return files
  }

  /// A path that stays below the directory that it is relative to.
  private mutating func relativePath(_ node: YamlNode, _ what: String) -> String? {
    guard let text = text(node, what, limit: 255) else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    // A leading dot is kept for files that are on their way.
    guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else {
      note(
        node.place,
        "'\(text)' is no \(what); write a path below the work directory, without '..' and "
          + "without names that begin with a dot")
      return nil
    }
    return text
  }

  private mutating func templateFile(_ node: YamlNode, directory: String) -> Template? {
    guard let source = text(node, "source") else { return nil }
    let path = source.hasPrefix("/") ? source : "\(directory)/\(source)"
    let content: [UInt8]
    do throws(SystemError) {
      guard let read = try Files.read(path, limit: Template.maximumBytes) else {
        note(node.place, "there is no file \(path)")
        return nil
      }
      content = read
    } catch {
      note(node.place, "\(path) cannot be read: \(error.reason)")
      return nil
    }
    guard let text = String(validating: content, as: UTF8.self) else {
      note(node.place, "\(path) is no UTF-8 text")
      return nil
    }
    do throws(TemplateError) {
      return try Template(text)
    } catch {
      note(error.place, error.problem, in: path)
      return nil
    }
  }
}
