import MusterProtocol
import MusterState
import MusterSystem

/// The smaller mappings of a service.
extension ConfigurationReader {
  private static let shortest = TimeSpan.milliseconds(10)
  private static let longest = TimeSpan.seconds(3_600)

  mutating func probe(_ node: YamlNode) -> ProbeRule? {
    let fields = fields(
      node, "ready",
      allowed: ["exec", "tcp", "http", "interval", "timeout", "retries", "start-period"])
    let kinds = ["exec", "tcp", "http"].filter { fields[$0] != nil }
    guard kinds.count == 1 else {
      note(node.place, "ready needs exactly one of exec, tcp, http; it has \(kinds.count)")
      return nil
    }
    var kind: ProbeRule.Kind?
    if let exec = fields["exec"] { kind = command(exec, "exec").map { .exec($0) } }
    if let tcp = fields["tcp"], let template = template(tcp, "tcp") {
      checkConstant(template, tcp) { ProbeTarget.tcp(text: $0) }
      kind = .tcp(template)
    }
    if let http = fields["http"], let template = template(http, "http") {
      checkConstant(template, http) { ProbeTarget.http(text: $0) }
      kind = .http(template)
    }
    guard let kind else { return nil }
    var rule = ProbeRule(kind: kind)
    set(&rule.interval, fields["interval"], "interval")
    set(&rule.timeout, fields["timeout"], "timeout")
    set(&rule.startPeriod, fields["start-period"], "start-period")
    rule.retries =
      fields["retries"].flatMap { number($0, "number of retries", in: 1...1_000) } ?? rule.retries
    return rule
  }

  /// A target without variables is checked now; others when they are filled in.
  private mutating func checkConstant(
    _ template: Template, _ node: YamlNode,
    _ parse: (String) -> Result<ProbeTarget, ProbeTarget.Mistake>
  ) {
    guard let text = template.constant, case .failure(let mistake) = parse(text) else { return }
    note(node.place, mistake.text)
  }

  mutating func stop(_ node: YamlNode) -> StopRule {
    let fields = fields(node, "stop", allowed: ["signal", "limit"])
    var rule = StopRule()
    rule.signal = fields["signal"].flatMap { signal($0, "signal") } ?? rule.signal
    set(&rule.limit, fields["limit"], "limit")
    return rule
  }

  mutating func drain(_ node: YamlNode) -> DrainRule? {
    let fields = fields(node, "drain", allowed: ["command", "limit"])
    guard let command = fields["command"].flatMap({ command($0, "drain command") }) else {
      if fields["command"] == nil { note(node.place, "drain has no 'command'") }
      return nil
    }
    var rule = DrainRule(command: command)
    set(&rule.limit, fields["limit"], "limit")
    return rule
  }

  mutating func restart(_ node: YamlNode) -> RestartRule {
    let fields = fields(
      node, "restart", allowed: ["policy", "back-off-minimum", "back-off-maximum"])
    var rule = RestartRule()
    rule.policy =
      fields["policy"]
      .flatMap { choice($0, "policy", RestartRule.Policy.allCases.map { $0.rawValue }) }
      .flatMap { RestartRule.Policy(rawValue: $0) } ?? rule.policy
    set(&rule.minimum, fields["back-off-minimum"], "back-off-minimum")
    set(&rule.maximum, fields["back-off-maximum"], "back-off-maximum")
    if rule.minimum > rule.maximum {
      note(
        node.place,
        "back-off-minimum \(rule.minimum.configuration) is above back-off-maximum "
          + rule.maximum.configuration)
    }
    return rule
  }

  mutating func reload(_ node: YamlNode) -> ReloadRule? {
    let fields = fields(node, "reload", allowed: ["signal", "command", "limit"])
    switch (fields["signal"], fields["command"]) {
    case (.some(let signal), nil):
      if fields["limit"] != nil { note(node.place, "a reload signal has no 'limit'") }
      return self.signal(signal, "signal").map { .signal($0) }
    case (nil, .some(let command)):
      var limit = TimeSpan.seconds(10)
      set(&limit, fields["limit"], "limit")
      return self.command(command, "reload command").map { .command($0, limit: limit) }
    default:
      note(node.place, "reload needs exactly one of signal, command")
      return nil
    }
  }

  private mutating func set(_ span: inout TimeSpan, _ node: YamlNode?, _ what: String) {
    guard let node, let value = duration(node, what, in: Self.shortest...Self.longest) else {
      return
    }
    span = value
  }
}
