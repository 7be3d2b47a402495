import MusterProtocol
import MusterState
import MusterSystem

/// A service with everything filled in: what should run now, to compare with what does.
struct RenderedService: Hashable {
  struct File: Hashable {
    /// Below the work directory.
    let target: String
    let content: String
    let onChange: TemplateFile.Change
  }

  struct Probe: Hashable {
    enum Question: Hashable {
      case exec(ProcessCommand)
      case network(ConnectionProbe.Request, SocketAddress)
    }

    let question: Question
    let rule: ProbeRule
  }

  enum Reload: Hashable {
    case signal(Int32)
    case command(ProcessCommand, limit: TimeSpan)
  }

  /// What must happen to a process that was started from an older rendering.
  enum Change: Hashable { case none, reload, restart }

  /// The variable by which processes of a service are known, whoever started them.
  static let mark = "MUSTER_WORK"

  let release: ReleaseReference
  let role: Role
  let workDirectory: String
  let releaseDirectory: String
  /// Where programs without a slash are looked for, at the start; one with a slash is relative
  /// to the release.
  let searchPath: [String]
  /// The program is a name still.
  let command: ProcessCommand
  let files: [File]
  let probe: Probe?
  let stop: StopRule
  let drain: ProcessCommand?
  let drainLimit: TimeSpan
  let restart: RestartRule
  let version: ProcessCommand?
  let reload: Reload

  /// What this rendering means for a process of `other`.
  func change(from other: RenderedService) -> Change {
    func files(_ service: RenderedService, _ change: TemplateFile.Change) -> [File] {
      service.files.filter { $0.onChange == change }
    }
    if release != other.release || command != other.command
      || files(self, .restart) != files(other, .restart)
    {
      return .restart
    }
    return files(self, .reload) == files(other, .reload) ? .none : .reload
  }

  /// `command` with the path of its program.
  ///
  /// - Throws: when there is no such program.
  func resolved(_ command: ProcessCommand) throws(ServiceFailure) -> ProcessCommand {
    let name = command.program
    let isBelowRelease = name.utf8.contains(UInt8(ascii: "/")) && !name.hasPrefix("/")
    let program = isBelowRelease ? "\(releaseDirectory)/\(name)" : name
    guard let path = ProcessCommand.find(program, in: searchPath) else {
      throw ServiceFailure(
        "there is no program '\(name)' in the release's bin, in the release, or on "
          + "the PATH (\(searchPath.joined(separator: ":")))")
    }
    var result = command
    result.program = path
    return result
  }
}

/// Why a service does not run as it should: one line for people.
struct ServiceFailure: Error, Hashable, Sendable {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

extension RenderedService {
  /// Fills in `definition` for `goal`. Touches no file.
  ///
  /// - Parameters:
  ///   - workDirectory: the service's own, absolute.
  ///   - inherited: the environment that the service's is added to.
  init(
    _ definition: ServiceDefinition, for goal: ServiceGoal, workDirectory: String,
    inherited: [String: String]
  ) throws(ServiceFailure) {
    let filler = Filler(
      values: TemplateValues(
        context: goal.context, role: goal.role, releaseVersion: goal.release.version,
        releaseDirectory: goal.directory, service: definition.name,
        workDirectory: workDirectory),
      service: definition.name)
    let own = ["\(goal.directory)/bin", goal.directory]
    let path = inherited["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    var environment = inherited
    environment["PATH"] = "\(goal.directory)/bin:\(path)"
    environment["MUSTER_NODE"] = goal.context.node
    environment["MUSTER_SERVICE"] = definition.name
    environment[Self.mark] = workDirectory
    environment["MUSTER_VERSION"] = goal.release.version
    for variable in definition.environment {
      environment[variable.name] = try filler.text(variable.value, "variable \(variable.name)")
    }
    func command(_ parts: [Template], _ what: String) throws(ServiceFailure) -> ProcessCommand {
      try filler.command(parts, what, environment, workDirectory)
    }

    release = goal.release
    role = goal.role
    self.workDirectory = workDirectory
    releaseDirectory = goal.directory
    searchPath = own + path.split(separator: ":").map { String($0) }
    self.command = try command(definition.command, "command")
    files = try filler.files(definition.templates)
    stop = definition.stop
    restart = definition.restart
    drain = try definition.drain.map { (rule) throws(ServiceFailure) in
      try command(rule.command, "drain command")
    }
    drainLimit = definition.drain?.limit ?? .zero
    version =
      definition.version.isEmpty ? nil : try command(definition.version, "version command")
    switch definition.reload {
    case .signal(let number): reload = .signal(number)
    case .command(let parts, let limit):
      reload = .command(try command(parts, "reload command"), limit: limit)
    }
    probe = try definition.probe.map { (rule) throws(ServiceFailure) in
      switch rule.kind {
      case .exec(let parts): Probe(question: .exec(try command(parts, "probe")), rule: rule)
      case .tcp(let text):
        Probe(question: try filler.question(ProbeTarget.tcp(text:), text), rule: rule)
      case .http(let text):
        Probe(question: try filler.question(ProbeTarget.http(text:), text), rule: rule)
      }
    }
  }
}

/// Fills templates in and says whose they are when that fails.
private struct Filler {
  let values: TemplateValues
  let service: String

  func text(_ template: Template, _ what: String) throws(ServiceFailure) -> String {
    do throws(TemplateError) {
      return try template.render(values)
    } catch {
      throw ServiceFailure("\(what): \(error.problem)")
    }
  }

  func command(
    _ parts: [Template], _ what: String, _ environment: [String: String], _ directory: String
  ) throws(ServiceFailure) -> ProcessCommand {
    var words: [String] = []
    for part in parts { words.append(try text(part, what)) }
    guard let program = words.first, !program.isEmpty else {
      throw ServiceFailure("\(what): the program's name is empty")
    }
    return ProcessCommand(
      program: program, arguments: Array(words.dropFirst()), environment: environment,
      directory: directory)
  }

  func files(_ templates: [TemplateFile]) throws(ServiceFailure) -> [RenderedService.File] {
    var files: [RenderedService.File] = []
    for template in templates {
      files.append(
        RenderedService.File(
          target: template.target, content: try text(template.content, template.target),
          onChange: template.onChange))
    }
    return files
  }

  func question(
    _ parse: (String) -> Result<ProbeTarget, ProbeTarget.Mistake>, _ template: Template
  ) throws(ServiceFailure) -> RenderedService.Probe.Question {
    switch parse(try text(template, "ready")) {
    case .failure(let mistake): throw ServiceFailure("ready: \(mistake.text)")
    case .success(.tcp(let address)): return .network(.connect, Self.socketAddress(address))
    case .success(.http(let address, let host, let path)):
      return .network(.get(host: host, path: path), Self.socketAddress(address))
    }
  }

  private static func socketAddress(_ address: Address) -> SocketAddress {
    SocketAddress(high: address.host.high, low: address.host.low, port: address.port)
  }
}
