import MusterAgent
import MusterState
import Testing

@Suite struct `A template` {
  private func member(
    _ name: String, _ last: UInt32, _ role: Role, _ state: MemberState = .alive,
    data: [Setting] = []
  ) -> ServiceContext.Member {
    ServiceContext.Member(
      name: name, address: Address(v4: 0x7f00_0000 + last, port: 7_946), state: state,
      role: role, isReady: state == .alive, version: "1.0", data: data)
  }

  private func values(leader: String? = "ci/0") -> TemplateValues {
    TemplateValues(
      context: ServiceContext(
        cluster: "ci", node: "ci/1", leader: leader,
        members: [
          member("ci/0", 10, .web),
          member("ci/1", 11, .worker, data: [Setting(key: "port", value: "8001")]),
          member("ci/2", 12, .worker, .dead, data: [Setting(key: "port", value: "8002")]),
          member("ci/3", 13, .worker, data: [Setting(key: "port", value: "80\n03")]),
          member("ci/4", 14, .worker),
        ],
        settings: [Setting(key: "size", value: "3")]),
      role: .worker, releaseVersion: "2.1", releaseDirectory: "/shared/r", service: "http",
      workDirectory: "/state/services/http")
  }

  private func render(_ text: String, leader: String? = "ci/0") throws -> String {
    try Template(text).render(values(leader: leader))
  }

  private func problem(_ text: String) -> String {
    do {
      _ = try Template(text)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("plain { text }} $", "plain { text }} $"),
    ("{{node.name}} {{ node.host }}:{{node.port}} {{node.role}}", "ci/1 127.0.0.11:7946 worker"),
    ("{{node.data.port}}", "8001"),
    ("{{leader.name}} {{leader.address}}", "ci/0 127.0.0.10:7946"),
    ("{{cluster.name}} {{cluster.setting.size}}", "ci 3"),
    ("{{cluster.setting.none | 7}}", "7"),
    ("{{release.version}} {{release.directory}}", "2.1 /shared/r"),
    ("{{service.name}} {{work.directory}}", "http /state/services/http"),
    ("{{! nothing }}{{\"{{x}}\"}}", "{{x}}"),
    ("{{#leader}}yes{{/leader}}{{^leader}}no{{/leader}}", "yes"),
  ]) func `fills in values`(text: String, expected: String) throws {
    #expect(try render(text) == expected)
  }

  @Test func `without a leader takes the other branch`() throws {
    #expect(
      try render(
        "{{leader.host | none}} {{#leader}}yes{{/leader}}{{^leader}}no{{/leader}}", leader: nil)
        == "none no")
  }

  @Test func `repeats a section for the members that pass`() throws {
    #expect(
      try render(
        "{{#members role=worker state=alive data.port}}{{host}}:{{data.port}} {{/members}}")
        == "127.0.0.11:8001 127.0.0.13:8003 ")
    #expect(
      try render("{{#members}}{{name}}={{state}}{{^last}}, {{/last}}{{/members}}")
        == "ci/0=alive, ci/1=alive, ci/2=dead, ci/3=alive, ci/4=alive")
    #expect(
      try render("{{#members role=db}}x{{/members}}{{^members role=db}}none{{/members}}") == "none")
    #expect(try render("{{#members ready=false}}{{name}}{{/members}}") == "ci/2")
    #expect(
      try render("{{#members data.port=8001}}{{name}} of {{node.name}}{{/members}}")
        == "ci/1 of ci/1")
  }

  @Test func `leaves no line for a tag that has one for itself`() throws {
    let text = "a\n  {{#members role=web}}\nto {{host}}\n{{/members}}\n{{! note }}\nb\n"
    #expect(try render(text) == "a\nto 127.0.0.10\nb\n")
  }

  @Test(arguments: [
    ("a\nb {{nod.name}}", "2:3: 'nod.name' is no name; allowed are node.X"),
    ("{{host}}", "1:1: 'host' is no name; it stands only inside {{#members}}"),
    ("ü {{#members rol=x}}{{/members}}", "1:3: 'rol=x' is no filter; allowed are name=X"),
    ("{{#members state=up}}{{/members}}", "1:1: 'state=up' is no filter"),
    ("{{#members}}", "1:1: this section has no {{/members}}"),
    ("x{{/members}}", "1:2: {{/members}} closes no section"),
    ("{{#leader}}{{/members}}", "1:12: {{/members}} closes no section; {{/leader}} is expected"),
    ("{{#loop}}{{/loop}}", "1:1: 'loop' is no section; allowed are members, leader, last"),
    ("{{#members}}{{#members}}{{/members}}{{/members}}", "1:13: members inside members"),
    ("{{#last}}{{/last}}", "1:1: 'last' stands only inside {{#members}}"),
    ("a {{node.name", "1:3: this {{ has no }}"),
    ("{{}}", "1:1: nothing between {{ and }}"),
  ]) func `with a mistake is refused with its place`(text: String, expected: String) {
    #expect(problem(text).hasPrefix(expected), "\(problem(text))")
  }

  @Test func `has limits`() throws {
    #expect(problem(String(repeating: "x", count: 262_145)).contains("at most 262144 are read"))
    let deep = String(repeating: "{{#leader}}", count: 9)
    #expect(problem(deep).contains("nested more than 8 deep"))
    let large = "{{#members}}" + String(repeating: "x", count: 100_000) + "{{/members}}"
    #expect(throws: TemplateError.self) { try render(large) }
  }

  @Test func `survives every truncation`() {
    let text = Array(
      "a {{#members role=w}}{{host | x}}{{^last}},{{/last}}{{/members}}{{\"q\"}}{{!c}}".utf8)
    for count in 0...text.count { _ = problem(String(decoding: text[..<count], as: UTF8.self)) }
  }
}
